"""Generated inventories: what was meant to be in them is what govc finds in the simulator, also with thousands."""

import datetime as dt
import json
import time
from collections import Counter

import pytest

from tests.backends.inventory import guests
from tests.backends.vcenter import VCenter
from tests.backends.vcsim_inventory import Size, write

NOW = 1_790_000_000
SMALL = Size(30, hosts=6)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "inventory"
    plan = write(folder, SMALL, NOW)
    with VCenter(f"--load={folder}", "--api-version=8.0.3.0") as vcenter:
        yield vcenter, plan


def found(vcenter, kind):
    """References by govc of a kind (its letter)."""
    return Counter(vcenter.govc("find", "-i", "-type", kind, "/").split())


def frozen(plan):
    """A guest with a tree of snapshots that branches or is deep."""
    return max(plan.guests, key=lambda each: len(each.tree.snapshots))


def test_the_same_seed_and_moment_make_the_same_files_and_another_seed_others(tmp_path):
    texts = []
    for n, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(n)
        write(folder, Size(30, hosts=6, seed=seed), NOW)
        texts.append({each.name: each.read_text() for each in folder.iterdir()})
    assert texts[0] == texts[1] != texts[2]


def test_every_object_is_there_once(small):
    vcenter, plan = small
    assert found(vcenter, "m") == Counter(str(each.ref) for each in plan.guests)
    assert found(vcenter, "h") == Counter(str(each.ref) for each in plan.hosts())
    assert found(vcenter, "s") == Counter(str(each.ref) for one in plan.datacenters for each in one.datastores)
    assert len(found(vcenter, "c")) == 2
    assert len(found(vcenter, "p")) == 3 + 2 * 2  # a root for two clusters and a host, two pools in each cluster
    assert len(plan.guests) == 30
    assert len(list(plan.hosts())) == 6


def test_names_are_as_odd_as_meant_and_two_datacenters_share_names_of_datastores(small):
    vcenter, _ = small
    paths = vcenter.govc("find", "-type", "m", "/").splitlines()
    odd = ('say "hello"', "rocket 🚀", "build%2fnightly", "back%5cslash", "it's", "<a> & b", "l" * 80, "100%25")
    assert set(odd) <= {path.rsplit("/", 1)[1] for path in paths}
    datastores = vcenter.govc("find", "-type", "s", "/").splitlines()
    assert {"/fra1/datastore/pod %2f 1/vmfs-01", "/Zürich %2f 2/datastore/pod %2f 1/vmfs-01"} <= set(datastores)


def test_states_are_as_meant(small):
    vcenter, plan = small
    seen = Counter()
    for each in plan.guests:
        (runtime,) = vcenter.collect(str(each.ref), "runtime").values()
        template = False
        if each.known:
            (template,) = vcenter.collect(str(each.ref), "config.template").values()
        seen[runtime["connectionState"], runtime["powerState"], template] += 1
    meant = Counter((each.connection, guests.power(each), each.role == "template") for each in plan.guests)
    assert seen == meant
    assert {"orphaned", "inaccessible", "disconnected", "connected"} == {state for state, _, _ in seen}
    assert sum(template for _, _, template in seen.elements()) == 1
    assert sum(power == "suspended" for _, power, _ in seen.elements()) == 1
    hosts = Counter()
    for host in plan.hosts():
        facts = vcenter.collect(str(host.ref), "runtime.connectionState", "runtime.inMaintenanceMode")
        hosts[facts["runtime.connectionState"], facts["runtime.inMaintenanceMode"]] += 1
    assert hosts == {("connected", False): 4, ("connected", True): 1, ("disconnected", False): 1}
    assert sum(path.rsplit("/", 1)[1].startswith("vCLS-") for path in vcenter.references("m")) == 2


def test_a_running_guest_tells_usage_boot_time_devices_and_file_systems(small):
    vcenter, plan = small
    guest = next(
        each for each in plan.with_role("running") if guests.file_systems(each) and each.host.state == "connected"
    )
    facts = vcenter.collect(
        str(guest.ref), "runtime.bootTime", "summary.quickStats", "guest.disk", "config.hardware.device"
    )
    assert dt.datetime.fromisoformat(facts["runtime.bootTime"]).timestamp() == guest.booted
    assert facts["summary.quickStats"]["uptimeSeconds"] == NOW - guest.booted
    assert facts["summary.quickStats"]["grantedMemory"] == guest.memory_mib
    disks = facts["guest.disk"]["_value"]
    told = [(each["diskPath"], each["capacity"], each["freeSpace"], each["mappings"][0]["key"]) for each in disks]
    assert told == guests.file_systems(guest)
    devices = facts["config.hardware.device"]["_value"]
    assert [each["capacityInBytes"] for each in devices if "capacityInBytes" in each] == list(guest.disks)
    assert sum("macAddress" in each for each in devices) == 1


