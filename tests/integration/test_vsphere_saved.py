"""An inventory that a user has saved with govc is one that we can look at: as it is, and without its names."""

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.backends.daemon import Page, document
from tests.backends.vcenter import BUILT, PASSWORD, USER, VCenter
from tests.backends.vcsim.redact import OF_FILES, WORDS
from tests.backends.vcsim_inventory import Size, write

REDACT = Path(__file__).parents[1] / "backends/vcsim/redact.py"
WORD = r"(?:%[0-9a-f]{2})?([^\W_]{5,})"
NAMES = {"name", "hostName", "ipAddress", "macAddress", "uuid", "instanceUuid", "url", "datastore", "fileName"}
API = "--api-version=8.0.3.0"

pytestmark = pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """What `govc object.save` writes of an estate, the estate's plan, and what the exporter says of it."""
    folder = tmp_path_factory.mktemp("saved")
    plan = write(folder / "inventory", Size(40, hosts=6))
    with VCenter(f"--load={folder / 'inventory'}", API) as vcenter:
        vcenter.govc("object.save", "-d", str(folder / "saved"))
        yield folder / "saved", plan, once(vcenter, plan, folder)


def once(vcenter, plan, folder):
    """A page. Samples differ from one 20 seconds to the next: the newest is that of the plan's moment."""
    vcenter.order("statistics", now=plan.now)
    target = {"name": "vc", "platform": "vsphere", "address": vcenter.sdk, "auth": "a"}
    file = folder / "config.yml"
    auths = {"a": {"username": USER, "password": {"env": "THE_PASSWORD"}}}
    file.write_text(document([{**target, "tls": {"insecure_skip_verify": True}}], auths=auths))
    command = [sys.executable, "-m", "exporter", "once", f"--config.file={file}"]
    env = {**os.environ, "THE_PASSWORD": PASSWORD}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    return Page(done.stdout)


def told(page):
    """Values by family, without the target's own families and what depends on the moment."""
    found = defaultdict(Counter)
    for name, _, value in page.samples:
        if not name.startswith(("hypervisor_target_", "hypervisor_exporter_")) and not name.endswith("_age_seconds"):
            found[name][value] += 1
    return found


def snapshotted(vcenter, plan):
    """Take a snapshot of the guest with the largest tree, and remove one that was loaded."""
    guest = max(plan.guests, key=lambda each: len(each.tree.snapshots))
    path = next(path for path, reference in vcenter.references("m").items() if reference == str(guest.ref))
    vcenter.govc("snapshot.create", "-vm", path, "-m=false", "one more")
    vcenter.govc("snapshot.remove", "-vm", path, guest.tree.snapshots[-1].ref.id)
    return vcenter.govc("snapshot.tree", "-vm", path)


def test_a_saved_inventory_shows_what_the_original_showed_and_can_be_worked_with(saved, tmp_path):
    folder, plan, original = saved
    with VCenter(f"--load={folder}") as vcenter:
        assert told(once(vcenter, plan, tmp_path)) == told(original)
        assert "one more" in snapshotted(vcenter, plan)


def texts(folder):
    """Tag and text of every element below a property's value, but for references and words of the API."""
    for file in folder.glob("*.xml"):
        for each in ET.parse(file).findall("propSet"):
            for element in (found for value in each[1:] for found in value.iter()):
                tag = each[0].text if element is each[-1] else element.tag
                if element.text and tag not in WORDS and "type" not in element.attrib:
                    yield tag, element.text


def words(found):
    """What somebody could recognise, in lower case."""
    return {each.casefold() for text in found for each in re.findall(WORD, text) if not each.isdigit()}


def test_a_redacted_inventory_has_the_same_numbers_and_none_of_the_names(saved, tmp_path):
    folder, plan, original = saved
    given = tmp_path / "given"
    done = subprocess.run([sys.executable, REDACT, folder, given], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"look through {given} before you give it away\n")
    names = words(text for tag, text in texts(folder) if tag in NAMES) | words(guest.name for guest in plan.guests)
    assert {"rocket", "nightly"} < names
    left = words(text for _, text in texts(given)) & names
    assert {each for each in left if not re.fullmatch(OF_FILES.pattern, each, re.IGNORECASE)} == set()
    with VCenter(f"--load={given}", API) as vcenter:
        pages = once(vcenter, plan, tmp_path), original
        seen, expected = map(told, pages)
        # A snapshot is known as a backup's by its name; custom attributes and alarms are left out.
        changed = {name for name in seen | expected if seen[name] != expected[name]}
        assert changed <= {name for name in expected if "backup" in name}
        kinds = [Counter(labels["kind"] for labels, _ in page.find("hypervisor_guest_info")) for page in pages]
        assert kinds[0] == kinds[1]
        assert "🚀" in vcenter.govc("find", "-type", "m", "/")
        assert "one more" in snapshotted(vcenter, plan)
