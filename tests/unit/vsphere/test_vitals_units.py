"""Unit traps of vSphere: each row can be checked with a calculator. Samples stand for 20 seconds each."""

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.performance import Columns, Metric, Sampled, Window, parse
from collectors.vsphere.families import FAMILIES
from collectors.vsphere.mapping.cluster import cluster_vitals
from collectors.vsphere.mapping.counters import COUNTERS, Readings, metrics_of
from collectors.vsphere.mapping.devices import Devices
from collectors.vsphere.mapping.guest import guest_kind, guest_state, io_error
from collectors.vsphere.mapping.host import HostView, host_ids, host_state, host_vitals
from collectors.vsphere.mapping.paths import GUEST, HOST
from collectors.vsphere.mapping.places import Places, network_names
from collectors.vsphere.mapping.tools import agent_up, version_of
from exporter.catalogue.family import VITALS, Entity
from exporter.model import GuestState, HostState
from exporter.runtime.ledger import Ledger

VM, ESX = Ref(GUEST, "vm-1"), Ref(HOST, "host-1")
IDS = {each.name: number for kind in COUNTERS for number, each in enumerate(COUNTERS[kind].values(), 1000)}
IDS = {name: number for number, name in enumerate(sorted(IDS), 1)}


def readings(kind, values, *, interval=20.0, at=(100.0, 120.0), ids=IDS):
    """Samples of an object by counter's name and instance, as they come at these instants."""
    columns = Columns(tuple(Metric(ids[name], instance) for name, instance in values))
    texts = [",".join("-1" if number is None else str(number) for number in of_one) for of_one in values.values()]
    return Readings(kind, ids, Sampled(Ref(kind, "x"), Window(at, interval), columns, texts))


def counted(samples):
    """What a counter grows by from the first of two samples to the second: the ledger's own arithmetic."""
    ledger = Ledger()
    first = type(samples)(samples.timestamps[:1], {"": samples.series[""][:1]}, samples.interval_seconds)
    ledger.settle("x_total", ["x"], [first])
    return ledger.settle("x_total", ["x"], [samples])[0]


@pytest.mark.parametrize(
    ("kind", "word", "instance", "value", "grows"),
    [
        pytest.param(GUEST, "cpu", "", 30_000, 30.0, id="a summation is ms of the sample, of all virtual CPUs"),
        pytest.param(GUEST, "ready", "", 500, 0.5, id="ready in ms"),
        pytest.param(GUEST, "costop", "", 20, 0.02, id="co-stop in ms"),
        pytest.param(GUEST, "swap_in", "", 3, 3 * 1024 * 20.0, id="KB/s: 1,024 bytes in each of 20 s"),
        pytest.param(GUEST, "disk_written", "scsi0:0", 1, 20_480.0, id="a disk's KB/s"),
        pytest.param(GUEST, "disk_reads", "scsi0:0", 7, 140.0, id="operations per second"),
        pytest.param(GUEST, "received", "4000", 2, 40_960.0, id="an adapter's KB/s"),
        pytest.param(GUEST, "received_packets", "4000", 90, 90.0, id="packets of the sample, not per second"),
        pytest.param(HOST, "energy", "", 4_000, 4_000.0, id="joules of the sample"),
        pytest.param(HOST, "power", "", 150, 3_000.0, id="watts"),
        pytest.param(HOST, "received_errors", "vmnic0", 3, 3.0, id="errors of the sample"),
    ],
)
def test_a_sample_adds_what_its_unit_says(kind, word, instance, value, grows):
    name = COUNTERS[kind][word].name
    found = readings(kind, {(name, instance): (1, value)}).rate(word, instance)
    assert counted(found) == pytest.approx(grows)


def test_percent_are_hundredths_of_all_threads():
    host = readings(HOST, {("cpu.utilization.average", ""): (0, 2_500)})
    # 25 % of 8 threads for 20 s.
    assert counted(host.scaled("utilization", 8 / 10_000)) == pytest.approx(40.0)


def test_the_time_of_operations_is_their_number_times_microseconds():
    found = readings(
        GUEST,
        {
            ("virtualDisk.numberReadAveraged.average", "scsi0:0"): (0, 50),
            ("virtualDisk.readLatencyUS.latest", "scsi0:0"): (0, 400),
        },
    ).time("disk_reads", "disk_read_latency", "scsi0:0")
    assert counted(found) == pytest.approx(50 * 20 * 400e-6)


def test_the_length_of_a_sample_is_that_of_the_answer():
    found = readings(GUEST, {("cpu.ready.summation", ""): (0, 300)}, interval=60.0, at=(60.0, 120.0)).rate("ready")
    assert (found.interval_seconds, counted(found)) == (60.0, pytest.approx(0.3))


