"""What `check --connect` says of the rights of an account at a vCenter, and that the scripts grant exactly the list."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.vsphere.privileges import NEEDED, OPTIONAL
from tests.backends.daemon import document
from tests.backends.vcenter import BUILT, PASSWORD, USER, VCenter

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "deploy/permissions/vsphere"
PRIVILEGE = re.compile(r"\b[A-Z][a-z][A-Za-z]*\.[A-Z][a-z][A-Za-z]*\b")
HOST, STORE = "/DC0/host/DC0_C0/DC0_C0_H1", "/DC0/datastore/LocalDS_1"
ASKED = "HasUserPrivilegeOnEntities"
GIVE = "deploy/permissions/vsphere/role.sh monitor@vsphere.local"

pytestmark = pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim")


@pytest.fixture(scope="module")
def vcenter():
    with VCenter("--hosts=3", "--standalone=0", "--machines=2", "--datastores=2") as started:
        yield started


@pytest.fixture
def give(vcenter):
    """Gives the account of the tests a role at a path; afterwards it is the administrator again.

    Roles that the simulator, as a vCenter, makes hold the three System. privileges whatever is asked for; the built-in
    `View` and `NoAccess` do not.
    """
    given = []

    def give(path, role, *flags):
        vcenter.govc("permissions.set", "-principal", USER, "-role", role, *flags, path)
        given.append(path)

    yield give
    for path in given:
        vcenter.govc("permissions.remove", "-principal", USER, path)
    vcenter.clear()


@pytest.fixture
def check(vcenter, tmp_path):
    """Runs `check --connect`: the exit code, the verdict, and what is said of rights."""
    return lambda **how: checked(vcenter.sdk, tmp_path, **how)


def checked(sdk, folder, *, optional=False):
    one = {"name": "vc", "platform": "vsphere", "address": sdk, "auth": "a", "tls": {"insecure_skip_verify": True}}
    file = folder / "config.yml"
    file.write_text(document([one], auths={"a": {"username": USER, "password": {"env": "THE_PASSWORD"}}}))
    command = [sys.executable, "-m", "exporter", "check", "--connect", f"--config.file={file}"]
    env = {**os.environ, "THE_PASSWORD": PASSWORD}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)
    lines = [line.removeprefix("  vc: rights: ") for line in done.stderr.splitlines() if "rights:" in line]
    said = [line for line in lines if line.startswith("optional:") is optional]
    return done.returncode, done.stdout.partition(": VM")[0], said


def test_an_account_that_has_every_right_is_well(check):
    assert check() == (0, "vc: ok", [])


def test_a_right_that_is_missing_everywhere_is_named_with_its_cost_and_its_remedy(give, check):
    give("/", "View")
    everywhere = "the root of the inventory and everything below (14 objects)"
    remedy = f"give it a role with {{}} at the root of the inventory, propagated: {GIVE}, or role.ps1"
    read = (
        f"the account lacks System.Read on {everywhere}: no property and no sample can be read: nothing has numbers; "
        + remedy.format("System.Read")
    )
    assert check() == (1, "vc: FAILED", [read])
    give("/", "NoAccess")
    code, _, said = check()
    assert (code, said[2]) == (1, read)
    assert [line.split()[3] for line in said] == list(NEEDED)
    assert said[1].endswith(remedy.format("System.View"))


def test_a_right_that_a_nearer_permission_takes_away_is_named_with_the_objects(give, check):
    give("/", "ReadOnly")
    give(HOST, "View")
    give(STORE, "View")
    (sentence,) = check()[2]
    assert sentence == (
        "the account lacks System.Read on 1 of 3 hosts (DC0_C0_H1), 1 of 2 datastores (LocalDS_1): "
        "state, capacity and counters of these hosts are absent, sizes and states of these datastores are absent; "
        "the permission at the root is not propagated, or one that lies nearer replaces it: "
        f"govc permissions.ls OBJECT shows it, {GIVE} propagates the one at the root"
    )


def test_a_permission_below_the_root_alone_is_told_as_what_it_does_not_show(give, check):
    give("/", "NoAccess")
    give("/DC0", "ReadOnly")
    code, _, said = check()
    assert code == 1
    assert said[-1].startswith(
        "the account lacks System.Read on the root of the inventory: what lies outside of the account's permissions "
        "does not exist for the exporter; give it a role with System.Read at"
    )


def test_the_script_grants_what_was_missing(vcenter, give, check):
    give("/", "View")
    assert check()[0] == 1
    run = {"GOVC_URL": vcenter.sdk, "GOVC_USERNAME": USER, "GOVC_PASSWORD": PASSWORD, "GOVC_INSECURE": "1"}
    env = {**os.environ, **run, "PATH": f"{BUILT}:{os.environ['PATH']}"}
    for _ in range(2):
        subprocess.run([str(SCRIPTS / "role.sh"), USER], env=env, check=True, capture_output=True, timeout=60)
        assert set(vcenter.govc("role.ls", "hypervisor-exporter").split()) == set(NEEDED)
        assert check() == (0, "vc: ok", [])


def test_a_right_that_nobody_has_to_give_is_told_and_no_failure(give, check):
    give("/", "ReadOnly")
    (sentence,) = (told := check(optional=True))[2]
    assert told[0] == 0
    assert sentence == (
        "optional: the account lacks Global.Licenses on the root of the inventory: licences, what they allow and when "
        "they end are absent; it allows to change them too, so give it only if you want: "
        "deploy/permissions/vsphere/role.sh --licenses monitor@vsphere.local"
    )


def test_an_object_that_vanishes_meanwhile_hides_no_other(vcenter, give, check):
    give("/", "ReadOnly")
    give(HOST, "View")
    vcenter.calls()
    vcenter.fault("ManagedObjectNotFound", method=ASKED, times=2)
    assert "1 of 3 hosts (DC0_C0_H1)" in check()[2][0]
    assert vcenter.calls()[ASKED] == 3 + 2 + 1  # all; a half; its halves; the other half; licences


def test_an_endpoint_that_hides_an_object_is_told_as_a_missing_right(vcenter, give, check):
    vcenter.fault("NoPermission", method=ASKED, properties={"privilegeId": "System.View"})
    assert [line.partition(" on ")[0] for line in check()[2]] == ["the account lacks System.View"]


def test_an_endpoint_that_does_not_tell_is_no_failure(vcenter, give, check):
    vcenter.fault("NotSupported", method=ASKED, message="not here")
    code, verdict, said = check()
    assert (code, verdict) == (0, "vc: ok")
    assert said == [f"not examined: {vcenter.sdk} does not answer {ASKED}: NotSupported: not here"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param(["--esx"], [], id="an ESXi"),
        pytest.param(
            ["--api-version=6.0"], [f"not examined: {{}} has no {ASKED}, which vSphere 6.5 brought"], id="before 6.5"
        ),
    ],
)
def test_other_endpoints(tmp_path, flags, said):
    with VCenter("--machines=1", *flags) as other:
        assert checked(other.sdk, tmp_path) == (0, "vc: ok", [each.format(other.sdk) for each in said])


def test_the_scripts_and_the_documents_name_exactly_the_list():
    for name in ("role.sh", "role.ps1"):
        assert set(PRIVILEGE.findall((SCRIPTS / name).read_text())) == {*NEEDED, *OPTIONAL}, name
    setup = (ROOT / "docs/platforms/vsphere.md").read_text().partition("### Account and rights")[2].partition("###")[0]
    assert {*NEEDED, *OPTIONAL} <= set(PRIVILEGE.findall(setup))


def test_the_script_grants_the_sight_of_licences_only_when_asked(vcenter, give):
    give("/", "View")
    run = {"GOVC_URL": vcenter.sdk, "GOVC_USERNAME": USER, "GOVC_PASSWORD": PASSWORD, "GOVC_INSECURE": "1"}
    env = {**os.environ, **run, "PATH": f"{BUILT}:{os.environ['PATH']}"}
    for _ in range(2):
        command = [str(SCRIPTS / "role.sh"), "--licenses", USER, "exporter-with-licenses"]
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=60)
        assert set(vcenter.govc("role.ls", "exporter-with-licenses").split()) == {*NEEDED, *OPTIONAL}
