"""The estates of the WinRM double: what a test may rely on when it reads them by any client."""

import contextlib
import json
import re
import socket
import sys
import time
from collections import Counter as Tally
from pathlib import Path

import pytest

from tests.backends.processes import Scratch, until
from tests.backends.winrm import (
    Ago,
    WinRM,
    add_checkpoint,
    add_guest,
    cluster,
    remove_checkpoint,
    remove_guest,
    set_state,
    stand_alone,
)
from tests.backends.winrm.estates import guest
from tests.backends.winrm_asking import Asker

V2, CIMV2, CLUSTER = "root/virtualization/v2", "root/cimv2", "root/MSCluster"
PERF = "Win32_PerfRawData_"
PROCESSORS = PERF + "HvStats_HyperVHypervisorVirtualProcessor"


@contextlib.contextmanager
def reader(estate):
    """A function that reads one column of a class at a node, the first one by default."""
    with WinRM(estate, transport="basic", allow_unencrypted=True) as server, contextlib.ExitStack() as stack:
        askers = {}

        def column(namespace, class_name, name, where="", node=None):
            site = server.node(node) if node else server.sites[0]
            if site.name not in askers:
                askers[site.name] = stack.enter_context(Asker(site.host, site.port, server.user, server.password))
            texts = askers[site.name].query(namespace, f"SELECT {name} FROM {class_name} {where}")
            return re.findall(rf"<{name}>(.*?)</{name}>", "".join(texts))

        yield column


def test_a_host_of_three_guests():
    estate = stand_alone(guests=3)
    with reader(estate) as column:
        assert column(V2, "Msvm_ComputerSystem", "ElementName") == ["HV-1", "guest-1", "guest-2", "guest-3"]
        assert column(V2, "Msvm_ComputerSystem", "EnabledState") == ["2", "2", "2", "3"]
        assert column(CIMV2, PROCESSORS, "Name") == [f"guest-{one}:Hv VP {two}" for one in (1, 2) for two in (0, 1)]
        assert column(CIMV2, "Win32_ComputerSystem", "NumberOfLogicalProcessors") == ["16"]
        assert column(CIMV2, PERF + "HvStats_HyperVHypervisor", "Partitions") == ["3"]
        summary = PERF + "VmmsVirtualMachineStats_HyperVVirtualMachineHealthSummary"
        assert column(CIMV2, summary, "HealthOk") == ["3"]
        before = [int(ticks) for ticks in column(CIMV2, PROCESSORS, "PercentTotalRunTime")]
        estate.clock.advance(100)
        after = [int(ticks) for ticks in column(CIMV2, PROCESSORS, "PercentTotalRunTime")]
        assert [b - a for a, b in zip(before, after, strict=True)] == [260_000_000] * 4  # 26 s each in 100 s


def test_guests_are_turned_off_and_on_and_taken_away():
    estate = stand_alone(guests=2)
    first, second = guest(1), guest(2)
    with reader(estate) as column:
        set_state(estate, first, 3)
        assert column(V2, "Msvm_ComputerSystem", "EnabledState") == ["2", "3", "2"]
        assert column(CIMV2, PROCESSORS, "Name") == ["guest-2:Hv VP 0", "guest-2:Hv VP 1"]
        set_state(estate, first, 2)
        assert len(column(CIMV2, PROCESSORS, "Name")) == 4
        remove_guest(estate, second)
        for namespace, class_name, name in (
            (V2, "Msvm_ComputerSystem", "ElementName"),
            (V2, "Msvm_SummaryInformation", "ElementName"),
            (V2, "Msvm_VirtualSystemSettingData", "InstanceID"),
            (V2, "Msvm_StorageAllocationSettingData", "InstanceID"),
            (CIMV2, PERF + "NvspNicStats_HyperVVirtualNetworkAdapter", "Name"),
            (CIMV2, PERF + "Counters_HyperVVirtualStorageDevice", "Name"),
        ):
            found = column(
                namespace, class_name, name, "WHERE Name <> 'HV-1'" if "ComputerSystem" in class_name else ""
            )
            assert len(found) == 1, class_name
            assert "guest-1" in found[0] or first.guid in found[0]
        add_guest(estate, second)
        assert column(V2, "Msvm_SummaryInformation", "ElementName") == ["guest-1", "guest-2"]


