"""One guest: does it run, does it wait, and for what."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import because, course, how_many, limits, number, table, untold, word
from dashboards.lib.variables import (
    COMPUTE_CLUSTER,
    HOST,
    MIN_STEP,
    OF_GUEST,
    PLATFORM,
    TARGET,
    THE_GUEST,
    rate,
    value,
)
from dashboards.rules.settings import Settings

_ID = ("guest", "guest_id")


def _per_cpu(what: str) -> str:
    """Share of the time of its virtual CPUs. Not the recorded one, which leaves replicas out: here they are chosen."""
    used = rate(f"hypervisor_guest_{what}_seconds_total", OF_GUEST, *_ID)
    return f"{used}\n/ {value('hypervisor_guest_vcpus', OF_GUEST, *_ID)}"


def _latency(kind: str, count: str) -> str:
    """Seconds that an operation takes on average, by disk; nothing while there are none."""
    seconds = rate(f"hypervisor_guest_disk_{kind}_seconds_total", OF_GUEST, *_ID, "disk")
    return f"{seconds}\n/ ({rate(f'hypervisor_guest_disk_{count}_total', OF_GUEST, *_ID, 'disk')} > 0)"


def _adapter(way: str) -> str:
    """Bytes per second by adapter; its network and hardware address say more than its key, where they are known."""
    moved = rate(f"hypervisor_guest_network_{way}_bytes_total", OF_GUEST, *_ID, "nic")
    known = (
        "topk by (target, guest_id, nic) (1, max by (target, guest_id, nic, network, mac) "
        f"(hypervisor_guest_network_info{{{OF_GUEST}}}))"
    )
    return (
        f'label_join({moved}\n* on (target, guest_id, nic) group_left (network, mac) {known}, "adapter", " ", '
        f'"network", "mac")\nor on (target, guest_id, nic) label_join({moved}, "adapter", "", "nic")'
    )


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "guest",
        "Guest",
        "One guest: does it run, does it wait, and for what.",
        (
            Row("What is it?", _what(settings)),
            Row("Does it get the CPU it wants?", _cpu(settings)),
            Row("Does it get the memory it wants?", _memory(settings)),
            Row("What do its disks and adapters do?", _parts(settings)),
            Row("Is it full, is it protected?", _protected(settings)),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, HOST, THE_GUEST, MIN_STEP),
    )


def _what(settings: Settings) -> tuple[Panel, ...]:
    age = limits(settings.snapshot_age_warning, settings.snapshot_age_critical)
    return (
        word(
            "State",
            "As its hypervisor says.",
            f"max by (guest, state) (hypervisor_guest_state{{{OF_GUEST}}})",
            "state",
            no_data=untold("a state"),
        ),
        number(
            "Up for",
            "Since it started.",
            f"min(time() - {value('hypervisor_guest_boot_timestamp_seconds', OF_GUEST, *_ID)})",
            unit=Unit.SECONDS,
            no_data=untold("when a guest started"),
        ),
        number(
            "Virtual CPUs",
            "It has them now.",
            f"sum({value('hypervisor_guest_vcpus', OF_GUEST, *_ID)})",
            no_data=untold("of virtual CPUs"),
        ),
        number(
            "Memory",
            "The most it may take.",
            f"sum({value('hypervisor_guest_memory_configured_bytes', OF_GUEST, *_ID)})",
            unit=Unit.BYTES,
            no_data=untold("of memory"),
        ),
        number(
            "Oldest snapshot",
            "Its age.",
            f"max(guest:hypervisor_oldest_snapshot:age_seconds{{{OF_GUEST}}})",
            unit=Unit.SECONDS,
            warns=age,
            no_data=because("no snapshot"),
            to="snapshots",
        ),
        number(
            "Agents not answering",
            "Though the guest runs.",
            how_many(
                f"{value('hypervisor_guest_agent_up', OF_GUEST, *_ID)} "
                f"and {value('hypervisor_guest_running', OF_GUEST, *_ID)} == 1",
                "== 0",
            ),
            warns=limits(1),
            no_data=because("no agent"),
        ),
        table(
            "Where is it?",
            "What its hypervisor says about it.",
            f"hypervisor_guest_info{{{OF_GUEST}}}",
            columns=(
                Column("guest", "Guest"),
                Column("host", "Host", to="host"),
                Column("compute_cluster", "Cluster", to="cluster"),
                Column("target", "Target"),
                Column("platform", "Platform", width=100),
                Column("os", "Operating system", width=300),
                Column("kind", "Kind", width=90),
                Column("role", "Role", width=90),
                Column("folder", "Folder"),
                Column("tags", "Tags"),
            ),
            by="target, platform, guest, guest_id, host, compute_cluster, os, kind, role, folder, tags",
            height=4,
        ),
    )


def _cpu(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How busy are its virtual CPUs?",
            "Share of the time that its virtual CPUs run.",
            (_per_cpu("cpu"), "{{guest}}"),
            unit=Unit.SHARE,
            highest=1,
        ),
        course(
            "Does it wait for a CPU?",
            "Share of the time that a virtual CPU is ready and waits, or waits for its siblings.",
            (_per_cpu("cpu_ready"), "{{guest}} ready"),
            (_per_cpu("cpu_costop"), "{{guest}} co-stop"),
            unit=Unit.SHARE,
            warns=limits(settings.guest_cpu_ready),
            no_data=untold("the time guests wait for a CPU"),
        ),
    )


def _memory(settings: Settings) -> tuple[Panel, ...]:
    def memory(what: str) -> tuple[str, str]:
        return value(f"hypervisor_guest_memory_{what}_bytes", OF_GUEST, *_ID), f"{{{{guest}}}} {what.replace('_', ' ')}"

    return (
        course(
            "How much has it, and how much does it use?",
            "What it may take, what it has now, what lies in the host's memory, and what it uses itself.",
            memory("configured"),
            memory("assigned"),
            memory("host_used"),
            memory("used"),
            unit=Unit.BYTES,
            width=8,
        ),
        course(
            "Does the host take memory back?",
            "Memory in balloons, and in the host's swap. Both should be 0.",
            memory("ballooned"),
            memory("swapped"),
            unit=Unit.BYTES,
            width=8,
            no_data=untold("of balloons and swap"),
        ),
        course(
            "Does it want more than it has?",
            "What it asks for over what it has; above 100% it swaps or waits.",
            (value("hypervisor_guest_memory_pressure_ratio", OF_GUEST, *_ID), "{{guest}}"),
            unit=Unit.SHARE,
            warns=limits(settings.guest_memory_pressure),
            width=8,
            no_data=untold("of pressure"),
        ),
    )


def _parts(settings: Settings) -> tuple[Panel, ...]:
    disk = (*_ID, "disk")
    return (
        course(
            "How much do its disks read and write?",
            "Bytes per second, by disk.",
            (rate("hypervisor_guest_disk_read_bytes_total", OF_GUEST, *disk), "{{guest}} {{disk}} read"),
            (rate("hypervisor_guest_disk_written_bytes_total", OF_GUEST, *disk), "{{guest}} {{disk}} written"),
            unit=Unit.BYTES_PER_SECOND,
        ),
        course(
            "How many operations is that?",
            "Reads and writes per second, by disk.",
            (rate("hypervisor_guest_disk_reads_total", OF_GUEST, *disk), "{{guest}} {{disk}} reads"),
            (rate("hypervisor_guest_disk_writes_total", OF_GUEST, *disk), "{{guest}} {{disk}} writes"),
            unit=Unit.PER_SECOND,
        ),
        course(
            "How long does an operation take?",
            "Mean time of reads and writes, by disk.",
            (_latency("read", "reads"), "{{guest}} {{disk}} read"),
            (_latency("write", "writes"), "{{guest}} {{disk}} write"),
            unit=Unit.SECONDS,
            warns=limits(settings.guest_disk_latency),
            no_data=untold("how long operations of a disk take"),
        ),
        course(
            "How much goes through its adapters?",
            "Bytes per second from the guest's point of view, by adapter.",
            (_adapter("receive"), "{{guest}} {{adapter}} receive"),
            (_adapter("transmit"), "{{guest}} {{adapter}} transmit"),
            unit=Unit.BYTES_PER_SECOND,
        ),
    )


def _protected(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How full are its file systems?",
            "Share of each file system that is used, as its agent says.",
            (f"guest:hypervisor_filesystem_used:ratio{{{OF_GUEST}}}", "{{guest}} {{mountpoint}}"),
            unit=Unit.SHARE,
            warns=limits(settings.guest_filesystem_used),
            highest=1,
            no_data=untold("of guests' file systems"),
        ),
        course(
            "Do its snapshots grow?",
            "Bytes that its snapshots hold.",
            (f"guest:hypervisor_snapshots_size:bytes{{{OF_GUEST}}}", "{{guest}}"),
            unit=Unit.BYTES,
            no_data=untold("the size of snapshots"),
        ),
        table(
            "Which disks has it?",
            "Where each disk lies, and how large it may grow.",
            f"max by (target, guest, guest_id, disk, storage, path, format) (hypervisor_guest_disk_info{{{OF_GUEST}}})",
            f"hypervisor_guest_disk_capacity_bytes{{{OF_GUEST}}}",
            f"hypervisor_guest_disk_allocated_bytes{{{OF_GUEST}}}",
            by="target, guest, guest_id, disk",
            columns=(
                Column("guest", "Guest"),
                Column("disk", "Disk"),
                Column("storage", "Storage", to="storage"),
                Column("path", "File"),
                Column("format", "Format", width=90),
                Column("Value #B", "Size", Unit.BYTES, width=110),
                Column("Value #C", "Allocated", Unit.BYTES, width=110),
            ),
            height=6,
        ),
    )
