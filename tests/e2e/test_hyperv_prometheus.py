"""A real Prometheus watches a Hyper-V host and a cluster of 400 guests through the daemon: what is promised of totals,
checkpoints, hosts that end and counters, asked in PromQL."""

import time

import pytest

from tests.backends.daemon import Daemon, document
from tests.backends.need import need
from tests.backends.processes import until
from tests.backends.prometheus import BINARIES, Prometheus, scrape
from tests.backends.winrm import Ago, Counter, WinRM, add_checkpoint, cluster, stand_alone
from tests.backends.winrm.hosts import GIB, PERF, Hardware

DAY = 86_400
GUESTS = 400
FORGOTTEN_DAYS, LEFT_BEHIND_DAYS = 40, 3
SLOW = {"snapshots": "5s", "storage": "1m", "inventory": "1m"}
PROFILES = {"default": {"intervals": {"vitals": "2s", **SLOW}, "families": {"include": ["hypervisor_snapshot_*"]}}}
WRAPS_AFTER_SECONDS, READS_PER_SECOND = 30, 250
DEVICE = PERF + "Counters_HyperVVirtualStorageDevice"
LOGICAL = PERF + "HvStats_HyperVHypervisorLogicalProcessor"
VIRTUAL = PERF + "HvStats_HyperVHypervisorVirtualProcessor"
READS = 'hypervisor_guest_disk_reads_total{target="host",guest="guest-1"}'
COUNTERS = '{__name__=~"hypervisor_(guest|host)_.*_total",target="%s"}'
CLUSTER_GUESTS = 'count(hypervisor_guest_info{target="cluster"})'
TOTALS = {
    CLUSTER_GUESTS: GUESTS,
    # By the last digit of a guest's number: 3 is off, 7 is paused, 9 is saved, the seven others run.
    'sum(hypervisor_host_guests{target="cluster",state="running"})': 280,
    'sum(hypervisor_host_guests{target="cluster",state="stopped"})': 40,
    'sum(hypervisor_host_vcpus_allocated{target="cluster"})': 2 * 320,
    # 200 with dynamic memory up to 8 GiB; of the others 120 hold 2 GiB.
    'sum(hypervisor_host_memory_allocated_bytes{target="cluster"})': (200 * 8 + 120 * 2) * GIB,
}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def alone():
    """A host that has promised more than it has: 16 GiB, 4 cores, and 12 guests with 2 processors each."""
    estate = stand_alone(guests=12, hardware=Hardware(1, 4, 16 * GIB, 2 * GIB))
    estate.row(DEVICE, Name="D:-Guests-guest-1-disk0.vhdx")["ReadCount"] = Counter(
        2**32 - WRAPS_AFTER_SECONDS * READS_PER_SECOND, READS_PER_SECOND
    )
    estate.clock.run()
    with WinRM(estate) as server:
        yield server


@pytest.fixture(scope="module")
def estate():
    made = cluster(nodes=4, guests=GUESTS)
    for name, kind, days in (("guest-5", "user", FORGOTTEN_DAYS), ("guest-6", "backup", LEFT_BEHIND_DAYS)):
        guest = named(made, name)
        add_checkpoint(made.node(made.owner(guest)), guest, f"{name} {kind}", Ago(days * DAY), kind=kind)
    made.clock.run()
    return made


@pytest.fixture(scope="module")
def nodes(estate):
    with WinRM(estate) as server:
        yield server


@pytest.fixture(scope="module")
def daemon(alone, nodes):
    addresses = {site.name: site.host for site in nodes.sites}
    common = {"platform": "hyperv", "auth": "monitor"}
    targets = [
        {**common, "name": "host", "address": alone.url},
        {**common, "name": "cluster", "address": nodes.url, "options": {"node_addresses": addresses}},
    ]
    account = {"monitor": {"username": alone.user, "password": {"env": "THE_PASSWORD"}}}
    config = document(targets, auths=account, profiles=PROFILES)
    with Daemon(config, env={"THE_PASSWORD": alone.password}) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(daemon):
    need(BINARIES)
    with Prometheus([scrape("hyperv", daemon.address, scrape_interval="1s", scrape_timeout="1s")]) as started:
        started.wait_for(f'count(hypervisor_guest_info{{target="cluster"}}) == {GUESTS}', timeout_seconds=60)
        started.wait_for('count(hypervisor_guest_info{target="host"}) == 12', timeout_seconds=60)
        yield started


