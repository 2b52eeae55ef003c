"""A failover cluster of real connections: every guest once at every moment, nodes that are down, slow, gone or full."""

import threading
import time

import pytest

from exporter.catalogue.family import INVENTORY, SNAPSHOTS, STORAGE, VITALS
from exporter.errors import AuthenticationFailed, Unreachable
from exporter.model import HostState, Wrapping
from tests.backends.winrm import Cluster, WinRM, cluster
from tests.integration.hyperv_session import collect, guests, problems, session_of, shown, visit_of

GIB = 2.0**30
CLUSTER_ID = "hvc-1.lab.example"
RUNNING_OF_400, OFF_OF_400 = 280, 40
"""By the last digit of a guest's number: 3 is off, 7 is paused, 9 is saved, the seven others run."""


@pytest.fixture(scope="module")
def large():
    made = cluster(nodes=4, guests=400)
    with WinRM(made) as server, session_of(server) as session:
        yield made, server, session


def totals(seen):
    """Guests by state, virtual processors and promised memory over all hosts."""
    states = {}
    for host in seen.hosts:
        for state, count in host.allocation.guests.items():
            states[state] = states.get(state, 0) + count
    return (
        states,
        sum(host.allocation.vcpus for host in seen.hosts),
        sum(host.allocation.memory_bytes for host in seen.hosts),
    )


def test_totals_hold_at_every_moment_of_a_migration(large):
    made, _, session = large
    guest = next(each for each in made.guests.values() if each.name == "guest-1")
    expected = {"paused": 40, "running": RUNNING_OF_400, "stopped": OFF_OF_400, "suspended": 40}

    def check(node):
        seen = collect(session)
        assert (seen.partial, seen.problems) == (False, ())
        assert len(seen.guests) == len({each.id for each in seen.guests}) == 400
        states, vcpus, memory = totals(seen)
        assert states == expected
        assert vcpus == 2 * 320
        # Even numbers (0, 2, 4, 6, 8: 200) are dynamic, up to 8 GiB; odd ones that hold memory (1, 5, 7: 120) have 2.
        assert memory == (200 * 8 + 120 * 2) * GIB
        assert guests(seen)["guest-1"].host == node
        return guests(seen)["guest-1"]

    check("HV-1")
    move = made.migrate(guest, "HV-2")
    move.planned()
    assert check("HV-1").migrating is True
    move.realised()
    check("HV-1")
    move.owned()
    assert check("HV-2").migrating is False
    move.finish()
    check("HV-2")


def test_a_migration_moves_no_counter_back():
    made = cluster(nodes=2, guests=2)
    guest = next(each for each in made.guests.values() if each.name == "guest-1")
    key = ("hypervisor_guest_cpu_seconds_total", "guest-1")
    with WinRM(made) as server, visit_of(server) as visit:
        values = [shown(visit)[key]]
        move = made.migrate(guest, "HV-2")
        for step in (move.planned, move.realised, move.owned, move.finish):
            step()
            made.clock.advance(10)
            values.append(shown(visit)[key])
        made.clock.advance(10)
        values.append(shown(visit)[key])
    # 2 x 0.26 s of each second; the move itself is not counted, nor is anything twice.
    assert values == sorted(values)
    assert values[-1] - values[-2] == pytest.approx(5.2)
    assert values[-1] - values[0] <= 5 * 5.2 + 0.001


def test_the_cluster_itself(large):
    _, _, session = large
    (made,) = collect(session).clusters
    assert (made.id, made.name, made.hosts, made.hosts_up, made.quorate) == (CLUSTER_ID, "HVC-1", 4, 4, True)
    assert (made.cpu_capacity_cpus, made.memory_capacity_bytes) == (4 * 16, 4 * 64 * GIB)
    # 400 roles and the cluster's own group
    assert made.extra["groups:online"] == 401
    seen = collect(session)
    assert {host.compute_cluster_id for host in seen.hosts} == {CLUSTER_ID}
    assert {guest.compute_cluster for guest in seen.guests} == {"HVC-1"}


