"""Custom attributes, networks of NSX, and pools of hosts outside of clusters, as govc makes and shows them."""

import json

import pytest

from collectors.vsphere.families import FAMILIES
from tests.backends.vcenter import BUILT, VCenter
from tests.integration.vsphere_storage_world import estate

pytestmark = pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim")

MEGABYTE = 1_048_576
GUEST, OTHER, HOST = "/DC0/vm/DC0_C0_RP0_VM0", "/DC0/vm/DC0_C0_RP0_VM1", "/DC0/host/DC0_C0/DC0_C0_H0"


@pytest.fixture(scope="module")
def vcenter():
    with VCenter("--hosts=2", "--standalone=1", "--machines=2", "--opaque=2", "--api-version=8.0.3.0") as started:
        yield started


def rows(thing, name):
    (family,) = (each for each in FAMILIES if each.name == f"hypervisor_vsphere_{name}")
    return dict(family.each(thing))


def named(things, name):
    (found,) = (each for each in things if each.name == name)
    return found


# VMware Tools.


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            {"guest.toolsVersion": "12352", "guest.toolsVersionStatus2": "guestToolsCurrent"},
            {("12.2.0", "guestToolsCurrent"): 1},
        ),
        (
            {"guest.toolsVersion": "0", "guest.toolsVersionStatus2": "guestToolsNotInstalled"},
            {("", "guestToolsNotInstalled"): 1},
        ),
        ({"guest.toolsVersion": None, "guest.toolsVersionStatus2": None}, {}),
    ],
)
def test_the_version_of_tools_is_that_of_vmwares_releases(vcenter, told, shown):
    with estate(vcenter) as seen:
        seen.collect("inventory")
        vcenter.set(vcenter.references("m")[OTHER], told)
        seen.collect("vitals")  # follows what has changed
        seen.collect("inventory")
        assert rows(named(seen.seen.guests, "DC0_C0_RP0_VM1"), "guest_tools_info") == shown


# Custom attributes.


@pytest.fixture(scope="module")
def attributes(vcenter):
    """What govc shows of a guest's attributes."""
    for name in ("owner", "tier", "secret"):
        vcenter.govc("fields.add", name)
    for name, value in (("owner", "Alice, of  accounts"), ("tier", "gold"), ("secret", "hush")):
        vcenter.govc("fields.set", name, value, GUEST)
    vcenter.govc("fields.set", "owner", "Bob", HOST)
    shown = json.loads(vcenter.govc("fields.info", "-json", GUEST))["info"]
    return {each["key"]: each["value"] for each in shown}


def test_attributes_that_were_asked_for_are_shown_and_no_others(vcenter, attributes):
    assert attributes == {"owner": "Alice, of  accounts", "tier": "gold", "secret": "hush"}
    with estate(vcenter, custom_attributes=["owner", "tier", "unheard of"]) as seen:
        seen.collect("inventory")
        guest, host = named(seen.seen.guests, "DC0_C0_RP0_VM0"), named(seen.seen.hosts, "DC0_C0_H0")
        assert rows(guest, "custom_attribute_info") == {("owner", "Alice, of accounts"): 1, ("tier", "gold"): 1}
        assert rows(host, "host_custom_attribute_info") == {("owner", "Bob"): 1}
        assert rows(named(seen.seen.guests, "DC0_C0_RP0_VM1"), "custom_attribute_info") == {}
        assert "hush" not in repr(seen.seen)
        seen.collect("vitals")
        assert named(seen.seen.guests, "DC0_C0_RP0_VM0").tags == ",owner=Alice of accounts,tier=gold,"
        assert named(seen.seen.guests, "DC0_C0_RP0_VM1").tags == ""


def test_attributes_are_followed_and_cost_pages_not_guests(vcenter, attributes):
    assert attributes
    with estate(vcenter, custom_attributes=["tier"]) as seen:
        seen.collect("vitals")
        seen.collect("inventory")
        assert seen.asked("inventory") == 4  # licences, hosts, names of attributes, a page of guests and hosts
        vcenter.govc("fields.set", "tier", "silver", GUEST)
        seen.collect("inventory")
        assert rows(named(seen.seen.guests, "DC0_C0_RP0_VM0"), "custom_attribute_info") == {("tier", "silver"): 1}
        vcenter.govc("fields.set", "tier", "gold", GUEST)


