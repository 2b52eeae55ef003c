"""Hosts, guests and clusters of a simulated vCenter through their changes, compared with what govc says of them."""

import pytest

from collectors.vsphere.client.lane import Lane
from collectors.vsphere.cluster_families import CLUSTER_FAMILIES
from exporter.catalogue.guest import FAMILIES
from exporter.model import GuestState, HostState
from exporter.normalise import normalise
from exporter.runtime.carry import Carry
from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_vitals_world import collecting, target_of

STANDALONE, CLUSTERED, OTHER = "DC0_H0_VM0", "DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1"
MIB = 1024**2


@pytest.fixture
def vcenter():
    with VCenter(*flags_of(hosts=2, machines=2)) as started:
        yield started


@pytest.fixture
def collected(vcenter):
    with collecting(vcenter) as made:
        made.vitals()
        yield made


def guest_reference(vcenter, name):
    return vcenter.references("m")[f"/DC0/vm/{name}"]


def host_reference(vcenter, name):
    return next(reference for path, reference in vcenter.references("h").items() if path.endswith(f"/{name}"))


def running(guest):
    (family,) = (family for family in FAMILIES if family.name == "hypervisor_guest_running")
    return family.value(guest)


def test_an_idle_estate_costs_four_small_calls(vcenter, collected):
    vcenter.calls()
    collected.vitals()
    assert vcenter.calls() == {"CurrentTime": 1, "WaitForUpdatesEx": 1, "RetrievePropertiesEx": 1, "QueryPerf": 1}


def test_everything_is_there_as_govc_has_it(vcenter, collected):
    for path in vcenter.references("m"):
        found = vcenter.collect(path, "name", "config.instanceUuid", "config.uuid", "summary.config.memorySizeMB")
        guest = collected.guest(found["name"])
        assert (guest.id, guest.bios_uuid) == (found["config.instanceUuid"], found["config.uuid"])
        assert guest.memory.configured_bytes == found["summary.config.memorySizeMB"] * MIB
        assert guest.state is GuestState.RUNNING
    assert len(collected.seen.guests) == len(vcenter.references("m"))
    assert {host.name for host in collected.seen.hosts} == {"DC0_H0", "DC0_C0_H0", "DC0_C0_H1"}
    assert collected.guest(STANDALONE).nics[0].network == "DC0_DVPG0"


def test_power_rename_move_clone_and_deletion_are_followed(vcenter, collected):
    before = {guest.name: guest.id for guest in collected.seen.guests}
    vcenter.govc("vm.power", "-off", f"/DC0/vm/{STANDALONE}")
    vcenter.govc("object.rename", f"/DC0/vm/{CLUSTERED}", "db%2fmain")
    target = "DC0_C0_H1" if collected.guest(OTHER).host == "DC0_C0_H0" else "DC0_C0_H0"
    vcenter.govc("vm.migrate", "-host", f"/DC0/host/DC0_C0/{target}", f"/DC0/vm/{OTHER}")
    vcenter.govc("vm.destroy", "/DC0/vm/DC0_H0_VM1")
    vcenter.govc("vm.clone", "-vm", f"/DC0/vm/{OTHER}", "-on=false", "-host", "/DC0/host/DC0_C0/DC0_C0_H0", "copy")
    collected.vitals()
    assert {guest.name for guest in collected.seen.guests} == {STANDALONE, "db/main", OTHER, "copy"}
    assert collected.guest(STANDALONE).state is GuestState.STOPPED
    assert collected.guest("db/main").id == before[CLUSTERED]
    assert (collected.guest(OTHER).host, collected.guest(OTHER).id) == (target, before[OTHER])
    assert collected.guest("copy").id not in before.values()
    assert not collected.seen.partial


def test_a_property_that_cannot_be_read_keeps_no_guest_that_is_deleted(vcenter, collected, monkeypatch):
    pruned = Lane.pruned

    def unreadable(lane, paths):
        more = {"VirtualMachine": ["config.nobodyMayKnow"]}
        return {kind: [*of_kind, *more.get(kind, ())] for kind, of_kind in pruned(lane, paths).items()}

    monkeypatch.setattr(Lane, "pruned", unreadable)  # the simulator refuses nobody anything: so it lists it as missing
    with collecting(vcenter) as limited:
        carry = Carry(ttl_seconds=600)
        carry.complete(limited.vitals(), 0)
        assert limited.problems() == {"object_inaccessible": 4}
        vcenter.govc("vm.destroy", f"/DC0/vm/{STANDALONE}")
        for group in ("vitals", "storage", "snapshots", "inventory"):
            seen = limited.session.collect(group, limited.deadline())
            assert not seen.partial
            assert {guest.name for guest in seen.guests} == {CLUSTERED, OTHER, "DC0_H0_VM1"}
        assert carry.complete(limited.vitals(), 1)[1] == 0