def test_shared_volumes_are_there_once(large):
    _, _, session = large
    collect(session, INVENTORY)
    seen = collect(session, STORAGE)
    shared = {each.name: each for each in seen.storages if each.shared}
    assert sorted(shared) == ["Volume1", "Volume2"]
    first = shared["Volume1"]
    assert (first.capacity_bytes, first.free_bytes) == (10 * 2.0**40, 4 * 2.0**40)
    assert (first.accessible, first.hosts, first.hosts_accessible, first.key) == (True, 4, 4, first.id)
    assert set(first.extra["read"].values) == {"hv-1", "hv-2", "hv-3", "hv-4"}
    local = sorted(each.name for each in seen.storages if not each.shared)
    assert local == sorted(f"HV-{n} {letter}:" for n in (1, 2, 3, 4) for letter in "CD")


def test_checkpoints_of_all_nodes(large):
    _, _, session = large
    seen = collect(session, SNAPSHOTS)
    assert (len(seen.guests), seen.partial) == (400, False)


def test_at_most_eight_threads_that_end_with_the_call():
    made = cluster(nodes=12, guests=12)
    with WinRM(made) as server, session_of(server) as session:
        collect(session)
        for site in server.sites:
            site.misbehave("stall", seconds=0.1, class_name="Msvm_ComputerSystem")
        most, over = [0], threading.Event()

        def watch():
            while not over.is_set():
                names = [thread.name for thread in threading.enumerate()]
                most[0] = max(most[0], sum(name.startswith("hyperv-") for name in names))
                time.sleep(0.001)

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(3):
            assert len(collect(session).hosts) == 12
        over.set()
        watcher.join()
        assert 2 <= most[0] <= 8
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("hyperv-")]


def test_a_node_that_is_down_is_not_contacted_and_its_guests_are_elsewhere():
    made: Cluster = cluster(nodes=3, guests=6)
    with WinRM(made) as server, session_of(server) as session:
        before = {host.name: host.id for host in collect(session).hosts}
        made.row("MSCluster_Node", Name="HV-3")["State"] = 1
        for guest in list(made.guests.values()):
            if made.owner(guest) == "HV-3":
                made.migrate(guest, "HV-1").finish()
        site = server.node("HV-3")
        asked = len(site.asked)
        seen = collect(session)
        hosts = {host.name: host for host in seen.hosts}
        assert (hosts["HV-3"].up, hosts["HV-3"].state) == (False, HostState.DISCONNECTED)
        assert {name: host.id for name, host in hosts.items()} == before
        assert len(site.asked) == asked
        assert (len(seen.guests), seen.partial) == (6, False)
        assert (seen.clusters[0].hosts, seen.clusters[0].hosts_up) == (3, 2)
        assert seen.clusters[0].cpu_capacity_cpus == 32


def test_a_node_never_reached_has_no_series_but_is_counted():
    made = cluster(nodes=2, guests=2)
    made.row("MSCluster_Node", Name="HV-2")["State"] = 1
    with WinRM(made) as server, session_of(server) as session:
        seen = collect(session)
        assert [host.name for host in seen.hosts] == ["HV-1"]
        assert (seen.clusters[0].hosts, seen.clusters[0].hosts_up) == (2, 1)


def test_a_node_that_is_gone_costs_its_own_guests_which_are_carried_over():
    made = cluster(nodes=2, guests=4)
    with WinRM(made) as server, visit_of(server) as visit:
        first = shown(visit)
        server.node("HV-2").stop()
        collected = visit.collect(VITALS, 20)
        seen = collected.observation
        assert (seen.partial, problems(seen)) == (True, {"node_unread": 1})
        (gone,) = [host for host in seen.hosts if host.name == "HV-2"]
        assert (gone.up, gone.state) == (False, HostState.NOT_RESPONDING)
        states = {
            sample.labels["guest"] for sample in collected.samples if sample.family.name == "hypervisor_guest_state"
        }
        assert states == {f"guest-{number}" for number in (1, 2, 3, 4)}
        assert ("hypervisor_host_up", "HV-2") in first
        up = {s.labels["host"]: s.value for s in collected.samples if s.family.name == "hypervisor_host_up"}
        assert up == {"HV-1": 1, "HV-2": 0}
        server.node("HV-2").start()


def test_a_node_that_hangs_does_not_hold_up_the_others():
    made = cluster(nodes=3, guests=6)
    with WinRM(made) as server, session_of(server) as session:
        collect(session)
        with server.node("HV-3").misbehave("hang"):
            began = time.monotonic()
            seen = collect(session, seconds=8)
            assert time.monotonic() - began < 8
        assert problems(seen) == {"node_unread": 1}
        assert {guest.host for guest in seen.guests} == {"HV-1", "HV-2"}