def test_checkpoints_put_overlays_on_the_disks():
    estate, one = stand_alone(guests=1), guest(1)
    settings, storage = "Msvm_VirtualSystemSettingData", "Msvm_StorageAllocationSettingData"
    leaf = f"WHERE InstanceID LIKE '%{one.guid}%'"
    with reader(estate) as column:
        base = column(V2, storage, "HostResource", leaf)
        first = add_checkpoint(estate, one, "before", Ago(86_400))
        second = add_checkpoint(estate, one, "backup", Ago(60), kind="backup", parent=first)
        kinds = column(V2, settings, "VirtualSystemType")
        assert [kind.removeprefix("Microsoft:Hyper-V:") for kind in kinds] == [
            "System:Realized",
            "Snapshot:Realized",
            "Snapshot:Recovery",
        ]
        parents = column(V2, settings, "Parent")
        assert len(parents) == 1
        assert first["InstanceID"].partition(":")[2] in parents[0]
        (overlay,) = column(V2, storage, "HostResource", leaf)
        assert overlay.endswith(".avhdx")
        assert column(V2, storage, "HostResource", "WHERE NOT " + leaf.removeprefix("WHERE ")).count(base[0]) == 1
        assert column(CIMV2, PERF + "Counters_HyperVVirtualStorageDevice", "Name") == [overlay.replace("\\", "-")]
        for row in (second, first):
            remove_checkpoint(estate, row)
        assert column(V2, settings, "InstanceID") == [f"Microsoft:{one.guid}"]
        assert column(V2, storage, "HostResource") == [overlay]  # not merged: what an operator should hear of


def test_a_cluster_has_its_guests_once_at_every_step_of_a_migration():
    made = cluster(4, 400)
    moving = made.guests[guest(1).guid]
    nodes = [node.name for node in made.nodes]
    with reader(made) as column:

        def seen():
            where = "WHERE Name <> __SERVER"
            return Tally(g for node in nodes for g in column(V2, "Msvm_ComputerSystem", "Name", where, node))

        def owners(node):
            where = f"WHERE Name = '{moving.name}'"
            return column(CLUSTER, "MSCluster_ResourceGroup", "OwnerNode", where, node)

        assert (len(seen()), max(seen().values())) == (400, 1)
        assert [owners(node) for node in nodes] == [["HV-1"]] * 4
        migration = made.migrate(moving, "HV-3")
        migration.planned()
        assert column(V2, "Msvm_ComputerSystem", "OperationalStatus", f"WHERE Name = '{moving.guid}'") == ["2", "32774"]
        twin = f"WHERE VirtualSystemIdentifier = '{moving.guid}'"
        kinds = column(V2, "Msvm_VirtualSystemSettingData", "VirtualSystemType", twin, "HV-3")
        assert kinds == ["Microsoft:Hyper-V:System:Planned"]
        assert sum(seen().values()) == 400
        migration.realised()
        assert seen()[moving.guid] == 2
        migration.owned()
        assert [owners(node) for node in nodes] == [["HV-3"]] * 4
        migration.finish()
        assert (len(seen()), max(seen().values())) == (400, 1)
        assert column(V2, "Msvm_ComputerSystem", "Name", f"WHERE Name = '{moving.guid}'", "HV-3") == [moving.guid]
        back = made.migrate(moving, "HV-1")
        back.planned()
        back.realised(state=10)
        back.abandon()
        assert (seen()[moving.guid], owners("HV-2")) == (1, ["HV-3"])