def test_a_value_that_is_unset_is_absent_from_then_on(vcenter, collected):
    reference = guest_reference(vcenter, STANDALONE)
    vcenter.set(reference, {"runtime.bootTime": "2026-01-02T03:04:05Z"})
    collected.vitals()
    assert collected.guest(STANDALONE).boot_timestamp_seconds == 1767323045
    vcenter.set(reference, {"runtime.bootTime": None})
    collected.vitals()
    assert collected.guest(STANDALONE).boot_timestamp_seconds is None


@pytest.mark.parametrize("state", ["orphaned", "inaccessible", "invalid", "disconnected"])
def test_a_guest_out_of_reach_is_listed_with_what_it_was(vcenter, collected, state):
    before = collected.guest(STANDALONE)
    vcenter.set(
        guest_reference(vcenter, STANDALONE),
        {
            "runtime.connectionState": state,
            "config": None,
            "summary.config.memorySizeMB": None,
            "name": "/vmfs/volumes/5f/x/x.vmx",
        },
    )
    collected.vitals()
    after = collected.guest(STANDALONE)
    assert (after.state, running(after), after.id, after.host) == (GuestState.UNKNOWN, None, before.id, before.host)
    assert after.memory.configured_bytes == before.memory.configured_bytes
    assert (after.memory.assigned_bytes, after.cpu.seconds, after.disks) == (None, None, ())
    host = next(h for h in normalise(collected.seen, target_of(vcenter)).observation.hosts if h.name == before.host)
    assert host.allocation.memory_bytes == 2 * before.memory.configured_bytes  # last known: it ran


def test_an_instance_uuid_that_is_not_told_is_the_last_known_or_the_reference(vcenter, collected):
    before = collected.guest(STANDALONE).id
    reference = guest_reference(vcenter, STANDALONE)
    vcenter.set(reference, {"config.instanceUuid": ""})
    collected.vitals()
    assert collected.guest(STANDALONE).id == before
    with collecting(vcenter) as fresh:
        fresh.vitals()
        assert fresh.guest(STANDALONE).id == f"moref:{reference.split(':')[1]}"


def test_of_two_guests_with_one_id_the_reachable_one_is_shown(vcenter, collected):
    shown = collected.guest(OTHER)
    vcenter.set(guest_reference(vcenter, STANDALONE), {"config.instanceUuid": shown.id.upper()})
    vcenter.set(guest_reference(vcenter, STANDALONE), {"runtime.connectionState": "orphaned"})
    normalised = normalise(collected.vitals(), target_of(vcenter))
    assert normalised.problems["duplicate_guest_id"] == 1
    (found,) = (guest for guest in normalised.observation.guests if guest.id == shown.id)
    assert found.name == OTHER


def test_a_template_is_no_running_guest_and_in_no_sum(vcenter, collected):
    vcenter.govc("vm.power", "-off", f"/DC0/vm/{STANDALONE}")
    vcenter.set(guest_reference(vcenter, STANDALONE), {"config.template": True})
    collected.vitals()
    guest = collected.guest(STANDALONE)
    assert (guest.kind, running(guest)) == ("template", None)
    host = next(h for h in normalise(collected.seen, target_of(vcenter)).observation.hosts if h.name == "DC0_H0")
    assert host.allocation.guests == {"running": 1, "stopped": 0}


def test_agents_of_vcenter_are_left_out_on_demand_and_count_in_sums(vcenter):
    managed = {"extensionKey": "com.vmware.vim.eam", "type": "cluster-agent"}
    vcenter.set(guest_reference(vcenter, STANDALONE), {"config.managedBy": managed})
    with collecting(vcenter) as shown, collecting(vcenter, system_guests=False) as hidden:
        normal, without = (normalise(each.vitals(), target_of(vcenter)).observation for each in (shown, hidden))
        assert shown.guest(STANDALONE).kind == "system"
        assert {guest.name for guest in shown.seen.guests} - {guest.name for guest in hidden.seen.guests} == {
            STANDALONE
        }
        assert [host.allocation for host in without.hosts] == [host.allocation for host in normal.hosts]
        assert STANDALONE not in {g.name for g in hidden.session.collect("inventory", hidden.deadline()).guests}


