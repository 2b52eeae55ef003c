"""One host through the WinRM server: cost, counters that grow as they should, what is missing and what is hidden."""

import threading

import pytest

from collectors.hyperv.groups import files
from exporter.catalogue.family import INVENTORY, SNAPSHOTS, STORAGE, VITALS
from exporter.errors import AuthenticationFailed, CollectorError, Forbidden, TimedOut, Unreachable
from exporter.model import GuestState
from tests.backends.processes import until
from tests.backends.winrm import (
    BUILDS,
    Guest,
    WinRM,
    add_checkpoint,
    add_guest,
    cluster,
    remove_checkpoint,
    set_state,
    stand_alone,
)
from tests.backends.winrm.hosts import PERF
from tests.integration.hyperv_session import collect, guests, problems, session_of, shown, visit_of

GIB = 2.0**30
VP = PERF + "HvStats_HyperVHypervisorVirtualProcessor"
DEVICE = PERF + "Counters_HyperVVirtualStorageDevice"


def asked(server):
    return [each.class_name for each in server.asked if each.operation == "Enumerate"]


def test_vitals_of_a_hundred_guests_are_twelve_queries():
    with WinRM(stand_alone(guests=100)) as server, session_of(server) as session:
        collect(session)
        before = len(asked(server))
        seen = collect(session)
        assert len(seen.guests) == 100
        assert len(asked(server)) - before == 12
        assert server.open_enumerations == 0


def test_counters_grow_by_what_was_done():
    with WinRM(stand_alone(guests=3)) as server, visit_of(server) as visit:
        first = shown(visit)
        server.estate.clock.advance(30)
        second = shown(visit)
        grown = {key: second[key] - value for key, value in first.items() if key[0].endswith("_total")}
    host, guest, disk = ("HV-1",), ("guest-1",), ("guest-1", "SCSI 0:0")
    assert grown["hypervisor_guest_cpu_seconds_total", *guest] == pytest.approx(2 * 0.26 * 30)
    assert grown["hypervisor_guest_cpu_ready_seconds_total", *guest] == pytest.approx(2 * 0.005 * 30)
    assert grown["hypervisor_hyperv_guest_cpu_wait_dispatches_total", *guest] == 2 * 1000 * 30
    assert grown["hypervisor_host_cpu_busy_seconds_total", *host] == pytest.approx(16 * 0.21 * 30)
    assert grown["hypervisor_hyperv_host_root_cpu_seconds_total", *host] == pytest.approx(16 * 0.05 * 30)
    assert grown["hypervisor_guest_disk_read_bytes_total", *disk] == 30 * 2**20
    assert grown["hypervisor_guest_disk_reads_total", *disk] == 3000
    assert grown["hypervisor_guest_disk_writes_total", *disk] == 1500
    assert grown["hypervisor_guest_disk_errors_total", *disk] == 0
    received = [
        value for key, value in grown.items() if key[:2] == ("hypervisor_guest_network_receive_bytes_total", *guest)
    ]
    assert received == [125_000 * 30]
    assert second["hypervisor_guest_cpu_seconds_total", "guest-1"] == pytest.approx(2 * 1010 + 2 * 0.26 * 30)
    assert second["hypervisor_host_memory_available_bytes", *host] == 16 * GIB
    assert second["hypervisor_host_vcpus_allocated", *host] == 4
    # guest-1 is static with 2 GiB, guest-2 may grow to 8 GiB, guest-3 is off.
    assert second["hypervisor_host_memory_allocated_bytes", *host] == 10 * GIB
    assert ("hypervisor_guest_cpu_seconds_total", "guest-3") not in second


def test_counters_of_32_bits_go_on_when_they_wrap():
    with WinRM(stand_alone(guests=1)) as server, visit_of(server) as visit:
        device = server.estate.row(DEVICE, Name="D:-Guests-guest-1-disk0.vhdx")
        device["ReadCount"] = 2**32 - 10
        key = ("hypervisor_guest_disk_reads_total", "guest-1", "SCSI 0:0")
        assert shown(visit)[key] == 0
        device["ReadCount"] = 5
        assert shown(visit)[key] == 15


@pytest.mark.parametrize("build", BUILDS)
def test_every_build(build):
    with WinRM(stand_alone(build=build)) as server, session_of(server) as session:
        seen = [collect(session, group) for group in (INVENTORY, VITALS, STORAGE, SNAPSHOTS)]
        assert [(each.partial, each.problems) for each in seen] == [(False, ())] * 4
        assert str(build) in seen[1].hosts[0].product
        assert seen[1].guests[0].cpu.seconds is not None