def test_a_cluster_shares_its_volumes_and_loses_a_node():
    made = cluster(2, 4)
    with WinRM(made, transport="basic", allow_unencrypted=True) as server:
        assert [site.host for site in server.sites] == ["127.0.0.1", "127.0.0.2"]
        server.node("HV-2").stop()
        made.row("MSCluster_Node", Name="HV-2")["State"] = 1
        with Asker(server.address, server.port, server.user, server.password) as asker:
            texts = asker.query(CLUSTER, "SELECT Name,State FROM MSCluster_Node")
            assert re.findall(r"<State>(\d)</State>", "".join(texts)) == ["0", "1"]
            volumes = "".join(asker.query(CLUSTER, "SELECT TotalSize,VolumeGuid FROM MSCluster_DiskPartition"))
            assert re.findall(r"<TotalSize>(\d+)<", volumes) == ["10485760"] * 2  # MB: 10 TiB
            guids = re.findall(r"<VolumeGuid>(.*?)<", volumes)
            seen = "".join(asker.query(CIMV2, "SELECT DeviceID FROM Win32_Volume WHERE FileSystem = 'CSVFS'"))
            assert [guid in seen for guid in guids] == [True, True]
            vm = "".join(
                asker.query(CLUSTER, "SELECT PrivateProperties FROM MSCluster_Resource WHERE Type = 'Virtual Machine'")
            )
            assert guest(1).guid in vm
        server.node("HV-2").start()
        with Asker("127.0.0.2", server.port, server.user, server.password) as asker:
            assert "HV-2" in "".join(asker.query(V2, "SELECT Name FROM Msvm_ComputerSystem"))


def test_what_one_node_of_a_cluster_forgets_all_forget():
    made = cluster(3, 0)
    made.nodes[2].remove("MSCluster_Node", Name="HV-2")
    with reader(made) as column:
        assert [column(CLUSTER, "MSCluster_Node", "Name", node=node.name) for node in made.nodes] == [
            ["HV-1", "HV-3"]
        ] * 3


def test_nodes_listen_at_one_port_even_if_it_is_taken_at_one_of_their_addresses():
    made = cluster(2, 0)
    with socket.create_server(("127.0.0.2", 0)) as taken, WinRM(made, port=0) as server:
        assert server.port != taken.getsockname()[1]
        assert {site.port for site in server.sites} == {server.port}
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), WinRM(made, port=port):
            pass


def test_a_lone_host_has_no_namespace_of_clusters_and_a_host_may_lack_the_role():
    estate = stand_alone()
    estate.absent_namespaces.add(V2)
    with (
        WinRM(estate, transport="basic", allow_unencrypted=True) as server,
        Asker(server.address, server.port, server.user, server.password) as asker,
    ):
        codes = [asker.enumerate(space, "SELECT * FROM X")[0] for space in (V2, CLUSTER)]
        assert codes == [500, 500]
        assert asker.enumerate(CIMV2, "SELECT Name FROM Win32_Volume")[0] == 200


def test_a_thousand_guests_are_there_within_a_second_of_processor_time():
    def seconds():
        started = time.process_time()
        with reader(stand_alone(guests=1000)) as column:
            assert len(column(V2, "Msvm_ComputerSystem", "ElementName")) == 1001
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 1


@pytest.mark.parametrize("flags", [["--guests=5"], ["--nodes=2", "--guests=5", "--transport=basic", "--tls"]])
def test_it_can_be_used_by_hand(flags):
    with Scratch("winrm") as scratch:
        env = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"}
        child = scratch.start("winrm", sys.executable, "-m", "tests.backends.winrm", *flags, env=env)
        until(lambda: child.log.exists() and child.log.read_text().endswith("\n"), 30, "address", child)
        told = json.loads(child.log.read_text())
        assert told["url"].startswith("https://127" if "--tls" in flags else "http://127")
        assert len(told["nodes"]) == (2 if "--nodes=2" in flags else 1)
        assert {"user", "password"} <= set(told)
        assert ("ca_file" in told) == ("--tls" in flags)
        child.stop()
