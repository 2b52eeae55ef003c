"""Pools: identity across targets, numbers, and which disk lies where. Snapshots' descriptions."""

import pytest

from collectors.libvirt.mapping.description import DiskSource
from collectors.libvirt.mapping.disks import Place
from collectors.libvirt.mapping.snapshots import snapshot
from collectors.libvirt.mapping.storage import PoolFacts, place_of, pool_facts, storage
from exporter.errors import Malformed
from exporter.model import Snapshot, Storage

NFS = (
    "<source><host name='filer'/><dir path='/export/vms'/><format type='{format}'/></source>"
    "<target><path>/mnt/vms</path></target>"
)


@pytest.mark.parametrize(
    ("kind", "inner", "key", "shared"),
    [
        ("dir", "<target><path>/images</path></target>", "kvm-7/abcd", False),
        ("netfs", NFS.format(format="nfs"), "nfs:filer:/export/vms", True),
        ("netfs", NFS.format(format="auto"), "nfs:filer:/export/vms", True),
        ("netfs", NFS.format(format="cifs"), "cifs:filer:/export/vms", True),
        ("rbd", "<source><host name='b'/><host name='a'/><name>vms</name></source>", "rbd:a,b/vms", True),
        (
            "iscsi",
            "<source><host name='s'/><device path='iqn.2026-01.org:x'/></source>",
            "iscsi:iqn.2026-01.org:x",
            True,
        ),
        ("logical", "<source><name>vg</name></source><target><path>/dev/vg</path></target>", "kvm-7/abcd", False),
        ("scsi", "<source/>", "kvm-7/abcd", None),
    ],
)
def test_the_key_is_equal_wherever_the_same_storage_is_seen(kind, inner, key, shared):
    pool = pool_facts(f"<pool type='{kind}'><name>p</name>{inner}</pool>", "ABCD", "p", "kvm-7")
    assert (pool.key, pool.shared, pool.uuid) == (key, shared, "abcd")


@pytest.mark.parametrize(
    ("info", "accessible", "capacity", "free"),
    [
        pytest.param([2, 1000, 400, 600], True, 1000, 600, id="running"),
        pytest.param([3, 1000, 400, 600], True, 1000, 600, id="degraded"),
        pytest.param([0, 0, 0, 0], False, None, None, id="off: its zeros mean nothing"),
        pytest.param([4, 1000, 400, 600], False, None, None, id="inaccessible"),
        pytest.param([2, 1000, 2000, 2**64 - 1000], True, 1000, None, id="free space below zero, as a huge number"),
    ],
)
def test_pool_numbers(info, accessible, capacity, free):
    assert storage(PoolFacts("u", "p", "dir", key="t/u"), info) == Storage(
        id="u",
        name="p",
        backing="dir",
        shared=False,
        key="t/u",
        accessible=accessible,
        capacity_bytes=capacity,
        free_bytes=free,
    )


POOLS = (
    PoolFacts("1", "images", "dir", "/var/lib/libvirt/images"),
    PoolFacts("2", "fast", "dir", "/var/lib/libvirt/images/fast"),
    PoolFacts("3", "ceph", "rbd", source_name="vms"),
)


@pytest.mark.parametrize(
    ("source", "pool"),
    [
        (DiskSource("vda", "/var/lib/libvirt/images/a.qcow2"), Place("images", "1")),
        (DiskSource("vda", "/var/lib/libvirt/images/fast/a.qcow2"), Place("fast", "2")),
        (DiskSource("vda", "/var/lib/libvirt/images-old/a.qcow2"), Place()),
        (DiskSource("vda", "rbd:vms/a", kind="network"), Place("ceph", "3")),
        (DiskSource("vda", "rbd:vms2/a", kind="network"), Place()),
        (DiskSource("vda", "a.raw", kind="volume", pool="fast"), Place("fast", "2")),
        (DiskSource("vda", "/elsewhere/a"), Place()),
    ],
)
def test_the_nearest_pool_holds_a_disk(source, pool):
    assert place_of(source, POOLS) == pool


def test_a_snapshot():
    text = (
        "<domainsnapshot><name>b</name><state>disk-snapshot</state><parent><name>a &amp; o</name></parent>"
        "<creationTime>1760672900</creationTime><memory snapshot='no'/><domain><name>b</name></domain></domainsnapshot>"
    )
    assert snapshot(text, "b", current="b").snapshot == Snapshot(
        id="b",
        name="b",
        created_timestamp_seconds=1760672900.0,
        parent_id="a & o",
        memory=False,
        current=True,
        state="disk-snapshot",
    )


def test_a_snapshot_that_tells_nothing_is_known_by_name_only():
    assert snapshot("<domainsnapshot/>", "b", None).snapshot == Snapshot(id="b", name="b", current=False)


def test_a_snapshot_of_another_kind_is_malformed():
    with pytest.raises(Malformed, match="<domaincheckpoint>"):
        snapshot("<domaincheckpoint/>", "b", None)