def test_a_guest_that_restarts_never_falls():
    key = ("hypervisor_guest_cpu_seconds_total", "guest-1")
    with WinRM(stand_alone(guests=1)) as server, visit_of(server) as visit:
        guest = Guest("guest-1", server.estate.row("Msvm_ComputerSystem", ElementName="guest-1")["Name"])
        before = shown(visit)[key]
        for row in server.estate.rows(VP):
            row["PercentTotalRunTime"] = 5 * 10**7
        restarted = shown(visit)[key]
        for row in server.estate.rows(VP):
            row["PercentTotalRunTime"] = 8 * 10**7
        assert (restarted, shown(visit)[key]) == (before, before + 2 * 3)
        set_state(server.estate, guest, 3)
        assert key not in shown(visit)


def test_a_new_guest_and_a_new_checkpoint_are_known_at_once():
    with WinRM(stand_alone(guests=1)) as server, session_of(server) as session:
        collect(session)
        add_guest(server.estate, Guest("new", "ABABABAB-0000-0000-0000-000000000001", startup_mb=1024))
        new = guests(collect(session))["new"]
        assert new.memory.configured_bytes == GIB
        assert new.disks[0].read_bytes is not None


def test_a_disk_keeps_its_counter_over_a_checkpoint():
    key = ("hypervisor_guest_disk_read_bytes_total", "guest-1", "SCSI 0:0")
    with WinRM(stand_alone(guests=1)) as server, visit_of(server) as visit:
        before = shown(visit)[key]
        guest = Guest("guest-1", server.estate.row("Msvm_ComputerSystem", ElementName="guest-1")["Name"])
        add_checkpoint(server.estate, guest, "now", server.estate.clock.now())
        after = shown(visit)[key]
        server.estate.clock.advance(10)
        assert (after, shown(visit)[key]) == (before, before + 10 * 2**20)


def test_checkpoints_and_what_is_left_of_them():
    with WinRM(stand_alone(guests=2)) as server, visit_of(server) as visit:
        estate = server.estate
        guest = Guest("guest-1", estate.row("Msvm_ComputerSystem", ElementName="guest-1")["Name"])
        now = estate.clock.now()
        first = add_checkpoint(estate, guest, "first", now, overlay_bytes=3 * 2**30)
        second = add_checkpoint(estate, guest, "second", now, kind="backup", parent=first, overlay_bytes=2 * 2**30)
        shown(visit, INVENTORY), shown(visit, STORAGE)
        page = shown(visit, SNAPSHOTS)
        assert page["hypervisor_guest_snapshots", "guest-1"] == 2
        assert page["hypervisor_guest_backup_snapshots", "guest-1"] == 1
        assert page["hypervisor_guest_snapshot_chain_depth", "guest-1"] == 2
        assert page["hypervisor_guest_snapshots_size_bytes", "guest-1"] == 5 * GIB
        assert page["hypervisor_snapshot_size_bytes", "guest-1", "first"] == 3 * GIB
        assert page["hypervisor_snapshot_size_bytes", "guest-1", "second"] == 2 * GIB
        assert page["hypervisor_storage_snapshots_size_bytes", "D:"] == 5 * GIB
        assert page["hypervisor_guest_consolidation_needed", "guest-1"] == 0
        assert page["hypervisor_guest_snapshots", "guest-2"] == 0
        remove_checkpoint(estate, second), remove_checkpoint(estate, first)
        assert shown(visit, SNAPSHOTS)["hypervisor_guest_consolidation_needed", "guest-1"] == 1


def test_sizes_of_files_and_what_is_promised():
    with WinRM(stand_alone(guests=3)) as server, visit_of(server) as visit:
        shown(visit, INVENTORY)
        page = shown(visit, STORAGE)
        assert page["hypervisor_guest_disk_capacity_bytes", "guest-1", "SCSI 0:0"] == 40 * GIB
        assert page["hypervisor_guest_disk_allocated_bytes", "guest-1", "SCSI 0:0"] == 10 * GIB
        assert page["hypervisor_storage_capacity_bytes", "D:"] == 2000 * GIB
        # 1,400 GiB in use and three disks that may grow by 30 GiB each
        assert page["hypervisor_storage_provisioned_bytes", "D:"] == 1490 * GIB
        invoked = server.counts["Invoke"]
        shown(visit, STORAGE)
        assert server.counts["Invoke"] == invoked, "files are read every half hour"


