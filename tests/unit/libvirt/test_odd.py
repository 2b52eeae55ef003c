"""Descriptions, snapshots and pools that nobody expects: what is lost of them, and what the operator reads."""

import pytest

from collectors.libvirt.answers import SnapshotName
from collectors.libvirt.client.errors import Failed, Refused, WrongState
from collectors.libvirt.groups import inventory, snapshots, vitals
from collectors.libvirt.mapping.description import DiskSource, NicSource, describe
from collectors.libvirt.mapping.snapshots import snapshot
from collectors.libvirt.mapping.storage import PoolFacts, storage
from exporter.errors import Forbidden, Malformed
from exporter.normalise import chain_depth
from tests.unit.libvirt.shapes import NOW, Shape, around, collected

YEAR_9999 = 253_402_300_799
NINES = "9" * 400


def domain(inner, kind="kvm"):
    return f"<domain type='{kind}'><vcpu>2</vcpu>{inner}</domain>"


@pytest.mark.parametrize(
    ("inner", "sentence"),
    [
        ("<memtune><hard_limit unit='furlong'>7</hard_limit></memtune>", "memtune/hard_limit is 7 'furlong'"),
        ("<memtune><hard_limit>much</hard_limit></memtune>", "memtune/hard_limit is 'much'"),
        ("<memtune><min_guarantee>-5</min_guarantee></memtune>", "memtune/min_guarantee is -5 ''"),
        ("<cputune><quota>lots</quota></cputune>", "cputune/quota is 'lots'"),
        ("<cputune><quota>5</quota><period/></cputune>", "cputune/period is ''"),
        ("<cputune><global_quota>1.5</global_quota></cputune>", "cputune/global_quota is '1.5'"),
        ("<devices><interface type='user'/></devices>", "an adapter has neither a device nor an address"),
    ],
)
def test_a_value_that_makes_no_sense_costs_itself_and_is_named(inner, sentence):
    disk = "<devices><disk><source file='/a'/><target dev='vda'/></disk></devices>"
    found = describe(domain(disk + inner), "guest")
    (odd,) = found.oddities
    assert odd.startswith(sentence)
    assert (found.limit_cpus, found.memory_limit_bytes, found.memory_reservation_bytes, found.nics) == (None,) * 3 + (
        (),
    )
    assert [each.disk for each in found.disks] == ["vda"]


def test_such_a_value_is_counted_and_told_with_its_guest():
    odd = domain("<memtune><hard_limit unit='furlong'>7</hard_limit></memtune>")
    guests, problems = collected(Shape("xen", ("a", "b"), {("xml", "b"): odd}), inventory)
    assert guests.keys() == {"a", "b"}
    assert problems == {
        "value_rejected": (1, "guest 'b': memtune/hard_limit is 7 'furlong', no size that libvirt writes")
    }


def test_two_adapters_of_one_address_are_one_series_and_told():
    nic = "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
    tap = "<interface><mac address='52:54:00:00:00:01'/><target dev='vnet7'/></interface>"
    found = describe(domain(f"<devices>{nic}{tap}{nic}</devices>"), "guest")
    mac = "52:54:00:00:00:01"
    assert found.nics == (NicSource(mac, mac), NicSource("vnet7", mac, device="vnet7"))
    assert found.oddities == (f"two adapters are called '{mac}', and the first one is shown",)


def test_two_disks_of_one_name_are_one_series_and_told():
    disks = "".join(f"<disk><source file='/{file}'/><target dev='vda'/></disk>" for file in "ab")
    found = describe(domain(f"<devices>{disks}</devices>"), "guest")
    assert ([disk.path for disk in found.disks], len(found.oddities)) == (["/a"], 1)


NVME = (
    "<source type='pci' managed='yes' namespace='2'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>"
    "</source>"
)


