"""One host from rows of text to the model; the expected numbers were worked out by hand."""

import dataclasses

import pytest

from collectors.hyperv.mapping.host import Standing, allocation, clock, host_facts, host_vitals, switches
from collectors.hyperv.mapping.settings import GuestSettings
from exporter.model import Guest, GuestCpu, GuestMemory, GuestState, HostState, Parts
from tests.unit.hyperv.world import answers

UUID = "4C4C4544-0046-3010-8054-B7C04F4A5131"
SLOW = {
    "COMPUTER": [{"Name": "HV-1", "Manufacturer": "Contoso", "Model": "Blade 7", "TotalPhysicalMemory": "68719476736"}],
    "PRODUCT": [{"UUID": UUID}],
    "PACKAGES": [{"DeviceID": f"CPU{n}", "Name": "Intel(R)  Xeon(R)   CPU", "NumberOfCores": "8",
                  "NumberOfLogicalProcessors": "16", "MaxClockSpeed": "2100"} for n in (0, 1)],
    "PHYSICAL_ADAPTERS": [{"Name": "Intel(R) X550 #2", "PNPDeviceID": "PCI\\VEN_8086"},
                          {"Name": "Hyper-V Virtual Ethernet Adapter", "PNPDeviceID": "ROOT\\VMS_MP\\0000"}],
}  # fmt: skip
FAST = {
    "OPERATING_SYSTEM": [{"Caption": "Microsoft Windows Server 2022 Datacenter", "Version": "10.0.20348",
                          "CSName": "HV-1", "FreePhysicalMemory": "1048576",
                          "LocalDateTime": "2026-01-02T03:04:05.5Z"}],
    "LOGICAL_PROCESSORS": [{"Name": "Hv LP 0", "PercentTotalRunTime": "100000000"},
                           {"Name": "Hv LP 1", "PercentTotalRunTime": "250000000"},
                           {"Name": "_Total", "PercentTotalRunTime": "350000000"}],
    "ROOT_PROCESSORS": [{"Name": "Root VP 0", "PercentTotalRunTime": "20000000"}],
    "BALANCER": [{"Name": "System Balancer", "AvailableMemory": "16384"}],
    "HOST_ADAPTERS": [
        {"Name": name, "BytesReceivedPersec": "1000", "BytesSentPersec": "500", "PacketsReceivedErrors": "1",
         "PacketsOutboundErrors": "2", "PacketsReceivedDiscarded": "3", "PacketsOutboundDiscarded": "4"}
        for name in ("Intel[R] X550 _2", "Hyper-V Virtual Ethernet Adapter")],
}  # fmt: skip


def host(standing=None, **changes):
    odd = []
    rows = answers(**{**SLOW, **FAST, **changes})
    facts = host_facts(rows, odd)
    made = host_vitals(facts, facts.id, rows, standing or Standing(), odd, boot=17.0)
    assert odd == []
    return made


def test_what_it_is():
    made = host()
    assert (made.id, made.name) == (UUID.lower(), "HV-1")
    assert (made.product, made.version) == ("Microsoft Windows Server 2022 Datacenter", "10.0.20348")
    assert (made.vendor, made.model, made.cpu_model) == ("Contoso", "Blade 7", "Intel(R) Xeon(R) CPU")
    assert (made.up, made.state, made.boot_timestamp_seconds) == (True, HostState.CONNECTED, 17.0)


@pytest.mark.parametrize(
    "uuid", ["00000000-0000-0000-0000-000000000000", "03000200-0400-0500-0006-000700080009", "", None]
)
def test_without_a_uuid_of_its_own_it_is_its_name(uuid):
    assert host(PRODUCT=[{"UUID": uuid}]).id == "hv-1"


def test_its_processors_are_the_hypervisors():
    cpu = host().cpu
    assert cpu.busy_seconds == Parts({"Hv LP 0": 10.0, "Hv LP 1": 25.0}), "the total is not added once more"
    assert (cpu.capacity_cpus, cpu.threads) == (2, 2)
    assert (cpu.sockets, cpu.cores, cpu.frequency_hertz) == (2, 16, 2.1e9)
    assert host().extra["root"] == Parts({"Root VP 0": 2.0})