def test_more_files_than_one_collection_reads_are_read_by_the_next_ones(monkeypatch):
    monkeypatch.setattr(files, "MOST", 2)
    with WinRM(stand_alone(guests=5)) as server, visit_of(server) as visit:
        shown(visit, INVENTORY)
        known = []
        for _ in range(4):
            page = shown(visit, STORAGE)
            told = {key[1] for key in page if key[0] == "hypervisor_guest_disk_capacity_bytes"}
            assert told >= set(known[-1] if known else ()), "what is known stays"
            known.append(told)
            promised = page.get(("hypervisor_storage_provisioned_bytes", "D:"))
            # 1,400 GiB in use and five disks that may grow by 30 GiB each: all of them, or none
            assert promised == (1550 * GIB if len(told) == 5 else None)
        assert [len(each) for each in known] == [2, 4, 5, 5]


def test_a_replica_is_counted_where_its_primary_runs_and_nowhere_else():
    """Both have one GUID, as on Windows."""
    counted = {}
    for role, mode, state in (("primary", 1, 2), ("replica", 2, 3)):
        estate = stand_alone(guests=2)
        guest = Guest("twin", "ABABABAB-0000-0000-0000-000000000002", folder="D:\\Twin")
        add_guest(estate, guest)
        set_state(estate, guest, state)
        estate.row("Msvm_ComputerSystem", Name=guest.guid)["ReplicationMode"] = mode
        with WinRM(estate) as server, session_of(server) as session:
            collect(session, INVENTORY)
            seen = collect(session)
        assert guests(seen)["twin"].role == role
        counted[role] = guests(seen)["twin"].id, sum(seen.hosts[0].allocation.guests.values())
    assert counted["primary"][0] == counted["replica"][0]
    assert (counted["primary"][1], counted["replica"][1]) == (3, 2)


# What is missing.


def test_a_class_that_is_refused_costs_what_it_tells_and_is_named():
    with WinRM(stand_alone()) as server, session_of(server) as session:
        collect(session)
        with server.misbehave("fault", name="provider_denied", class_name=VP):
            seen = collect(session)
            assert (seen.partial, problems(seen)) == (True, {"missing_right": 1})
            (right,) = session.missing_rights(_deadline())
        web = guests(seen)["guest-1"]
        assert (web.state, web.cpu.seconds, web.stats_complete) == (GuestState.RUNNING, None, False)
        assert web.memory.assigned_bytes == 2 * GIB
        assert "Performance Monitor Users" in str(right)


def test_a_namespace_that_is_refused_is_named_once_and_hosts_are_still_told():
    with WinRM(stand_alone()) as server, session_of(server) as session:
        server.misbehave("fault", name="access_denied", namespace="root/virtualization/v2")
        seen = collect(session)
        assert set(problems(seen)) == {"missing_right"}
        assert (len(seen.hosts), seen.guests) == (1, ())
        assert seen.hosts[0].cpu.busy_seconds is not None
        (right,) = session.missing_rights(_deadline())
        assert "Hyper-V Administrators" in right.right


def test_nothing_but_refusals_is_forbidden():
    refused = {"name": "access_denied", "operation": "Enumerate"}
    with WinRM(stand_alone()) as server, session_of(server) as session:
        server.misbehave("fault", **refused)
        with pytest.raises(Forbidden):
            collect(session)


def test_an_empty_answer_about_guests_that_run_is_a_blind_spot():
    with WinRM(stand_alone(guests=2)) as server, session_of(server) as session:
        collect(session)
        with server.misbehave("empty", namespace="root/virtualization/v2"):
            seen = collect(session)
            slow = collect(session, INVENTORY)
            (right,) = session.missing_rights(_deadline())
        assert problems(seen)["blind_spot"] == 2
        assert seen.partial
        assert seen.hosts[0].allocation.memory_bytes is None
        assert problems(slow)["blind_spot"] == 2
        assert "Hyper-V Administrators" in str(right)
        assert problems(collect(session)) == {}
        assert session.missing_rights(_deadline()) == []


def test_no_counters_of_guests_that_run_are_a_blind_spot_too():
    with WinRM(stand_alone(guests=2)) as server, session_of(server) as session:
        with server.misbehave("empty", class_name=PERF + "%"):
            seen = collect(session)
        assert problems(seen)["blind_spot"] == 2
        assert any("Performance Monitor Users" in each.example for each in seen.problems)


def test_one_guest_too_few_is_a_blind_spot_of_the_inventory():
    with WinRM(stand_alone(guests=3)) as server, session_of(server) as session:
        hidden = lambda row: row.get("ElementName") != "guest-2"  # noqa: E731
        with server.misbehave("rows", class_name="Msvm_ComputerSystem", keep=hidden):
            assert problems(collect(session, INVENTORY))["blind_spot"] == 1


def test_two_running_guests_of_one_name():
    with WinRM(stand_alone(guests=1)) as server, session_of(server) as session:
        add_guest(server.estate, Guest("guest-1", "ABABABAB-0000-0000-0000-000000000001", folder="D:\\Other"))
        seen = collect(session)
        assert problems(seen)["ambiguous_name"] == 2
        assert [(each.cpu.seconds, each.stats_complete) for each in seen.guests] == [(None, False)] * 2
        assert all(each.disks[0].read_bytes is not None for each in seen.guests)