@pytest.mark.parametrize(
    ("attributes", "source", "expected"),
    [
        pytest.param("type='nvme' device='disk'", NVME, DiskSource("x", "nvme:0000:01:00.0/2", kind="nvme"), id="NVMe"),
        pytest.param(
            "type='vhostuser' device='disk'",
            "<source type='unix' path='/run/vhost.sock'/>",
            DiskSource("x", "/run/vhost.sock", kind="vhostuser"),
            id="vhost-user",
        ),
        pytest.param(
            "type='vhostvdpa' device='disk'",
            "<source dev='/dev/vhost-vdpa-0'/>",
            DiskSource("x", "/dev/vhost-vdpa-0", kind="vhostvdpa"),
            id="vDPA",
        ),
        pytest.param(
            "type='network' device='disk'",
            "<source protocol='nbd'><host name='nbd-1' port='10809'/></source>",
            DiskSource("x", "nbd:nbd-1", kind="network", hosts=("nbd-1",)),
            id="the only export of a server has no name",
        ),
        pytest.param(
            "type='network' device='disk'",
            "<source protocol='iscsi' name='iqn.2026-01.org.example:disks/1'><host name='san'/></source>",
            DiskSource("x", "iscsi:iqn.2026-01.org.example:disks/1", kind="network", hosts=("san",)),
            id="iSCSI",
        ),
        pytest.param(
            "type='dir' device='disk'", "<source dir='/d'/>", DiskSource("x", "/d", kind="dir"), id="a folder"
        ),
        pytest.param(
            "type='future' device='disk'", "<source x='1'/>", DiskSource("x", "", kind="future"), id="unheard of"
        ),
        pytest.param("type='file' device='cdrom'", "<source startupPolicy='optional'/>", None, id="an empty drive"),
        pytest.param("type='file' device='floppy'", "<source/>", None, id="another"),
        pytest.param("type='file' device='disk'", "", None, id="no source at all"),
        pytest.param(
            "type='file' device='cdrom'",
            "<source file='/a.iso'/><readonly/>",
            DiskSource("x", "/a.iso"),
            id="a medium that cannot be written",
        ),
    ],
)
def test_where_disks_lie(attributes, source, expected):
    found = describe(domain(f"<devices><disk {attributes}>{source}<target dev='x'/></disk></devices>"), "guest")
    assert (found.disks, found.oddities) == ((expected,) if expected else (), ())


def test_the_identity_that_the_machine_sees_and_a_period_of_never():
    text = "<domain type='qemu'><uuid>AA</uuid><hwuuid>BB</hwuuid><devices><memballoon><stats period='0'/></memballoon>"
    found = describe(f"{text}</devices></domain>", "guest")
    assert (found.bios_uuid, found.balloon_period_seconds) == ("bb", None)


@pytest.mark.parametrize(("memory", "with_memory"), [("no", False), ("internal", True), ("external", True), ("", None)])
def test_whether_a_snapshot_holds_memory(memory, with_memory):
    element = f"<memory snapshot='{memory}'/>" if memory else ""
    assert snapshot(f"<domainsnapshot>{element}</domainsnapshot>", "monday", None).snapshot.memory is with_memory


@pytest.mark.parametrize(
    ("kind", "cputune", "cpus"),
    [
        ("kvm", "<quota>50000</quota>", 1.0),
        ("lxc", "<quota>50000</quota>", 0.5),
        ("lxc", "<global_quota>50000</global_quota>", None),
        ("kvm", "<quota>50000</quota><period>200000</period>", 0.5),
        ("kvm", "<quota>50000</quota><global_quota>70000</global_quota>", 0.7),
        ("kvm", "<quota>20000</quota><global_quota>70000</global_quota>", 0.4),
        ("kvm", "<quota>0</quota>", None),
        ("kvm", "<quota>50000</quota><period>0</period>", None),
        ("kvm", "<shares>2048</shares><emulator_quota>5000</emulator_quota>", None),
    ],
)
def test_the_tighter_limit_counts(kind, cputune, cpus):
    assert describe(domain(f"<cputune>{cputune}</cputune>", kind), "guest").limit_cpus == cpus


@pytest.mark.parametrize(
    ("time", "created", "sentence"),
    [
        ("<creationTime>1600000000</creationTime>", 1_600_000_000.0, None),
        (f"<creationTime>{YEAR_9999}</creationTime>", float(YEAR_9999), None),
        ("", None, None),
        ("<creationTime>0</creationTime>", None, "creationTime is 0, when nothing can have been made"),
        ("<creationTime>-86400</creationTime>", None, "creationTime is -86400, when nothing can have been made"),
        ("<creationTime>yesterday</creationTime>", None, "creationTime is 'yesterday', no number that libvirt writes"),
        (
            f"<creationTime>{'9' * 400}</creationTime>",
            None,
            f"creationTime is '{'9' * 40}…', no number that libvirt writes",
        ),
        ("<creationTime/>", None, "creationTime is '', no number that libvirt writes"),
    ],
)
def test_when_a_snapshot_was_made(time, created, sentence):
    taken = snapshot(f"<domainsnapshot><parent><name>sunday</name></parent>{time}</domainsnapshot>", "monday", None)
    assert (taken.snapshot.created_timestamp_seconds, taken.snapshot.parent_id) == (created, "sunday")
    assert taken.oddities == ((f"snapshot 'monday': {sentence}",) if sentence else ())


class WithSnapshots(Shape):
    """A host whose guests all have the same snapshots, given as XML by name."""

    def __init__(self, xml, **rest):
        super().__init__("test", **rest)
        self.snapshot_texts = xml

    def snapshots(self, _domain):
        return [SnapshotName(name) for name in self.snapshot_texts]

    def snapshot_xml(self, named):
        if isinstance(text := self.snapshot_texts[named.name], Exception):
            raise text
        return text


