"""One guest from rows of text to the model; the expected numbers were worked out by hand."""

import dataclasses

import pytest

from collectors.hyperv.mapping.found import join
from collectors.hyperv.mapping.guest import Told, configured_memory, guest_vitals
from collectors.hyperv.mapping.settings import DiskFile, GuestSettings, NicSettings
from exporter.model import GuestState, Parts, Wrapping
from tests.unit.hyperv.world import HOST, SQL, WEB, answers, processor, system

DISK = DiskFile("SCSI 0:0", r"D:\web\disk0.vhdx")
ADAPTER = "dddddddd-0000-0000-0000-000000000009"
SETTINGS = {
    WEB: GuestSettings(
        name="web", is_guest=True, vcpus=2, cpu_limit=0.5, cpu_reservation=0.1, dynamic_memory=True,
        startup_bytes=2 * 2**30, minimum_bytes=2**30, maximum_bytes=8 * 2**30, bios_uuid="b", notes="prod, db\nprod",
        disks=(DISK,), nics=(NicSettings(ADAPTER, "00:15:5d:01:02:03", "External"),),
    )
}  # fmt: skip
RUNNING = {
    "COMPUTER_SYSTEMS": [system(WEB, "web")],
    "SUMMARIES": [{"Name": WEB.upper(), "NumberOfProcessors": "2", "MemoryUsage": "3072", "Heartbeat": "2"}],
    "VIRTUAL_PROCESSORS": [processor("web", 0, 15_000_000, 20_000, 7), processor("web", 1, 5_000_000, 30_000, 8)],
    "BALANCED_GUESTS": [{"Name": "web", "PhysicalMemory": "3072", "GuestVisiblePhysicalMemory": "3000",
                         "GuestAvailableMemory": "1000", "CurrentPressure": "80"}],
    "PARTITIONS": [{"Name": "web", "PhysicalPagesAllocated": "786432", "RemotePhysicalPages": "128"}],
    "STORAGE_DEVICES": [{"Name": "D:-web-disk0.vhdx", "ReadBytesPersec": "4096", "WriteBytesPersec": "512",
                         "ReadCount": "4294967290", "WriteCount": "7", "FlushCount": "3", "ErrorCount": "0"}],
    "NETWORK_ADAPTERS": [{"Name": f"web_Network Adapter_{WEB.upper()}--{ADAPTER.upper()}",
                          "BytesReceivedPersec": "100", "BytesSentPersec": "50", "PacketsReceivedPersec": "10",
                          "PacketsSentPersec": "5", "DroppedPacketsIncomingPersec": "1",
                          "DroppedPacketsOutgoingPersec": "2"}],
}  # fmt: skip


def guest(told=None, settings=SETTINGS, **changes):
    odd = []
    (found,) = join(answers(**{**RUNNING, **changes}), settings, odd).guests
    (made,) = guest_vitals([found], HOST, [told or Told()])
    assert odd == []
    assert found.odd == ()
    return made


def test_a_running_guest():
    web = guest()
    assert (web.id, web.name, web.native_id) == (WEB, "web", WEB.upper())
    assert (web.host, web.host_id) == ("HV-1", "host-uuid")
    assert (web.state, web.agent_up, web.io_error, web.migrating) == (GuestState.RUNNING, True, False, False)
    assert web.stats_complete is True
    assert (web.role, web.tags, web.saved) == ("primary", "", False)


def test_its_processors():
    cpu = guest().cpu
    assert cpu.vcpus == 2
    assert cpu.seconds == Parts({"host-uuid:0": 1.5, "host-uuid:1": 0.5})
    assert cpu.ready_seconds == Parts({"host-uuid:0": 0.002, "host-uuid:1": 0.003})
    assert (cpu.limit_cpus, cpu.reservation_cpus) == (1.0, 0.2)
    assert guest().extra["wait_raw"] == Parts({"host-uuid:0": 20_000, "host-uuid:1": 30_000})
    assert guest().extra["wait_dispatches"] == Parts({"host-uuid:0": 7, "host-uuid:1": 8})


def test_waiting_in_nanoseconds_and_waiting_that_cannot_be():
    assert guest(Told(wait_unit=1e-9)).cpu.ready_seconds == Parts({"host-uuid:0": 0.00002, "host-uuid:1": 0.00003})
    impossible = guest(Told(wait_plausible=False))
    assert impossible.cpu.ready_seconds is None
    assert impossible.extra["wait_raw"] is not None, "what Windows counts is told as it is"