def test_names_of_all_kinds():
    name = 'sql: "prod" (a\'b) \\ 😀:Hv VP 1'
    with WinRM(stand_alone(guests=0)) as server, session_of(server) as session:
        add_guest(server.estate, Guest(name, "ABABABAB-0000-0000-0000-000000000001", folder="D:\\odd"))
        (seen,) = collect(session).guests
        assert (seen.name, len(seen.cpu.seconds.values)) == (name, 2)


def test_waiting_that_cannot_be_is_withheld():
    with WinRM(stand_alone(guests=1)) as server, session_of(server) as session:
        collect(session)
        for row in server.estate.rows(VP):
            row["CPUWaitTimePerDispatch"] = 10**12
        seen = collect(session)
        assert problems(seen) == {"implausible_cpu_wait": 1}
        assert (seen.partial, seen.guests[0].cpu.ready_seconds) == (False, None)
        assert seen.guests[0].cpu.seconds is not None


def test_a_host_without_the_role_is_a_host_without_guests():
    estate = stand_alone()
    estate.absent_namespaces.add("root/virtualization/v2")
    with WinRM(estate) as server, session_of(server) as session:
        seen = collect(session)
        assert problems(seen)["role_absent"] == 1
        assert (len(seen.hosts), seen.guests) == (1, ())


def test_a_class_that_hangs_costs_itself_alone():
    with WinRM(stand_alone()) as server, session_of(server) as session:
        collect(session)
        with server.misbehave("hang", class_name=PERF + "Tcpip_NetworkAdapter"):
            seen = collect(session, seconds=12.0)
        assert problems(seen) == {"object_inaccessible": 1}
        assert (seen.partial, seen.hosts[0].nics) == (True, ())
        assert guests(seen)["guest-1"].cpu.seconds is not None


def test_a_call_that_hangs_is_unblocked():
    with WinRM(stand_alone()) as server, session_of(server) as session:
        collect(session)
        server.misbehave("hang")
        asked = len(server.asked)
        errors = []

        def hang():
            try:
                collect(session, seconds=60.0)
            except CollectorError as error:
                errors.append(error)

        call = threading.Thread(target=hang)
        call.start()
        until(lambda: len(server.asked) > asked, 20, "a question that hangs")
        session.unblock(INVENTORY)  # the other lane's
        session.unblock(VITALS)
        call.join(20)
        assert not call.is_alive()
        assert len(errors) == 1


def test_shared_volumes_without_a_cluster_are_a_blind_spot():
    with WinRM(cluster(nodes=1, guests=1)) as server, session_of(server) as session:
        server.misbehave("empty", namespace="root/MSCluster")
        seen = collect(session, STORAGE)
        assert problems(seen)["blind_spot"] == 2
        (right,) = session.missing_rights(_deadline())
        assert "Grant-ClusterAccess" in str(right)


def test_the_guests_own_word_is_told_where_it_is_wanted():
    with WinRM(stand_alone(guests=1)) as server:
        for wanted, told in ((False, ""), (True, "Windows Server 2022 Datacenter")):
            with session_of(server, guest_os=wanted) as session:
                assert collect(session).guests[0].os == told


def test_a_wmi_that_stalls_is_waited_for():
    stall = {"seconds": 2, "class_name": VP, "times": 1}
    with WinRM(stand_alone()) as server, session_of(server) as session, server.misbehave("stall", **stall):
        assert not collect(session).partial


@pytest.mark.parametrize(
    ("kind", "error", "seconds"), [("hang", TimedOut, 2.0), ("refuse", AuthenticationFailed, 20.0)]
)
def test_a_host_that_does_not_answer(kind, error, seconds):
    with WinRM(stand_alone()) as server, session_of(server) as session:
        server.misbehave(kind)
        with pytest.raises(error):
            collect(session, seconds=seconds)


def test_a_host_that_is_gone_and_back():
    with WinRM(stand_alone()) as server, session_of(server) as session:
        collect(session)
        server.sites[0].stop()
        with pytest.raises(Unreachable):
            collect(session)
        server.sites[0].start()
        assert not collect(session).partial


def test_the_clock_of_a_host_is_told_and_ages_are_measured_by_it():
    with WinRM(stand_alone()) as server, session_of(server) as session:
        server.estate.clock.skew_seconds = 3600
        seen = collect(session)
        assert seen.endpoint.clock_offset_seconds == pytest.approx(3600, abs=30)


def _deadline():
    from exporter.contract import Deadline

    return Deadline.after(5)