def test_gauges_of_hosts_are_kilobytes_and_milliseconds():
    host = readings(
        HOST,
        {
            ("mem.swapused.average", ""): (9, 5),
            ("mem.vmmemctl.average", ""): (None, 7),
            ("mem.state.latest", ""): (0, 2),
            ("disk.maxTotalLatency.latest", ""): (40, 10),
            ("datastore.totalReadLatency.average", "5f-a"): (2, 4),
            ("datastore.totalReadLatency.average", "unknown"): (9, 9),
        },
    )
    facts = {"runtime.connectionState": "connected", "summary.hardware.numCpuThreads": 8}
    found = host_vitals(HostView(ESX, "h", host, {"5f-a": "datastore-7"}), facts, {}, Places({}, "vc"))
    assert (found.memory.swap_used_bytes, found.memory.ballooned_bytes) == (5 * 1024, 7 * 1024)
    assert shown(found) == {
        "memory_state": [((), 2)],
        "disk_max_latency_seconds": [((), 0.04)],  # the worst of what is new
        "datastore_read_latency_seconds": [(("datastore-7",), pytest.approx(0.003))],
        "datastore_write_latency_seconds": [],
    }


def shown(host):
    """Rows of the families of vitals that only hosts of vSphere have."""
    families = {
        family.name.partition("vsphere_host_")[2]: family
        for family in FAMILIES
        if family.entity is Entity.HOST and family.group == VITALS
    }
    rows = {name: list(family.each(host)) for name, family in families.items() if family.each}
    return rows | {name: [((), family.value(host))] for name, family in families.items() if family.value}