def named(made, name):
    return next(guest for guest in made.guests.values() if guest.name == name)


def one(prometheus, expression):
    ((_, value, _),) = prometheus.query(expression)
    return value


def collected(prometheus, target="cluster"):
    """Wait for a collection of vitals that began after this was called."""
    counted = f'sum(hypervisor_target_collections_total{{target="{target}",group="vitals"}})'
    before = one(prometheus, counted)
    prometheus.wait_for(f"{counted} >= {before + 2}", timeout_seconds=60)


def assert_steady_since(prometheus, begun, totals):
    """Every total has been the same at every moment, and was never absent."""
    end = time.time()
    for total, expected in totals.items():
        ((_, points),) = prometheus.query_range(total, begun, end, 1)
        assert {value for _, value in points} == {expected}, total
        assert len(points) >= int(end - begun), total


def assert_no_resets(prometheus, target, begun):
    window = f"{int(time.time() - begun) + 1}s"
    families = [labels["__name__"] for labels, _, _ in prometheus.query(f"count by (__name__) ({COUNTERS % target})")]
    assert len(families) > 10
    for family in families:
        fallen = prometheus.query(f'resets({family}{{target="{target}"}}[{window}]) > 0')
        assert not fallen, (family, fallen[:5])


def restarted(estate):
    """Let every counter of the host and of its guests' processors begin anew, as after a reboot."""
    with estate.lock:
        passed = estate.clock.elapsed
        for row in (*estate.rows(LOGICAL), *estate.rows(VIRTUAL), *estate.rows("Msvm_ComputerSystem")):
            for name, value in row.items():
                if isinstance(value, Counter):
                    row[name] = Counter(-int(value.per_second * passed), value.per_second)
        estate.row("Win32_OperatingSystem")["LastBootUpTime"] = estate.clock.now()


def test_totals_are_right_at_every_moment_of_a_migration(estate, prometheus):
    begun = time.time()
    guest = named(estate, "guest-1")
    placed = f'hypervisor_guest_info{{target="cluster",guest_id="{guest.guid.lower()}",host="%s"}}'
    seconds = f'hypervisor_guest_cpu_seconds_total{{target="cluster",guest_id="{guest.guid.lower()}"}}'
    prometheus.wait_for(placed % "HV-1")
    move = estate.migrate(guest, "HV-2")
    for step, node in ((move.planned, 1), (move.realised, 1), (move.owned, 2), (move.finish, 2)):
        step()
        collected(prometheus)
        prometheus.wait_for(placed % f"HV-{node}")
    assert_steady_since(prometheus, begun, TOTALS)
    assert_no_resets(prometheus, "cluster", begun)
    # Two processors at 26 %: what was counted on the way is not more than was run.
    passed = time.time() - begun
    assert 0 < one(prometheus, f"{seconds} - ({seconds} offset {int(passed) - 1}s)") <= 0.52 * (passed + 3)