def test_a_processor_that_is_missing_makes_the_sum_incomplete():
    cpu = guest(VIRTUAL_PROCESSORS=RUNNING["VIRTUAL_PROCESSORS"][:1]).cpu
    assert cpu.seconds == Parts({"host-uuid:0": 1.5}, complete=False)


def test_its_memory():
    memory = guest().memory
    assert memory.configured_bytes == 8 * 2**30
    assert memory.assigned_bytes == 3 * 2**30
    assert memory.host_used_bytes == 3 * 2**30
    assert memory.available_bytes == 1000 * 2**20
    assert memory.used_bytes == 2000 * 2**20
    assert memory.pressure_ratio == 0.8
    assert memory.demand_bytes == pytest.approx(0.8 * 3 * 2**30)
    assert (memory.limit_bytes, memory.reservation_bytes) == (8 * 2**30, 2**30)


def test_a_build_without_the_guests_own_word():
    row = {**RUNNING["BALANCED_GUESTS"][0]}
    del row["GuestAvailableMemory"]
    memory = guest(BALANCED_GUESTS=[row]).memory
    assert (memory.used_bytes, memory.available_bytes) == (None, None)


def test_static_memory_has_no_pressure():
    static = dataclasses.replace(SETTINGS[WEB], dynamic_memory=False)
    memory = guest(settings={WEB: static}).memory
    assert (memory.configured_bytes, memory.limit_bytes, memory.reservation_bytes) == (2 * 2**30,) * 3
    assert (memory.pressure_ratio, memory.demand_bytes) == (None, None)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(GuestSettings(), None, id="not read"),
        pytest.param(GuestSettings(dynamic_memory=False, startup_bytes=5.0), 5.0, id="static"),
        pytest.param(GuestSettings(dynamic_memory=True, maximum_bytes=2.0**40), 64 * 2**30, id="1 TB: the host's"),
        pytest.param(GuestSettings(dynamic_memory=True, maximum_bytes=2.0**30), 2**30, id="bounded"),
    ],
)
def test_configured_memory(settings, expected):
    assert configured_memory(settings, HOST) == expected


def test_its_disk():
    (disk,) = guest().disks
    part = "host-uuid:d:-web-disk0.vhdx"
    assert (disk.disk, disk.path) == ("SCSI 0:0", r"D:\web\disk0.vhdx")
    assert (disk.read_bytes, disk.written_bytes) == (Parts({part: 4096}), Parts({part: 512}))
    assert disk.reads == Wrapping({part: 4294967290}, bits=32)
    assert (disk.writes, disk.errors) == (Wrapping({part: 7}), Wrapping({part: 0}))
    assert (disk.read_seconds, disk.write_seconds) == (None, None), "the latency counter is never told"


def test_its_adapter():
    (nic,) = guest().nics
    part = f"host-uuid:{ADAPTER}"
    assert (nic.nic, nic.mac, nic.network) == (ADAPTER, "00:15:5d:01:02:03", "External")
    traffic = nic.traffic
    assert (traffic.receive_bytes, traffic.transmit_bytes) == (Parts({part: 100}), Parts({part: 50}))
    assert (traffic.receive_packets, traffic.transmit_packets) == (Parts({part: 10}), Parts({part: 5}))
    assert (traffic.receive_drops, traffic.transmit_drops) == (Parts({part: 1}), Parts({part: 2}))
    assert traffic.receive_errors is None


@pytest.mark.parametrize(
    ("code", "state", "has_counters"),
    [
        (2, GuestState.RUNNING, True),
        (3, GuestState.STOPPED, False),
        (4, GuestState.SHUTTING_DOWN, True),
        (9, GuestState.PAUSED, True),
        (10, GuestState.STARTING, True),
        (32768, GuestState.PAUSED, True),
        (32769, GuestState.SUSPENDED, False),
        (32770, GuestState.STARTING, True),
        (32773, GuestState.SHUTTING_DOWN, True),
        (32774, GuestState.SHUTTING_DOWN, True),
        (32776, GuestState.PAUSED, True),
        (32777, GuestState.STARTING, True),
        (6, GuestState.UNKNOWN, False),
    ],
)
def test_states(code, state, has_counters):
    web = guest(COMPUTER_SYSTEMS=[system(WEB, "web", code)])
    assert web.state is state
    assert web.saved is (state is GuestState.SUSPENDED)
    counters = (web.cpu.seconds, web.disks[0].read_bytes, web.nics[0].traffic.receive_bytes, web.memory.assigned_bytes)
    assert all((each is not None) is has_counters for each in counters)
    assert web.memory.configured_bytes == 8 * 2**30