def test_minus_one_is_no_value_and_samples_come_in_any_order():
    body = b"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body><QueryPerfResponse xmlns="urn:vim25">
      <returnval xsi:type="PerfEntityMetricCSV"><entity type="VirtualMachine">vm-1</entity>
      <sampleInfoCSV>20,2026-01-01T00:00:40Z,20,2026-01-01T00:00:00Z,20,2026-01-01T00:00:20Z</sampleInfoCSV>
      <value><id><counterId>5</counterId><instance/></id><value>3,1,-1</value></value></returnval>
      </QueryPerfResponse></e:Body></e:Envelope>"""
    (found,) = parse(body)
    assert [at - 1767225600 for at in found.timestamps] == [0, 20, 40]
    assert found.values == {Metric(5): (1, None, 3)}


def test_counters_that_the_endpoint_does_not_have_are_not_asked_and_absent():
    ids = {"cpu.run.summation": 2}
    assert metrics_of(GUEST, ids) == (Metric(2, ""),)
    found = Readings(GUEST, ids, Sampled(VM, Window((20.0,), 20.0), Columns((Metric(2),)), ["5"]))
    assert found.rate("ready") is None
    assert found.rate("cpu").series == {"": (0.00025,)}


def test_endpoints_that_number_their_counters_differently_share_nothing_but_the_numbers():
    columns, window = Columns((Metric(2), Metric(3))), Window((20.0,), 20.0)
    numbered = [{"cpu.run.summation": 2, "cpu.ready.summation": 3}, {"cpu.run.summation": 3, "cpu.ready.summation": 2}]
    for _ in range(2):
        for ids, run, ready in zip(numbered, (400, 800), (800, 400), strict=True):
            found = Readings(GUEST, ids, Sampled(VM, window, columns, ["400", "800"]))
            assert found.rate("cpu").series == {"": (run / 20_000,)}
            assert found.rate("ready").series == {"": (ready / 20_000,)}


def test_what_stands_still_is_told_once_for_everyone():
    window, columns = Window((20.0, 40.0), 20.0), Columns((Metric(2), Metric(3)))
    ids = {"cpu.run.summation": 2, "mem.swapinRate.average": 3}
    one, other = (Readings(GUEST, ids, Sampled(VM, window, columns, ["0,0", "0,0"])) for _ in range(2))
    assert one.rate("cpu") is other.rate("cpu")
    assert one.rate("swap_in").series == {"": (0, 0)}


def test_power_is_counted_of_watts_where_there_is_no_energy():
    host = readings(HOST, {("power.power.average", ""): (100, 200)})
    facts = {"runtime.connectionState": "connected"}
    found = host_vitals(HostView(ESX, "h", host, {}), facts, {}, Places({}, "vc"))
    assert counted(found.power_joules) == 4_000


def test_samples_that_could_not_be_asked_for_too_long_are_no_counters():
    assert Readings(GUEST, IDS, None).rate("cpu").timestamps == ()
    assert Readings(GUEST, IDS, None, late=True).rate("cpu") is None


@pytest.mark.parametrize(
    ("facts", "host", "state"),
    [
        ({"runtime.powerState": "poweredOn"}, {}, GuestState.RUNNING),
        ({"runtime.powerState": "suspended"}, {}, GuestState.SUSPENDED),
        ({"runtime.powerState": "poweredOn", "runtime.connectionState": "orphaned"}, {}, GuestState.UNKNOWN),
        ({"runtime.powerState": "poweredOn"}, {"runtime.connectionState": "notResponding"}, GuestState.UNKNOWN),
        ({}, {}, GuestState.UNKNOWN),
    ],
)
def test_states_of_guests(facts, host, state):
    assert guest_state(facts, host) is state


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, None),
        ({"runtime.connectionState": "connected", "runtime.inMaintenanceMode": True}, HostState.MAINTENANCE),
        ({"runtime.connectionState": "connected", "runtime.standbyMode": "entering"}, HostState.STANDBY),
        ({"runtime.connectionState": "notResponding"}, HostState.NOT_RESPONDING),
    ],
)
def test_states_of_hosts(facts, state):
    assert host_state(facts) is state


def test_hosts_without_a_uuid_of_their_own_have_their_reference():
    zero, same = "00000000-0000-0000-0000-000000000000", "ABC"
    hosts = {Ref(HOST, f"host-{n}"): {"summary.hardware.uuid": uuid} for n, uuid in enumerate([zero, same, "abc", "D"])}
    assert list(host_ids(hosts).values()) == ["host-0", "host-1", "host-2", "d"]


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"config.template": True}, "template"),
        ({"config.managedBy": {"extensionKey": "com.vmware.vim.eam", "type": "cluster-agent"}}, "system"),
        ({"name": "vCLS-4c4c4544-0042"}, "system"),
        ({"name": "vCLSX", "config.managedBy": {"extensionKey": "com.vmware.vcDr"}}, "guest"),
    ],
)
def test_kinds_of_guests(facts, kind):
    assert guest_kind(facts) == kind


@pytest.mark.parametrize(
    ("facts", "up"),
    [
        ({"guest.toolsRunningStatus": "guestToolsRunning"}, True),
        ({"guest.toolsRunningStatus": "guestToolsNotRunning"}, False),
        ({"guest.toolsRunningStatus": "guestToolsExecutingScripts"}, False),
        ({"guest.toolsRunningStatus": "guestToolsDreaming"}, None),
        (
            {
                "guest.toolsRunningStatus": "guestToolsNotRunning",
                "guest.toolsVersionStatus2": "guestToolsNotInstalled",
            },
            None,
        ),
        ({}, None),
    ],
)
def test_the_agent_is_absent_where_it_is_not_installed_or_nobody_knows(facts, up):
    assert agent_up(facts) is up


@pytest.mark.parametrize(
    ("number", "version"),
    [
        ("12352", "12.2.0"),  # 12 * 1024 + 2 * 32
        ("12325", "12.1.5"),
        ("8384", "8.6.0"),
        ("0", ""),
        ("", ""),
        ("2147483647", "2147483647"),
        ("12.3", "12.3"),
        ("٣", "٣"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_versions_of_tools(number, version):
    assert version_of(number) == version


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("msg.hbacommon.outofspace:There is no more space for virtual disk 'a.vmdk'.", True),
        ("The redo log of a_1-000001.vmdk is corrupted.", True),
        ("msg.cdromdisconnect.locked:The guest has locked the CD-ROM door.", False),
        ("msg.uuid.altered:This virtual machine may have been moved or copied.", False),
    ],
)
def test_questions_about_storage(text, trouble):
    assert io_error({"runtime.question": {"id": "7", "text": text}}) is trouble


def test_networks_are_known_by_reference_and_by_key_of_a_port_group():
    facts = {
        Ref("Network", "network-7"): {"name": "VM Network"},
        Ref("DistributedVirtualPortgroup", "dvportgroup-9"): {"name": "prod%2fweb", "key": "dvportgroup-9"},
    }
    names = network_names(facts)
    devices = [
        {"key": 4000, "macAddress": "00:50:56:AA:BB:CC", "backing": {"port": {"portgroupKey": "dvportgroup-9"}}},
        {"key": 4001, "macAddress": "00:50:56:aa:bb:cd", "backing": {"network": Ref("Network", "network-7")}},
    ]
    nics = Devices.of(devices).nics
    assert [(nic.key, nic.network_name(names)) for nic in nics] == [("4000", "prod/web"), ("4001", "VM Network")]
    assert [nic.network_name({}) for nic in nics] == ["", ""]


def test_a_cluster_without_high_availability_has_no_failover():
    ref = Ref("ClusterComputeResource", "domain-c8")
    setup = {"configurationEx": {"dasConfig": {"enabled": False, "admissionControlEnabled": True}}, "name": "a"}
    found = cluster_vitals(ref, setup, {"summary": {"currentFailoverLevel": -1}}, [{}], Places({ref: setup}, "vc"))
    assert (found.id, found.ha, found.ha_enabled) == ("vc:domain-c8", "off", False)
    assert (found.failover_hosts, found.admission_control_enabled, found.hosts, found.hosts_up) == (None, None, 1, 0)