@pytest.mark.parametrize(
    ("identity", "text", "storage"),
    [
        ("msg.hbacommon.outofspace", "There is no more space for virtual disk web.vmdk.", True),
        ("msg.uuid.altered", "This virtual machine might have been moved or copied.", False),
    ],
)
def test_a_question_about_storage_is_an_io_error(vcenter, collected, identity, text, storage):
    assert collected.guest(STANDALONE).io_error is False
    question = {
        "id": "1",
        "text": f"{identity}: {text}",
        "choice": {
            "_typeName": "ChoiceOption",
            "choiceInfo": [{"_typeName": "ElementDescription", "label": "Retry", "summary": "Retry", "key": "0"}],
        },
        "message": [{"id": identity, "text": text}],
    }
    vcenter.set(guest_reference(vcenter, STANDALONE), {"runtime.question": question})
    collected.vitals()
    assert collected.guest(STANDALONE).io_error is storage
    vcenter.set(guest_reference(vcenter, STANDALONE), {"runtime.question": None})
    collected.vitals()
    assert collected.guest(STANDALONE).io_error is False


def test_limits_are_in_processors_of_the_host(vcenter):
    megahertz = vcenter.collect("/DC0/host/DC0_H0/DC0_H0", "summary.hardware.cpuMhz")["summary.hardware.cpuMhz"]
    vcenter.set(
        guest_reference(vcenter, STANDALONE),
        {
            "config.cpuAllocation": {"limit": megahertz * 3 // 2, "reservation": megahertz // 2},
            "config.memoryAllocation": {"limit": 512, "reservation": 256},
        },
    )
    with collecting(vcenter) as collected:
        collected.vitals()
        guest, other = collected.guest(STANDALONE), collected.guest(OTHER)
        assert (guest.cpu.limit_cpus, guest.cpu.reservation_cpus) == (1.5, 0.5)
        assert (guest.memory.limit_bytes, guest.memory.reservation_bytes) == (512 * MIB, 256 * MIB)
        assert (other.cpu.limit_cpus, other.memory.limit_bytes) == (None, None)  # -1 is no limit


def test_quick_statistics_are_mebibytes(vcenter, collected):
    vcenter.set(
        guest_reference(vcenter, STANDALONE),
        {
            "summary.quickStats.balloonedMemory": 8,
            "summary.quickStats.swappedMemory": 3,
            "summary.quickStats.hostMemoryUsage": 20,
            "summary.quickStats.guestMemoryUsage": 5,
        },
    )
    collected.vitals()
    memory = collected.guest(STANDALONE).memory
    assert (memory.ballooned_bytes, memory.assigned_bytes) == (8 * MIB, memory.configured_bytes - 8 * MIB)
    assert (memory.swapped_bytes, memory.host_used_bytes, memory.active_bytes) == (3 * MIB, 20 * MIB, 5 * MIB)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"runtime.connectionState": "disconnected"}, HostState.DISCONNECTED),
        ({"runtime.connectionState": "notResponding", "runtime.powerState": "unknown"}, HostState.NOT_RESPONDING),
        ({"runtime.connectionState": "notResponding", "runtime.powerState": "poweredOff"}, HostState.POWERED_OFF),
        ({"runtime.connectionState": "notResponding", "runtime.powerState": "standBy"}, HostState.STANDBY),
    ],
)
def test_a_host_out_of_reach_is_seen_and_its_guests_are_unknown(vcenter, collected, facts, state):
    before = collected.host("DC0_H0")
    vcenter.set(host_reference(vcenter, "DC0_H0"), facts)
    collected.vitals()
    host = collected.host("DC0_H0")
    assert (host.id, host.up, host.state) == (before.id, False, state)
    assert (host.memory.used_bytes, host.cpu.busy_seconds, host.nics, host.boot_timestamp_seconds) == (
        None,
        None,
        (),
        None,
    )
    assert host.memory.capacity_bytes == before.memory.capacity_bytes
    assert collected.guest(STANDALONE).state is GuestState.UNKNOWN
    assert collected.guest(OTHER).state is GuestState.RUNNING
    assert not collected.seen.partial