def test_a_forgotten_checkpoint_and_one_that_a_backup_left_behind(prometheus):
    kinds = 'hypervisor_snapshot_info{target="cluster"}'
    prometheus.wait_for(f"count({kinds}) == 2", timeout_seconds=30)
    assert {labels["guest"]: labels["kind"] for labels, _, _ in prometheus.query(kinds)} == {
        "guest-5": "user",
        "guest-6": "backup",
    }
    ages = {
        labels["guest"]: value
        for labels, value, _ in prometheus.query(
            'time() - hypervisor_snapshot_created_timestamp_seconds{target="cluster"}'
        )
    }
    assert ages["guest-5"] == pytest.approx(FORGOTTEN_DAYS * DAY, abs=240)
    assert ages["guest-6"] == pytest.approx(LEFT_BEHIND_DAYS * DAY, abs=240)
    oldest_of_backups = "time() - hypervisor_guest_oldest_backup_snapshot_timestamp_seconds"
    ((labels, age, _),) = prometheus.query(oldest_of_backups)
    assert (labels["guest"], age) == ("guest-6", pytest.approx(LEFT_BEHIND_DAYS * DAY, abs=240))
    assert one(prometheus, 'count(hypervisor_guest_snapshots{target="cluster"} == 0)') == GUESTS - 2


def test_an_overcommitted_host_shows_by_how_much(prometheus):
    host = '{target="host"}'
    memory = f"hypervisor_host_memory_allocated_bytes{host} / hypervisor_host_memory_capacity_bytes{host}"
    # Six may grow to 8 GiB, four hold 2 GiB, one is off and one is saved.
    assert one(prometheus, memory) == (6 * 8 + 4 * 2) / 16
    assert one(prometheus, f"hypervisor_host_vcpus_allocated{host} / hypervisor_host_cpu_cores{host}") == 20 / 4


def test_counters_of_32_bits_never_fall(alone, prometheus):
    until(lambda: alone.estate.clock.elapsed > WRAPS_AFTER_SECONDS + 2, 90, "counter of 32 bits that has wrapped")
    collected(prometheus, "host")
    ((_, points),) = prometheus.query_range(READS, time.time() - 120, time.time(), 1)
    values = [value for _, value in points]
    assert values == sorted(values)
    # Each point is as old as the collection that it is from.
    assert values[-1] - values[0] == pytest.approx(READS_PER_SECOND * (points[-1][0] - points[0][0]), abs=2_000)


def test_a_host_that_is_switched_off_costs_its_own_series_and_comes_back(alone, prometheus):
    begun = time.time()
    busy = 'hypervisor_host_cpu_busy_seconds_total{target="host"}'
    before = one(prometheus, busy)
    alone.sites[0].stop()
    prometheus.wait_for('hypervisor_target_up{target="host"} == 0', timeout_seconds=30)
    prometheus.wait_for(f"absent({busy})", timeout_seconds=40)
    restarted(alone.estate)
    alone.sites[0].start()
    prometheus.wait_for('hypervisor_target_up{target="host"} == 1', timeout_seconds=100)
    prometheus.wait_for(f"{busy} > {before}", timeout_seconds=30)
    collected(prometheus, "host")
    assert_no_resets(prometheus, "host", begun)
    passed = time.time() - begun
    assert one(prometheus, busy) - before <= 8 * 0.21 * (passed + 3)
    assert_steady_since(prometheus, begun, TOTALS)


def test_the_guests_of_a_node_that_dies_are_counted_once_where_they_run_next(estate, nodes, daemon, prometheus):
    begun = time.time()
    nodes.node("HV-4").stop()
    collected(prometheus)
    with estate.nodes[0].lock:
        estate.row("MSCluster_Node", Name="HV-4")["State"] = 1
        for guest in [each for each in estate.guests.values() if estate.owner(each) == "HV-4"]:
            estate.migrate(guest, "HV-3").finish()
    prometheus.wait_for('count(hypervisor_guest_info{host="HV-3",target="cluster"}) == 200', timeout_seconds=60)
    up = {labels["host"]: value for labels, value, _ in prometheus.query('hypervisor_host_up{target="cluster"}')}
    assert up == {"HV-1": 1, "HV-2": 1, "HV-3": 1, "HV-4": 0}
    assert_steady_since(prometheus, begun, {CLUSTER_GUESTS: GUESTS})
    assert_no_resets(prometheus, "cluster", begun)
    assert "level=error" not in daemon.log()
    assert "Traceback" not in daemon.log()