@pytest.mark.parametrize(
    ("row", "io_error", "migrating", "operation"),
    [
        pytest.param({"OperationalStatus": ("2", "32774")}, False, True, "migrating", id="leaving"),
        pytest.param({"OperationalStatus": ("2", "32772")}, False, False, "merging_disks", id="merging"),
        pytest.param({"OperationalStatus": "5"}, True, False, None, id="its storage is nearly full"),
        pytest.param({"HealthState": "25", "EnabledState": "32768"}, True, False, None, id="paused for a full disk"),
        pytest.param({"OperationalStatus": None}, False, False, None, id="says nothing"),
    ],
)
def test_what_befalls_it(row, io_error, migrating, operation):
    web = guest(COMPUTER_SYSTEMS=[system(WEB, "web", **row)])
    assert (web.io_error, web.migrating) == (io_error, migrating)
    assert [key for key in web.extra if key.startswith("operation:")] == (
        [f"operation:{operation}"] if operation else []
    )


@pytest.mark.parametrize(
    ("mode", "role"), [(0, "primary"), (1, "primary"), (2, "replica"), (3, "test"), (4, "replica")]
)
def test_roles(mode, role):
    assert guest(COMPUTER_SYSTEMS=[system(WEB, "web", ReplicationMode=str(mode))]).role == role


@pytest.mark.parametrize(
    ("beat", "up"), [("2", True), ("3", True), ("12", False), ("13", False), ("15", None), (None, None)]
)
def test_heartbeat(beat, up):
    assert guest(SUMMARIES=[{"Name": WEB, "NumberOfProcessors": "2", "Heartbeat": beat}]).agent_up is up


def test_the_host_is_no_guest_however_it_is_called():
    own = {"Name": "HV-1", "ElementName": "HV-1", "Caption": "Hostcomputersystem", "EnabledState": "2"}
    assert guest(COMPUTER_SYSTEMS=[own, system(WEB, "web")]).id == WEB


def test_notes_are_tags_where_they_are_wanted():
    assert guest(Told(notes=True)).tags == ",db,prod,"


def test_two_running_guests_of_one_name_have_no_counters_by_name():
    odd = []
    rows = {**RUNNING, "COMPUTER_SYSTEMS": [system(WEB, "web"), system(SQL, "web")]}
    joined = join(answers(**rows), SETTINGS, odd)
    assert joined.ambiguous == {WEB, SQL}
    web, _ = guest_vitals(joined.guests, HOST, [Told(), Told()])
    assert (web.cpu.seconds, web.memory.pressure_ratio) == (None, None)
    assert web.memory.assigned_bytes == 3 * 2**30, "joined by its GUID"
    assert web.disks[0].read_bytes is not None, "joined by its path"


def test_a_guest_that_is_off_lends_its_name():
    rows = {**RUNNING, "COMPUTER_SYSTEMS": [system(WEB, "web"), system(SQL, "web", 3)]}
    joined = join(answers(**rows), SETTINGS, [])
    assert joined.ambiguous == frozenset()
    assert set(joined.guests[0].processors) == {"0", "1"}
    assert joined.guests[1].processors == {}


def test_a_file_that_two_guests_have_is_told_of_neither():
    rows = {**RUNNING, "COMPUTER_SYSTEMS": [system(WEB, "web"), system(SQL, "sql")]}
    both = {**SETTINGS, SQL: GuestSettings(disks=(DISK,))}
    assert [each.disks for each in join(answers(**rows), both, []).guests] == [{}, {}]


def test_instances_of_nobody_are_named():
    rows = {**RUNNING, "VIRTUAL_PROCESSORS": [processor("ghost", 0, 1)],
            "STORAGE_DEVICES": [{"Name": "D:-other.vhdx"}]}  # fmt: skip
    joined = join(answers(**rows), SETTINGS, [])
    assert (joined.unjoined, joined.unjoined_adapters) == (("ghost",), ())
    assert joined.unjoined_disks == ("D:-other.vhdx",)