def test_a_cluster_is_what_its_summary_says_in_the_units_of_the_reference(vcenter, collected):
    ((path, reference),) = vcenter.references("c").items()
    summary = vcenter.collect(path, "summary")["summary"]
    # effectiveMemory is in MB, and totalMemory in bytes.
    changed = {"effectiveMemory": 8000, "effectiveCpu": 9000, "currentFailoverLevel": 1}
    vcenter.set(reference, {"summary": {"_typeName": "ClusterComputeResourceSummary", **summary, **changed}})
    setup = {
        "_typeName": "ClusterConfigInfoEx",
        "dasConfig": {"enabled": True, "admissionControlEnabled": True},
        "drsConfig": {"enabled": True, "defaultVmBehavior": "fullyAutomated"},
    }
    vcenter.set(reference, {"configurationEx": setup})
    vcenter.set(host_reference(vcenter, "DC0_C0_H1"), {"runtime.connectionState": "notResponding"})
    collected.vitals()
    found = collected.cluster("DC0_C0")
    about = vcenter.govc("about", "-json")
    assert found.id.endswith(f":{reference.split(':')[1]}")
    assert found.id.split(":")[0] in about
    assert (found.hosts, found.hosts_up) == (2, 1)
    assert (found.cpu_capacity_cpus, found.memory_capacity_bytes) == (summary["numCpuThreads"], summary["totalMemory"])
    assert (found.cpu_effective_hertz, found.memory_effective_bytes) == (9_000_000_000, 8000 * MIB)
    assert (found.ha, found.drs, found.ha_enabled, found.admission_control_enabled, found.failover_hosts) == (
        "on",
        "fullyAutomated",
        True,
        True,
        1,
    )
    assert (collected.host("DC0_C0_H0").compute_cluster_id, collected.host("DC0_H0").compute_cluster) == (found.id, "")


def test_what_guests_ask_of_a_cluster_is_in_base_units(vcenter, collected):
    ((path, reference),) = vcenter.references("c").items()
    summary = vcenter.collect(path, "summary")["summary"]
    told = {
        "usageSummary": {
            "_typeName": "ClusterUsageSummary",
            "totalCpuCapacityMhz": 40000,
            "totalMemCapacityMB": 65536,
            "statsGenNumber": 1,
            "cpuReservationMhz": 500,
            "memReservationMB": 1024,
            "cpuDemandMhz": 7200,
            "memDemandMB": 3072,
            "cpuEntitledMhz": 9000,
            "memEntitledMB": -1,
            "poweredOffVmCount": 1,
            "totalVmCount": 3,
            "poweredOffCpuReservationMhz": 0,
            "poweredOffMemReservationMB": 0,
        },
        "admissionControlInfo": {
            "_typeName": "ClusterFailoverResourcesAdmissionControlInfo",
            "currentCpuFailoverResourcesPercent": 87,
            "currentMemoryFailoverResourcesPercent": 45,
        },
        "numEffectiveHosts": 1,
        "drsScore": 93,
        "numVmotions": 12,
    }
    vcenter.set(reference, {"summary": {"_typeName": "ClusterComputeResourceSummary", **summary, **told}})
    cluster = collected.vitals().clusters[0]
    prefix = "hypervisor_vsphere_cluster_"
    found = {each.name.removeprefix(prefix): each.value(cluster) for each in CLUSTER_FAMILIES}
    assert found == {
        "cpu_demand_hertz": 7_200_000_000,
        "cpu_entitled_hertz": 9_000_000_000,
        "cpu_reservation_hertz": 500_000_000,
        "memory_demand_bytes": 3072 * MIB,
        "memory_entitled_bytes": None,  # -1
        "memory_reservation_bytes": 1024 * MIB,
        "failover_cpu_ratio": 0.87,
        "failover_memory_ratio": 0.45,
        "effective_hosts": 1,
        "drs_score_ratio": 0.93,
        "migrations_total": 12,
    }


def test_an_esxi_is_one_host_without_clusters():
    with VCenter("--esx", "--machines=2") as host, collecting(host) as collected:
        collected.vitals()
        collected.vitals()
        assert [each.name for each in collected.seen.hosts] == [path.rsplit("/", 1)[1] for path in host.references("h")]
        assert {guest.name for guest in collected.seen.guests} == {
            path.rsplit("/", 1)[1] for path in host.references("m")
        }
        assert (collected.seen.clusters, collected.problems()) == ((), {})
        assert {guest.compute_datacenter for guest in collected.seen.guests} == {"ha-datacenter"}
