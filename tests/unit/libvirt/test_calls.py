"""What may be called, how calls are cut to size, and that one bad object costs only itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import collectors.libvirt
from collectors.libvirt.answers import Domain
from collectors.libvirt.client.calls import ALLOWED
from collectors.libvirt.client.errors import Gone
from collectors.libvirt.findings import Findings
from collectors.libvirt.groups.vitals import chunks
from collectors.libvirt.support import SUPPORT
from exporter.catalogue import SHARED, Entity
from exporter.errors import Forbidden, Malformed, TimedOut, Unreachable, Unsupported

FOLDER = Path(collectors.libvirt.__file__).parent


def test_no_call_on_the_list_changes_anything():
    names = {name for calls in ALLOWED.values() for name in calls.values()}
    changing = re.compile(
        r"Create|Define|Destroy|Set|Start|Stop|Delete|Revert|Refresh|Attach|Detach|Migrate|Send|Agent"
    )
    assert not [name for name in names if changing.search(name)]


def test_the_sdk_is_imported_in_one_place_and_not_with_the_platform():
    importing = [
        path.name
        for path in FOLDER.rglob("*.py")
        if re.search(r"^\s*(import|from) libvirt", path.read_text(), re.MULTILINE)
    ]
    assert importing == ["sdk.py"]
    code = "import sys, collectors.libvirt.platform; sys.exit('libvirt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_shared_family_about_hosts_guests_and_storage_has_an_answer():
    about_others = {Entity.TARGET, Entity.EXPORTER, Entity.CLUSTER}
    assert {family.name for family in SHARED if family.entity not in about_others} <= SUPPORT.keys()
    assert SUPPORT.keys() <= {family.name for family in SHARED}


@pytest.mark.parametrize(
    ("vcpus", "portions"),
    [
        pytest.param([4, 4, 2], [[0, 1, 2]], id="just full"),
        pytest.param([4, 4, 3], [[0, 1], [2]], id="one too many"),
        pytest.param([20, 1], [[0], [1]], id="one guest larger than a call"),
        pytest.param([None, 2, 1], [[0, 1], [2]], id="eight are taken for a guest never seen"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_calls_are_cut_by_virtual_cpus(vcpus, portions):
    domains = [Domain(str(number), "", 1) for number in range(len(vcpus))]
    known = {str(number): count for number, count in enumerate(vcpus) if count is not None}
    assert [[int(each.uuid) for each in portion] for portion in chunks(domains, known, 10)] == portions


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (Malformed("no XML"), "malformed_object"),
        (Forbidden("no right"), "missing_right"),
        (TimedOut("no job"), "monitor_stuck"),
        (Gone("vanished"), None),
        (Unsupported("not here"), None),
    ],
)
def test_one_object_that_fails_is_a_problem_and_no_end(error, problem):
    findings = Findings()
    for name in ("first", "second"):
        with findings.about(f"guest {name}"):
            raise error
    assert [(each.name, each.count) for each in findings.problems] == ([(problem, 2)] if problem else [])
    assert all("guest first" in each.example for each in findings.problems)


def test_a_lost_connection_ends_the_collection():
    with pytest.raises(Unreachable), Findings().about("guest"):
        raise Unreachable("the connection broke")
