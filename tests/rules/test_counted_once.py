"""What several targets show counts once: hosts of a cluster, and snapshots on storage that is shared."""

import pytest

from tests.backends.need import need
from tests.rules.bench import Bench
from tests.rules.story import OF_STORAGE, World, labels_of, written

pytestmark = pytest.mark.backend
HEADROOM, OVERCOMMIT = "cluster:hypervisor_memory_n1_headroom:bytes", "cluster:hypervisor_memory_overcommit:ratio"
SIZE, GROWTH = "storage:hypervisor_snapshots_size:bytes", "storage:hypervisor_snapshots_growth:bytes_per_second6h"
IN = 'compute_cluster_id="<compute_cluster_id>"'


def seen(series, *, platform="vsphere", **names):
    """The series as a target of this name shows them, for an hour."""
    known = {**World(platform).names(), **names}
    return [{"series": written(key, labels_of(key, known)), "values": f"{value}x60"} for key, value in series.items()]


def hosts(name, *allocated):
    """Hosts of 100, all up, in a cluster that this target calls by its own name."""
    found = {}
    for number, memory in enumerate(allocated):
        of = f'host_id="{number}"'
        found |= {
            f'hypervisor_host_info{{{of},{IN},compute_cluster="{name}"}}': "1",
            f"hypervisor_host_up{{{of}}}": "1",
            f"hypervisor_host_memory_capacity_bytes{{{of}}}": "100",
            f"hypervisor_host_memory_allocated_bytes{{{of}}}": str(memory),
        }
    return found


def snapshots(size):
    return {**dict.fromkeys(OF_STORAGE, "1"), "hypervisor_storage_snapshots_size_bytes": f"{size}+60"}


def test_a_cluster_that_two_targets_watch_has_each_of_its_hosts_once(tmp_path):
    need(["promtool"])
    bench = Bench(tmp_path)
    both = seen(hosts("before", 50, 60, 70)) + seen(hosts("after", 50, 60, 70), target="the other")
    asked = [
        (f"sum({HEADROOM})", 20),  # 300 less 100 less 180
        (f"count({HEADROOM})", 1),
        (f"sum({OVERCOMMIT})", 0.6),
        (f'count(count_over_time({HEADROOM}{{platform="vsphere",compute_cluster=~"before|after"}}[30m]))', 1),
    ]
    bench.ask("twice", [HEADROOM, OVERCOMMIT], both, [(expr, 30, value) for expr, value in asked])
    assert bench.run() == {"twice": ""}


def test_clusters_of_two_platforms_with_one_id_are_two(tmp_path):
    need(["promtool"])
    bench = Bench(tmp_path)
    series = [
        each
        for platform in ("libvirt", "vsphere")
        for each in seen(hosts("c", 10, 10), platform=platform, compute_cluster_id="c")
    ]
    bench.ask("platforms", [HEADROOM], series, [(f"count({HEADROOM} == 80)", 30, 2)])
    assert bench.run() == {"platforms": ""}


@pytest.mark.parametrize(
    ("platform", "size", "growth"),
    [("libvirt", 700 + 2 * 60 * 30, 2.0), ("vsphere", 500 + 60 * 30, 1.0)],
    ids=["daemons that know their own guests", "endpoints that know all guests"],
)
def test_snapshots_on_storage_that_two_targets_see(tmp_path, platform, size, growth):
    need(["promtool"])
    bench = Bench(tmp_path)
    # The first target knows the storage under two ids, as two pools on one export are.
    series = (
        seen(snapshots(200), platform=platform)
        + seen(snapshots(200), platform=platform, storage_id="once more")
        + seen(snapshots(500), platform=platform, target="the other")
    )
    bench.ask("shared", [SIZE, GROWTH], series, [(f"sum({SIZE})", 30, size), (f"sum({GROWTH})", 30, growth)])
    assert bench.run() == {"shared": ""}