def test_without_the_option_no_attribute_is_read(vcenter, attributes):
    assert attributes
    with estate(vcenter) as seen:
        seen.collect("vitals")
        seen.collect("inventory")
        assert not any(rows(each, "custom_attribute_info") for each in seen.seen.guests)
        assert seen.asked("inventory") == 2


# Networks of NSX.


def test_an_adapter_on_a_network_of_nsx_bears_its_name(vcenter):
    network = min(vcenter.govc("find", "-i", "-type", "OpaqueNetwork", "/DC0").split())
    known = vcenter.collect(network, "summary", "name")
    backing = {
        "_typeName": "VirtualEthernetCardOpaqueNetworkBackingInfo",
        "opaqueNetworkId": known["summary"]["opaqueNetworkId"],
        "opaqueNetworkType": "nsx.LogicalSwitch",
    }
    nic = {"_typeName": "VirtualVmxnet3", "key": 4000, "macAddress": "00:0C:29:00:00:01", "backing": backing}
    vcenter.set(vcenter.references("m")[OTHER], {"config.hardware.device": [nic]})
    with estate(vcenter) as seen:
        for group in ("inventory", "vitals", "inventory"):
            seen.collect(group)
            nics = named(seen.seen.guests, "DC0_C0_RP0_VM1").nics
            assert [(each.mac, each.network) for each in nics] == [("00:0c:29:00:00:01", known["name"])], group


# Pools of hosts outside of clusters.


def test_pools_of_a_host_outside_of_clusters_are_the_hosts(vcenter):
    root = next(each for each in vcenter.references("p") if each.startswith("/DC0/host/DC0_H0/"))
    vcenter.govc("pool.create", "-cpu.limit=2000", "-mem.reservation=32", "-mem.limit=64", f"{root}/gold")
    ref = vcenter.references("p")[f"{root}/gold"]
    info = json.loads(vcenter.govc("pool.info", "-json", f"{root}/gold"))["resourcePools"][0]["config"]
    label = ("gold", ref.split(":")[1])
    with estate(vcenter) as seen:
        seen.collect("storage")
        host = named(seen.seen.hosts, "DC0_H0")
        told = {name: rows(host, f"host_resource_pool_{name}") for name in ("cpu_limit_hertz", "memory_limit_bytes")}
        assert told["cpu_limit_hertz"] == {label: info["cpuAllocation"]["limit"] * 1e6} == {label: 2e9}
        assert told["memory_limit_bytes"] == {label: info["memoryAllocation"]["limit"] * MEGABYTE}
        reserved = rows(host, "host_resource_pool_memory_reservation_bytes")
        assert reserved == {label: info["memoryAllocation"]["reservation"] * MEGABYTE} == {label: 32 * MEGABYTE}
        assert rows(host, "host_resource_pool_cpu_used_hertz") == {label: 0}
        assert not any(rows(each, "resource_pool_memory_limit_bytes") for each in seen.seen.clusters)
        assert not rows(named(seen.seen.hosts, "DC0_C0_H0"), "host_resource_pool_memory_limit_bytes")


def test_an_esxi_tells_its_hardware_licences_and_pools_and_knows_of_no_alarms():
    with VCenter("--esx", "--machines=1") as esxi, estate(esxi, custom_attributes=["owner"]) as seen:
        esxi.govc("pool.create", "-mem.limit=64", "/ha-datacenter/host/localhost.localdomain/Resources/gold")
        seen.collect("inventory")
        (host,) = seen.seen.hosts
        assert sum(rows(host, "host_sensors").values()) > 50
        assert len(rows(seen.seen.endpoint, "license_info")) == 1
        seen.collect("storage")
        (host,) = seen.seen.hosts
        assert list(rows(host, "host_resource_pool_memory_limit_bytes").values()) == [64 * MEGABYTE]
        assert rows(host, "host_alarms") == {}
        assert seen.seen.clusters == ()
        assert not seen.seen.partial
