"""A failover cluster: states of nodes, owners of guests, which copy of a guest is it."""

import pytest

from collectors.hyperv.client.rows import Instance
from collectors.hyperv.mapping.cluster import Node, Owners, choose, cluster_vitals, nodes_of, silent_cluster
from collectors.hyperv.mapping.found import join
from exporter.model import Host, HostCpu, HostMemory, HostState
from tests.unit.hyperv.world import SQL, WEB, answers, system

GIB = 2.0**30


@pytest.mark.parametrize(
    ("state", "drain", "contacted", "maintenance", "word"),
    [
        ("0", "0", True, False, HostState.CONNECTED),
        ("1", "0", False, False, HostState.DISCONNECTED),
        ("2", "2", True, True, HostState.MAINTENANCE),
        ("0", "1", True, True, HostState.MAINTENANCE),
        ("0", "3", True, False, HostState.CONNECTED),
        ("3", "0", True, False, HostState.CONNECTED),
        ("4294967295", "0", True, False, HostState.NOT_RESPONDING),
    ],
)
def test_nodes(state, drain, contacted, maintenance, word):
    (node,) = nodes_of([{"Name": "HV-1", "State": state, "NodeDrainStatus": drain}], [])
    assert (node.contacted, node.maintenance, node.host_state) == (contacted, maintenance, word)


def guest(identity, name, state=2, **more):
    (found,) = join(answers(COMPUTER_SYSTEMS=[system(identity, name, state, **more)]), {}, []).guests
    return found


def role(name, node, identity=None, prefix="Virtual Machine ", group=None):
    private = Instance("MSCluster_Property", {"VmID": identity.upper()}) if identity else None
    return {"Name": prefix + name, "OwnerGroup": group or name, "OwnerNode": node, "PrivateProperties": private}


def test_owners_by_the_guests_id():
    owners = Owners([role("renamed", "HV-2", WEB), role("web", "HV-1", SQL)])
    assert owners.node(guest(WEB, "web")) == "hv-2"


def test_owners_by_pairs_of_properties():
    pair = Instance("MSCluster_Property", {"Name": "VmID", "Value": WEB})
    assert Owners([{**role("x", "HV-2"), "PrivateProperties": (pair,)}]).node(guest(WEB, "web")) == "hv-2"


def test_owners_by_name_where_nothing_else_is_told():
    owners = Owners([role("web", "HV-2"), role("twin", "HV-1"), role("twin", "HV-2", group="twin (2)")])
    assert owners.node(guest(WEB, "Web")) == "hv-2"
    assert owners.node(guest(SQL, "twin")) == "", "a name of two roles tells nothing"


def test_of_two_copies_the_owners_is_the_guest():
    here, there = guest(WEB, "web"), guest(WEB, "web")
    assert choose([("hv-1", here), ("hv-2", there)], "hv-2") == 1


def test_else_the_one_that_runs_else_the_newest():
    off, on = guest(WEB, "web", 3), guest(WEB, "web", 2)
    assert choose([("hv-1", off), ("hv-2", on)], "") == 1
    old, new = (guest(WEB, "web", 3, TimeOfLastStateChange=f"2026-01-0{day}T00:00:00Z") for day in (1, 2))
    assert choose([("hv-1", new), ("hv-2", old)], "") == 0


def host(name, up=True):
    return Host(name, name, up=up, cpu=HostCpu(capacity_cpus=16), memory=HostMemory(capacity_bytes=64 * GIB))


NODES = [Node("HV-1", 0, 0), Node("HV-2", 2, 2), Node("HV-3", 1, 0)]


def test_a_cluster():
    groups = [{"State": "0"}, {"State": "0"}, {"State": "2"}, {"State": "9"}]
    odd = []
    made = cluster_vitals(("hvc", "HVC"), NODES, [host("1"), host("2"), host("3", up=False)], groups, odd)
    assert (made.id, made.name, made.hosts, made.hosts_up, made.quorate) == ("hvc", "HVC", 3, 2, True)
    assert (made.cpu_capacity_cpus, made.memory_capacity_bytes) == (32, 128 * GIB)
    told = {key.removeprefix("groups:"): value for key, value in made.extra.items()}
    assert told == {"online": 2, "offline": 0, "failed": 1, "partial_online": 0, "pending": 0, "unknown": 1}


def test_a_sum_without_a_node_that_is_up_is_none():
    made = cluster_vitals(("hvc", "HVC"), NODES, [host("1")], None, [])
    assert (made.cpu_capacity_cpus, made.memory_capacity_bytes, made.extra) == (None, None, {})


def test_a_cluster_without_quorum():
    made = silent_cluster(("hvc", "HVC"), NODES)
    assert (made.quorate, made.hosts, made.hosts_up) == (False, 3, None)