def test_without_counters_the_packages_tell_the_capacity():
    made = host(LOGICAL_PROCESSORS=[])
    assert (made.cpu.capacity_cpus, made.cpu.busy_seconds) == (32, None)


def test_its_memory():
    memory = host().memory
    assert (memory.capacity_bytes, memory.available_bytes) == (64 * 2**30, 16 * 2**30)
    assert memory.used_bytes == 48 * 2**30
    assert host(BALANCER=[]).memory.available_bytes == 2**30, "FreePhysicalMemory, in KB"


def test_more_memory_than_there_is_makes_no_sense():
    odd = []
    rows = answers(**{**SLOW, **FAST, "BALANCER": [{"AvailableMemory": "70000"}]})
    made = host_vitals(host_facts(rows, odd), "h", rows, Standing(), odd, boot=None)
    assert (made.memory.available_bytes, made.memory.used_bytes) == (None, None)
    assert odd == ["73400320000 bytes of memory are available of 68719476736"]


def test_only_physical_adapters():
    (nic,) = host().nics
    traffic = nic.traffic
    assert nic.nic == "Intel[R] X550 _2"
    assert (traffic.receive_bytes, traffic.transmit_bytes) == (Parts({"": 1000}), Parts({"": 500}))
    assert (traffic.receive_errors, traffic.transmit_errors) == (Parts({"": 1}), Parts({"": 2}))
    assert (traffic.receive_drops, traffic.transmit_drops) == (Parts({"": 3}), Parts({"": 4}))


def test_its_clock():
    assert clock(answers(**FAST)) == 1767323045.5


def test_switches():
    rows = [{"Name": "External", "BytesReceivedPersec": "7", "BytesSentPersec": "8"}, {"Name": "_Total"}]
    assert switches(rows, []) == {"switch_in:External": Parts({"": 7}), "switch_out:External": Parts({"": 8})}


GIB = 2.0**30
STATIC = GuestSettings(dynamic_memory=False, startup_bytes=GIB)


def some(identity, state=GuestState.RUNNING, role="primary", configured=GIB, assigned=GIB):
    memory = GuestMemory(configured_bytes=configured, assigned_bytes=assigned)
    return Guest(identity, identity, state=state, role=role, cpu=GuestCpu(vcpus=2), memory=memory)


def test_what_is_promised():
    guests = [some("a"), some("b", GuestState.PAUSED), some("c", GuestState.STOPPED), some("d", GuestState.SUSPENDED)]
    made = allocation(guests, dict.fromkeys("abcd", STATIC), 64 * GIB)
    assert made.guests == {"paused": 1, "running": 1, "stopped": 1, "suspended": 1}
    assert (made.vcpus, made.memory_bytes, made.memory_assigned_bytes) == (4, 2 * GIB, 2 * GIB)


def test_a_replica_that_rests_is_its_primary_elsewhere():
    guests = [some("a"), some("r", GuestState.STOPPED, "replica"), some("t", GuestState.STOPPED, "test")]
    assert allocation(guests, {}, None).guests == {"running": 1, "stopped": 0}
    assert allocation([some("r", role="replica")], {}, None).guests == {"running": 1, "stopped": 0}, "failed over"


@pytest.mark.parametrize(("startup", "assigned", "counted"), [(2 * GIB, GIB, 2 * GIB), (GIB, 3 * GIB, 3 * GIB)])
def test_a_guest_without_a_bound_counts_what_it_starts_with_or_has(startup, assigned, counted):
    unbound = GuestSettings(dynamic_memory=True, startup_bytes=startup, maximum_bytes=1024 * GIB)
    guest = some("a", configured=64 * GIB, assigned=assigned)
    assert allocation([guest], {"a": unbound}, 64 * GIB).memory_bytes == counted
    bounded = dataclasses.replace(unbound, maximum_bytes=8 * GIB)
    guest = some("a", configured=8 * GIB, assigned=assigned)
    assert allocation([guest], {"a": bounded}, 64 * GIB).memory_bytes == 8 * GIB


def test_an_unknown_summand_makes_no_sum():
    made = allocation([some("a"), some("b", configured=None)], {}, None)
    assert (made.memory_bytes, made.memory_assigned_bytes) == (None, 2 * GIB)
