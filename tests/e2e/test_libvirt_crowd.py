"""Every value that is exported of two dozen QEMU guests, of their host and pools, equals what other tools say.

The other tools are asked before and after the page was collected: what counts lies between, what stands still is equal.
A family without an oracle here fails the test, and so does a series that is missing or too many.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backends.daemon import FAST, Daemon, Page, document, libvirt
from tests.backends.need import need
from tests.e2e.conftest import fresh_page
from tests.e2e.other_tools import KIB, Facts, Look, hugepages_free, number, table, topology

pytestmark = [pytest.mark.backend, pytest.mark.timeout(240)]

TARGET = "crowd"
HOLDING = {"running", "paused", "pmsuspended"}
STATES = {"pmsuspended": "suspended", "shut off": "stopped"}
NOISE = 16 * 2**20  # resident memory of a process, between two looks
OTHERS = 2**30  # free memory of the machine, between two looks: others work here too

Series = Mapping[tuple[str, ...], object]
"""Values by the labels that tell series of a family apart; a pair is a lower and an upper limit."""


@dataclass(frozen=True)
class Seen:
    page: Page
    facts: Facts
    before: Look
    after: Look

    @property
    def active(self) -> list[str]:
        return self.before.active

    def guests(self, value: Callable[[str], object]) -> Series:
        return {(name,): value(name) for name in self.facts.names}

    def between(self, value: Callable[[Look, str], float]) -> Series:
        """Of the guests that have a process, between the two looks."""
        return {(name,): (value(self.before, name), value(self.after, name)) for name in self.active}

    def counted(self, key: str, divisor: float = 1) -> Series:
        """Of the disks of guests that have a process."""
        after = {name: self.after.blocks(name) for name in self.active}
        return {
            (name, disk): (block[key] / divisor, after[name][disk][key] / divisor)
            for name in self.active
            for disk, block in self.before.blocks(name).items()
        }

    def disks(self, value: Callable[[list[dict]], object], network: int | None = None) -> Series:
        """Of the disks of guests that have a process, by their images; `network`: of the one that is no file."""
        found = {key: value(chain) for key, chain in self.facts.images.items() if key[0] in self.active}
        return found if network is None else {**found, ("full", "vda"): network}

    def snapshots(self, value: Callable[[dict], object]) -> Series:
        return {
            (guest, name): value(each)
            for guest, found in self.facts.snapshots.items()
            for name, each in found.items()
            if value(each) is not None
        }

    def dated(self, kind: str = "") -> dict[str, int]:
        """The oldest snapshot of each guest that has any (of that kind)."""
        found = {
            name: [each["created"] for snapshot, each in taken.items() if kind in snapshot]
            for name, taken in self.facts.snapshots.items()
        }
        return {name: min(times) for name, times in found.items() if times}

    def held(self) -> list[str]:
        return [name for name in self.facts.names if self.facts.states[name][0] in HOLDING]


@pytest.fixture(scope="module")
def seen():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "qemu-nbd", "setpriv"], ["libvirt"])
    from tests.backends.crowd import STATES as GUESTS
    from tests.backends.crowd import build_crowd
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as lab:
        build_crowd(lab)
        profile = {"intervals": FAST, "families": {"include": ["hypervisor_*"]}}
        target = libvirt(TARGET, lab.uri, options={"volumes": True})
        with Daemon(document([target], profiles={"default": profile})) as daemon:
            whole_page(daemon)  # vitals describe a guest once its inventory was read, snapshots need sizes of disks
            facts, before = Facts(lab, GUESTS), Look(lab, GUESTS)
            page = whole_page(daemon)
            yield Seen(page, facts, before, Look(lab, GUESTS))


def whole_page(daemon: Daemon) -> Page:
    """A fresh page that nothing is missing in: a guest whose monitor was busy at that very moment is incomplete."""
    for _ in range(10):
        page = fresh_page(daemon, TARGET)
        complete = [value for _, value in page.find(f"{GUEST}stats_complete")]
        sizes, counters = (page.find(f"{GUEST}disk_{name}") for name in ("capacity_bytes", "reads_total"))
        if all(complete) and len(sizes) == len(counters):
            break
    return page


def state(seen: Seen, name: str) -> str:
    word = seen.facts.states[name][0]
    return STATES.get(word, word)


def flag(text: str) -> bool:
    return text in {"yes", "enable"}


def info(key: str, unit: int = 1) -> Callable[[Seen], Series]:
    return lambda seen: seen.guests(lambda name: number(seen.facts.info[name][key]) * unit)


def yes(key: str) -> Callable[[Seen], Series]:
    return lambda seen: seen.guests(lambda name: flag(seen.facts.info[name][key]))


def block(key: str, divisor: float = 1) -> Callable[[Seen], Series]:
    return lambda seen: seen.counted(key, divisor)


def chains(seen: Seen) -> Series:
    return seen.disks(lambda chain: len(chain) - 1)


def orphans(seen: Seen) -> Series:
    """By hand: one guest has an overlay that nobody knows; two share a base; of a network disk no chain is shown."""
    alone = {name for name in seen.facts.names if not seen.facts.xml[name].findall("devices/disk")}
    return {(name,): int(name == "orphan") for name in {*seen.active, *alone} - {"full"}}


def held_by_snapshots(seen: Seen) -> Series:
    """Those of which all is outside of the image: the external ones."""
    sums = {name: [each["bytes"] for each in taken.values()] for name, taken in seen.facts.snapshots.items()}
    return {(name,): sum(sizes) for name, sizes in sums.items() if sizes and None not in sizes}


def resident(seen: Seen) -> Series:
    after = seen.after.resident
    return {(name,): about(before, after[name], NOISE) for name, before in seen.before.resident.items()}


def allocated(key: str, unit: int) -> Callable[[Seen], Series]:
    return lambda seen: {(): sum(int(seen.before.stats[name][key]) * unit for name in seen.held())}


def counted_states(seen: Seen) -> Series:
    states = [state(seen, name) for name in seen.facts.names]
    return {(each,): states.count(each) for each in states}


def pools(key: str) -> Callable[[Seen], Series]:
    return lambda seen: {
        (name,): number(each[key]) for name, each in seen.facts.pools.items() if each["State"] == "running"
    }


def provisioned(seen: Seen) -> Series:
    """What is not free, and what images that back no other may still grow by."""
    found = {}
    for name, each in seen.facts.pools.items():
        if each["State"] == "running":
            files = sorted(seen.facts.pool_path(name).iterdir())
            images = [seen.facts.image(str(path), path.suffix.lstrip(".")) for path in files]
            bases = {below["filename"] for chain in images for below in chain[1:]}
            growth = [max(0, chain[0]["virtual-size"] - chain[0]["actual-size"]) for chain in images
                      if chain[0]["filename"] not in bases]  # fmt: skip
            found[(name,)] = number(each["Capacity"]) - number(each["Available"]) + sum(growth)
    return found


def about(before: float, after: float, blur: float) -> tuple[float, float]:
    return min(before, after) - blur, max(before, after) + blur


def nodes(seen: Seen) -> Series:
    after = seen.after.numa_free
    return {(node,): about(free, after[node], OTHERS) for node, free in seen.before.numa_free.items()}


def memory(value: Callable[[Mapping[str, int]], int], blur: int = OTHERS) -> Callable[[Seen], Series]:
    return lambda seen: {(): about(value(seen.before.meminfo), value(seen.after.meminfo), blur)}


def available(meminfo: Mapping[str, int]) -> int:
    return meminfo["MemFree"] + meminfo["Buffers"] + meminfo["Cached"]


def megahertz() -> float:
    return float(re.search(r"cpu MHz\s*: (\S+)", Path("/proc/cpuinfo").read_text())[1])


def ages(seen: Seen) -> Series:
    return {(name,): (seen.before.at - at, seen.after.at - at) for name, at in seen.dated().items()}


GUEST = "hypervisor_guest_"
ORACLES: dict[str, tuple[tuple[str, ...], Callable[[Seen], Series]]] = {
    f"{GUEST}state": (("guest", "state"), lambda s: {(name, state(s, name)): 1 for name in s.facts.names}),
    f"{GUEST}state_reason": (
        ("guest", "reason"),
        lambda s: {(n, s.facts.states[n][1].replace("I/O error", "ioerror")): 1 for n in s.facts.names},
    ),
    f"{GUEST}running": (("guest",), lambda s: s.guests(lambda name: s.facts.states[name][0] == "running")),
    # That a running guest leaves does not show in its state.
    f"{GUEST}migrating": (
        ("guest",),
        lambda s: {(n,): 0 for n in s.facts.names if s.facts.states[n][0] not in ("running", "paused")},
    ),
    f"{GUEST}persistent": (("guest",), yes("Persistent")),
    f"{GUEST}autostart": (("guest",), yes("Autostart")),
    f"{GUEST}vcpus": (("guest",), info("CPU(s)")),
    f"{GUEST}stats_complete": (("guest",), lambda s: s.guests(lambda _: 1)),
    f"{GUEST}io_error": (("guest",), lambda s: s.guests(lambda name: s.facts.states[name] == ("paused", "I/O error"))),
    f"{GUEST}cpu_seconds_total": (("guest",), lambda s: s.between(lambda look, name: look.threads[name][0])),
    f"{GUEST}cpu_ready_seconds_total": (("guest",), lambda s: s.between(lambda look, name: look.threads[name][1])),
    f"{GUEST}memory_configured_bytes": (("guest",), info("Max memory", KIB)),
    f"{GUEST}memory_assigned_bytes": (
        ("guest",),
        lambda s: {(name,): number(s.facts.info[name]["Used memory"]) * KIB for name in s.active},
    ),
    f"{GUEST}memory_host_used_bytes": (("guest",), resident),
    f"{GUEST}disk_error": (
        ("guest", "disk", "error"),
        lambda s: {
            (name, disk, error.replace(" ", "_")): 1
            for name in s.active
            for disk, error in table(s.facts.lab.virsh("domblkerror", name)).items()
        },
    ),
    f"{GUEST}disk_read_bytes_total": (("guest", "disk"), block("rd.bytes")),
    f"{GUEST}disk_written_bytes_total": (("guest", "disk"), block("wr.bytes")),
    f"{GUEST}disk_reads_total": (("guest", "disk"), block("rd.reqs")),
    f"{GUEST}disk_writes_total": (("guest", "disk"), block("wr.reqs")),
    f"{GUEST}disk_flushes_total": (("guest", "disk"), block("fl.reqs")),
    f"{GUEST}disk_read_seconds_total": (("guest", "disk"), block("rd.times", 1e9)),
    f"{GUEST}disk_write_seconds_total": (("guest", "disk"), block("wr.times", 1e9)),
    f"{GUEST}disk_flush_seconds_total": (("guest", "disk"), block("fl.times", 1e9)),
    f"{GUEST}disk_capacity_bytes": (
        ("guest", "disk"),
        lambda s: s.disks(lambda chain: chain[0]["virtual-size"], network=2**20),
    ),
    f"{GUEST}disk_physical_bytes": (
        ("guest", "disk"),
        lambda s: s.disks(lambda chain: chain[0]["actual-size"], network=2**20),
    ),
    f"{GUEST}disk_allocated_bytes": (
        ("guest", "disk"),
        lambda s: s.disks(lambda chain: chain[0]["actual-size"]),  # of a disk that is no file it is not told
    ),
    f"{GUEST}disk_chain_depth": (("guest", "disk"), chains),
    f"{GUEST}disk_info": (
        ("guest", "disk", "path", "format", "storage"),
        lambda s: {
            (
                n,
                disk,
                path or "nbd:",
                s.facts.format(n, disk),
                "volumes" * ("/pool " in path),
            ): 1
            for n, disks in s.facts.disks.items()
            for disk, path in disks.items()
        },
    ),
    f"{GUEST}network_info": (
        ("guest", "nic", "mac", "network"),
        lambda s: {
            (name, mac.get("address"), mac.get("address"), ""): 1
            for name in s.facts.names
            for mac in s.facts.xml[name].iterfind("devices/interface/mac")
        },
    ),
    f"{GUEST}info": (
        ("guest", "host", "host_id", "bios_uuid", "kind", "saved"),
        lambda s: {
            (n, *host(s), s.facts.uuids[n], "guest", str(int(flag(s.facts.info[n]["Managed save"])))): 1
            for n in s.facts.names
        },
    ),
    f"{GUEST}snapshots": (("guest",), lambda s: s.guests(lambda name: len(s.facts.snapshots[name]))),
    f"{GUEST}snapshot_chain_depth": (("guest",), lambda s: s.guests(s.facts.depth)),
    f"{GUEST}oldest_snapshot_timestamp_seconds": (("guest",), lambda s: {(n,): at for n, at in s.dated().items()}),
    f"{GUEST}oldest_snapshot_age_seconds": (("guest",), ages),
    f"{GUEST}backup_snapshots": (("guest",), lambda s: s.guests(lambda name: name in s.dated("veeam"))),
    f"{GUEST}oldest_backup_snapshot_timestamp_seconds": (
        ("guest",),
        lambda s: {(name,): at for name, at in s.dated("veeam").items()},
    ),
    f"{GUEST}replication_snapshots": (("guest",), lambda s: s.guests(lambda _: 0)),
    f"{GUEST}snapshots_size_bytes": (("guest",), held_by_snapshots),
    f"{GUEST}orphaned_overlays": (("guest",), orphans),
    "hypervisor_snapshot_created_timestamp_seconds": (
        ("guest", "snapshot"),
        lambda s: s.snapshots(lambda each: each["created"]),
    ),
    "hypervisor_snapshot_size_bytes": (("guest", "snapshot"), lambda s: s.snapshots(lambda each: each["bytes"])),
    "hypervisor_snapshot_info": (
        ("guest", "snapshot", "parent_id", "current", "state", "memory"),
        lambda s: {
            (guest, name, each["parent"], each["current"], each["state"], each["memory"]): 1
            for guest, found in s.facts.snapshots.items()
            for name, each in found.items()
        },
    ),
    "hypervisor_host_info": (("host", "host_id"), lambda s: {host(s): 1}),
    "hypervisor_host_up": (("host",), lambda s: {host(s)[:1]: 1}),
    "hypervisor_host_state": (("state",), lambda _: {("connected",): 1}),
    "hypervisor_host_cpu_busy_seconds_total": ((), lambda s: {(): (s.before.busy, s.after.busy)}),
    "hypervisor_host_cpu_sockets": ((), lambda _: {(): topology()[0]}),
    "hypervisor_host_cpu_cores": ((), lambda _: {(): topology()[1]}),
    "hypervisor_host_cpu_threads": ((), lambda _: {(): topology()[2]}),
    "hypervisor_host_cpu_capacity_cpus": ((), lambda _: {(): topology()[2]}),
    "hypervisor_host_cpu_frequency_hertz": ((), lambda _: {(): (megahertz() * 5e5, megahertz() * 2e6)}),
    "hypervisor_host_memory_capacity_bytes": ((), memory(lambda meminfo: meminfo["MemTotal"], blur=0)),
    "hypervisor_host_memory_available_bytes": ((), memory(available)),
    "hypervisor_host_memory_used_bytes": ((), memory(lambda meminfo: meminfo["MemTotal"] - available(meminfo))),
    "hypervisor_host_numa_memory_free_bytes": (("numa_node",), nodes),
    "hypervisor_host_hugepages_free": (("page_size_bytes",), lambda _: {(k,): v for k, v in hugepages_free().items()}),
    "hypervisor_host_migrations": (("direction",), lambda _: {("in",): 0, ("out",): 0}),
    "hypervisor_host_guests": (("state",), counted_states),
    "hypervisor_host_vcpus_allocated": ((), allocated("vcpu.current", 1)),
    "hypervisor_host_memory_allocated_bytes": ((), allocated("balloon.maximum", KIB)),
    "hypervisor_host_memory_assigned_bytes": ((), allocated("balloon.current", KIB)),
    "hypervisor_storage_info": (
        ("storage", "storage_id", "backing"),
        lambda s: {(name, each["UUID"], "dir"): 1 for name, each in s.facts.pools.items()},
    ),
    "hypervisor_storage_accessible": (
        ("storage",),
        lambda s: {(name,): each["State"] == "running" for name, each in s.facts.pools.items()},
    ),
    "hypervisor_storage_capacity_bytes": (("storage",), pools("Capacity")),
    "hypervisor_storage_free_bytes": (("storage",), pools("Available")),
    "hypervisor_storage_provisioned_bytes": (("storage",), provisioned),
}


def host(seen: Seen) -> tuple[str, str]:
    lab = seen.facts.lab
    return lab.virsh("hostname").strip(), re.search(r"<uuid>(.+)</uuid>", lab.virsh("capabilities"))[1]


def test_there_is_an_oracle_for_every_family(seen):
    exported = {name for name, labels, _ in seen.page.samples if labels.keys() & {"guest_id", "host_id", "storage_id"}}
    assert exported == ORACLES.keys()
    assert len(seen.facts.names) > 25


@pytest.mark.parametrize("family", ORACLES)
def test_every_series_is_what_other_tools_say(seen, family):
    names, oracle = ORACLES[family]
    expected = oracle(seen)
    found = {tuple(labels[name] for name in names): value for labels, value in seen.page.find(family)}
    assert len(found) == len(seen.page.find(family))
    assert found.keys() == expected.keys()
    for key, value in found.items():
        wanted = expected[key]
        if isinstance(wanted, tuple):
            low, high = wanted
            assert low - 1e-6 <= value <= high + 1e-6, key
        else:
            assert value == wanted, key


def test_every_series_bears_the_id_of_its_guest(seen):
    told = {(labels["guest"], labels["guest_id"]) for _, labels, _ in seen.page.samples if "guest" in labels}
    assert told == set(seen.facts.uuids.items())


def test_nothing_was_a_problem(seen):
    assert [labels for labels, value in seen.page.find("hypervisor_target_problems") if value] == []