def test_a_node_that_has_failed_is_left_alone_for_a_while(monkeypatch):
    monkeypatch.setattr("collectors.hyperv.reach.random.uniform", lambda _low, high: high)
    made = cluster(nodes=2, guests=2)
    with WinRM(made) as server, session_of(server) as session:
        collect(session)
        with server.node("HV-2").misbehave("status", code=503, body=""):
            collect(session)
            asked = len(server.node("HV-2").requests)
            seen = collect(session)
        assert len(server.node("HV-2").requests) == asked
        assert "left alone" in next(each.example for each in seen.problems if each.name == "node_unread")


def test_the_entrance_may_be_gone():
    made = cluster(nodes=3, guests=3)
    with WinRM(made) as server, session_of(server) as session:
        collect(session)
        server.node("HV-1").stop()
        seen = collect(session)
        assert problems(seen) == {"node_unread": 1}
        assert (seen.clusters[0].quorate, seen.clusters[0].hosts) == (True, 3)


def test_all_nodes_gone_is_unreachable_and_back_again():
    made = cluster(nodes=2, guests=2)
    with WinRM(made) as server, session_of(server) as session:
        collect(session)
        for site in server.sites:
            site.stop()
        with pytest.raises(Unreachable):
            collect(session)
        for site in server.sites:
            site.start()
        assert len(collect(session).guests) == 2


def test_a_cluster_without_quorum_says_so():
    made = cluster(nodes=2, guests=2)
    with WinRM(made) as server, session_of(server) as session:
        collect(session)
        for site in server.sites:
            site.misbehave("fault", name="internal", namespace="root/MSCluster")
        seen = collect(session)
        assert seen.clusters[0].quorate is False
        assert len(seen.guests) == 2, "the hosts still tell of their guests"


def test_refused_credentials_are_refused_by_the_whole_cluster():
    with WinRM(cluster(nodes=3, guests=3)) as server, session_of(server) as session:
        server.password = "changed"
        with pytest.raises(AuthenticationFailed):
            collect(session)
        assert sum(site.counts["refused"] for site in server.sites) <= 2


def test_a_node_in_maintenance():
    made = cluster(nodes=2, guests=2)
    made.row("MSCluster_Node", Name="HV-2").update(State=2, NodeDrainStatus=2)
    with WinRM(made) as server, session_of(server) as session:
        hosts = {host.name: host for host in collect(session).hosts}
        assert (hosts["HV-1"].maintenance_mode, hosts["HV-1"].state) == (False, HostState.CONNECTED)
        assert (hosts["HV-2"].maintenance_mode, hosts["HV-2"].state) == (True, HostState.MAINTENANCE)


def test_vms_without_an_id_in_the_cluster_are_found_by_name():
    made = cluster(nodes=2, guests=2)
    for row in made.nodes[0].instances["MSCluster_Resource"]:
        row.pop("PrivateProperties", None)
    guest = next(each for each in made.guests.values() if each.name == "guest-1")
    with WinRM(made) as server, session_of(server) as session:
        move = made.migrate(guest, "HV-2")
        move.realised()
        assert guests(collect(session))["guest-1"].host == "HV-1"
        move.owned()
        seen = guests(collect(session))["guest-1"]
        assert seen.host == "HV-2"
        assert isinstance(seen.disks[0].reads, Wrapping)


def test_a_shared_volume_in_trouble():
    made = cluster(nodes=2, guests=2)
    made.row("MSCluster_ClusterSharedVolume", Name="C:\\ClusterStorage\\Volume1")["FaultState"] = 1
    made.row("MSCluster_ClusterSharedVolume", Name="C:\\ClusterStorage\\Volume2")["FaultState"] = 8
    with WinRM(made) as server, visit_of(server) as visit:
        shown(visit)
        page = shown(visit, STORAGE)
        assert page["hypervisor_hyperv_csv_no_direct_io", "Volume1"] == 1
        assert page["hypervisor_storage_accessible", "Volume1"] == 1
        assert page["hypervisor_storage_accessible", "Volume2"] == 0
        made.clock.advance(10)
        again = shown(visit, STORAGE)
        key = ("hypervisor_hyperv_csv_redirected_bytes_total", "Volume1", "read")
        # 1,000 bytes a second on each of two nodes
        assert again[key] - page[key] == 20_000