def test_snapshots_are_a_fifth_and_their_trees_dates_and_layouts_are_as_meant(small):
    vcenter, plan = small
    assert sum(bool(each.tree.snapshots) for each in plan.guests) == 6
    guest = frozen(plan)
    path = next(path for path, ref in vcenter.references("m").items() if ref == str(guest.ref))
    tree = vcenter.govc("snapshot.tree", "-vm", path, "-i", "-D", "-f")
    for each in guest.tree.snapshots:
        moment = dt.datetime.fromtimestamp(each.created, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert f"[{each.ref.id} {moment}]" in tree
        assert NOW - 400 * 86400 <= each.created < NOW
    layout = vcenter.collect(str(guest.ref), "layoutEx")["layoutEx"]
    assert sum(each["size"] for each in layout["file"]) == guest.files.bytes
    assert {each["key"]["value"]: len(each["disk"][0]["chain"]) for each in layout["snapshot"]} == {
        each.ref.id: len(each.chains[0]) for each in guest.tree.snapshots
    }
    files = {each["key"] for each in layout["file"]}
    assert {key for disk in layout["disk"] for layer in disk["chain"] for key in layer["fileKey"]} <= files


def test_the_simulator_can_take_and_remove_snapshots_of_loaded_guests(small):
    vcenter, plan = small
    guest = frozen(plan)
    path = next(path for path, ref in vcenter.references("m").items() if ref == str(guest.ref))
    vcenter.govc("snapshot.create", "-vm", path, "one more")
    assert "one more" in vcenter.govc("snapshot.tree", "-vm", path)
    vcenter.govc("snapshot.remove", "-vm", path, "one more")


def test_what_is_free_is_what_guests_do_not_use(small):
    vcenter, plan = small
    for each in (one for datacenter in plan.datacenters for one in datacenter.datastores):
        summary = vcenter.collect(str(each.ref), "summary")["summary"]
        on_it = [guest for guest in plan.guests if guest.datastore is each]
        if each.state == "inaccessible":
            assert (summary["accessible"], summary["capacity"]) == (False, 0)
        else:
            assert summary["capacity"] - summary["freeSpace"] == sum(guest.files.bytes for guest in on_it)
    text = vcenter.govc("datastore.info", "-dc", "/fra1", "nfs iso")
    assert "nas.example.net:/export" in text
    pod = vcenter.collect("/fra1/datastore/pod %2f 1", "childEntity")["childEntity"]["_value"]
    assert len(pod) == 2


def test_loaded_guests_have_samples_of_each_of_their_devices(small):
    vcenter, _ = small
    path = next(each for each in vcenter.references("m") if each.endswith("rocket 🚀"))
    names = ("virtualDisk.read.average", "net.bytesRx.average")
    sampled = vcenter.govc("metric.sample", "-n", "3", "-instance", "*", "-json", path, *names)
    series = json.loads(sampled)["sample"][0]["value"]
    assert {(each["name"], each["instance"]): len(each["value"]) for each in series} == {
        ("virtualDisk.read.average", "scsi0:0"): 3,
        ("virtualDisk.read.average", "scsi0:1"): 3,
        ("net.bytesRx.average", "4000"): 3,
    }


def test_a_loaded_vcenter_can_be_restarted(tmp_path):
    write(tmp_path / "one", Size(1), NOW)
    with VCenter(f"--load={tmp_path / 'one'}") as vcenter:
        vcenter.restart()
        assert vcenter.govc("find", "-type", "m", "/") == "/fra1/vm/Prod/guest-0\n"


def test_thousands_are_there_in_seconds(tmp_path):
    begun = time.monotonic()
    plan = write(tmp_path / "large", Size(3000, hosts=100), NOW)
    with VCenter(f"--load={tmp_path / 'large'}") as vcenter:
        seconds = time.monotonic() - begun
        assert found(vcenter, "m") == Counter(str(each.ref) for each in plan.guests)
        assert len(found(vcenter, "h")) == 100
    assert seconds < 60  # 4 s on a machine with nothing else to do