def taken(parent="", time=NOW - 60):
    name = f"<parent><name>{parent}</name></parent>"
    return f"<domainsnapshot>{name}<creationTime>{time:.0f}</creationTime></domainsnapshot>"


@pytest.mark.parametrize(
    ("odd", "problem"),
    [
        (taken(time=-1), "value_rejected"),
        ("<domainsnapshot", "malformed_object"),
        ("<domain/>", "malformed_object"),
        (Failed("internal error"), "object_inaccessible"),
        (Refused("invalid argument"), "object_inaccessible"),
        (WrongState("operation invalid"), "object_inaccessible"),
        (Forbidden("no right"), "missing_right"),
        (Malformed("no answer"), "malformed_object"),
    ],
)
def test_a_snapshot_of_unknown_age_counts_and_its_siblings_keep_theirs(odd, problem):
    guests, problems = collected(WithSnapshots({"good": taken(), "odd": odd}), snapshots)
    found = {each.name: each.created_timestamp_seconds for each in guests["a"].snapshots}
    assert found == {"good": NOW - 60, "odd": None}
    ((name, (count, example)),) = problems.items()
    assert (name, count) == (problem, 1)
    assert example.startswith("guest 'a': ")


@pytest.mark.parametrize(
    ("parents", "depth"),
    [
        pytest.param({str(n): str(n - 1) for n in range(1000)}, 1000, id="1,000 deep"),
        pytest.param({"a": "b", "b": "c", "c": "a"}, 3, id="a cycle"),
        pytest.param({"a": "a"}, 1, id="its own parent"),
        pytest.param({"a": "nobody", "b": "a"}, 2, id="an unknown parent"),
    ],
)
def test_trees_of_any_form(parents, depth):
    guests, problems = collected(WithSnapshots({name: taken(parent) for name, parent in parents.items()}), snapshots)
    found = guests["a"].snapshots
    assert {each.id: each.parent_id for each in found} == parents
    assert (chain_depth(found), problems) == (depth, {})


@pytest.mark.parametrize(
    ("info", "accessible", "capacity", "free"),
    [
        pytest.param((2, 100, 60, 40), True, 100, 40, id="running"),
        pytest.param((3, 100, 60, 40), True, 100, 40, id="degraded"),
        pytest.param((0, 0, 0, 0), False, None, None, id="inactive"),
        pytest.param((1, 100, 60, 40), False, None, None, id="building"),
        pytest.param((4, 100, 60, 40), False, None, None, id="inaccessible"),
        pytest.param((99, 100, 60, 40), False, None, None, id="a state of the future"),
        pytest.param((-1, 100, 60, 40), False, None, None, id="a state of nobody"),
        pytest.param((2, 0, 0, 0), True, None, None, id="running and not measured (multipath)"),
        pytest.param((2, 100, 60, 140), True, 100, None, id="more free than there is"),
        pytest.param((2, 100, 60, -1), True, 100, None, id="free space unknown"),
        pytest.param((2, 2**64 - 1, 1, 2**63), True, 2**64 - 1, 2**63, id="as large as libvirt can write"),
    ],
)
def test_pools_in_any_state(info, accessible, capacity, free):
    found = storage(PoolFacts("u", "p", "dir"), info, promised=10)
    assert (found.accessible, found.capacity_bytes, found.free_bytes) == (accessible, capacity, free)
    assert found.provisioned_bytes == (None if free is None else capacity - free + 10)


def test_a_description_kept_from_before_outlives_one_that_is_no_xml():
    shape = Shape("xen", ("a",))
    here = around(shape)
    inventory.collect(here)
    shape.failing = {"xml": "<html>"}
    observation = inventory.collect(here)
    assert [(each.name, each.count) for each in observation.problems] == [("malformed_object", 1)]
    (guest,) = vitals.collect(here).guests
    assert (guest.described, len(guest.disks), len(guest.nics)) == (True, 3, 2)


@pytest.mark.parametrize(("xml", "orphans"), [({}, 1), ({"good": taken()}, 1), ({"odd": "<domainsnapshot"}, None)])
def test_an_overlay_is_nobodys_only_if_every_snapshot_could_be_read(xml, orphans):
    layers = "<source file='/top'/><backingStore><source file='/base'/><backingStore/></backingStore>"
    disk = f"<devices><disk type='file'>{layers}<target dev='vda'/></disk></devices>"
    here = around(WithSnapshots(xml, failing={"xml": domain(disk)}))
    inventory.collect(here)
    (guest,) = snapshots.collect(here).guests
    assert guest.orphaned_overlays == orphans


@pytest.mark.parametrize(("length", "kept"), [(248, True), (249, False), (4096, False)])
def test_a_tag_that_makes_the_label_too_long_is_left_out_as_a_whole(length, kept):
    title = "x" * length
    tags = describe(domain(f"<title>{title}</title>"), "guest", ["title"]).tags
    assert tags == (f",title={title}," if kept else "")
    assert len(tags) <= 256
