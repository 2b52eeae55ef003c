"""One guest: does it run, does it wait, and for what."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import course, limits, number, table, untold
from dashboards.lib.variables import (
    COMPUTE_CLUSTER,
    GUEST,
    HOST,
    MIN_STEP,
    OF_GUEST,
    PLATFORM,
    TARGET,
    rate,
    value,
)
from dashboards.rules.settings import Settings

_ID = ("guest", "guest_id")
_PLACED = OF_GUEST


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "guest",
        "Guest",
        "One guest: does it run, does it wait, and for what.",
        (
            Row("What is it?", _what(settings)),
            Row("Does it get the CPU and memory it wants?", _gets(settings)),
            Row("What do its disks and adapters do?", _parts(settings)),
            Row("Is it full, is it protected?", _protected(settings)),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, HOST, GUEST, MIN_STEP),
    )


def _what(settings: Settings) -> tuple[Panel, ...]:
    age = limits(settings.snapshot_age_warning, settings.snapshot_age_critical)
    return (
        number("Guests that run", "Of those chosen.", f"sum({value('hypervisor_guest_running', OF_GUEST, *_ID)})"),
        number("Virtual CPUs", "Of those chosen.", f"sum({value('hypervisor_guest_vcpus', OF_GUEST, *_ID)})"),
        number(
            "Memory",
            "The most it may take without an administrator.",
            f"sum({value('hypervisor_guest_memory_configured_bytes', OF_GUEST, *_ID)})",
            unit=Unit.BYTES,
        ),
        number(
            "Up since",
            "Time since it started; the shortest where several are chosen.",
            f"min(time() - {value('hypervisor_guest_boot_timestamp_seconds', OF_GUEST, *_ID)})",
            unit=Unit.SECONDS,
            no_data=untold("when a guest started"),
        ),
        number(
            "Oldest snapshot",
            "Age of the oldest snapshot.",
            f"max(guest:hypervisor_oldest_snapshot:age_seconds{{{OF_GUEST}}})",
            unit=Unit.SECONDS,
            warns=age,
            no_data="no snapshot",
        ),
        number(
            "Agents that do not answer",
            "Guests that run, with an agent that does not answer.",
            f"count({value('hypervisor_guest_agent_up', OF_GUEST, *_ID)} == 0 "
            f"and {value('hypervisor_guest_running', OF_GUEST, *_ID)} == 1) or vector(0)",
            warns=limits(1),
        ),
        table(
            "Where is it?",
            "What the hypervisor says about it.",
            f"max by (target, platform, guest, host, compute_cluster, os, kind, role, folder, tags) "
            f"(hypervisor_guest_info{{{OF_GUEST}}})",
            columns=tuple(
                Column(label, heading, to=to)
                for label, heading, to in (
                    ("guest", "Guest", ""),
                    ("host", "Host", "host"),
                    ("compute_cluster", "Cluster", "cluster"),
                    ("target", "Target", ""),
                    ("platform", "Platform", ""),
                    ("os", "Operating system", ""),
                    ("kind", "Kind", ""),
                    ("role", "Role", ""),
                    ("tags", "Tags", ""),
                )
            ),
            height=6,
        ),
    )


def _gets(settings: Settings) -> tuple[Panel, ...]:
    def memory(what: str) -> tuple[str, str]:
        return value(f"hypervisor_guest_memory_{what}_bytes", OF_GUEST, *_ID), f"{{{{guest}}}} {what.replace('_', ' ')}"

    return (
        course(
            "How busy are its virtual CPUs?",
            "Share of the time that its virtual CPUs run.",
            (f"guest:hypervisor_cpu:ratio_rate{{{_PLACED}}}", "{{guest}}"),
            unit=Unit.SHARE,
            highest=1,
        ),
        course(
            "Does it wait for a CPU?",
            "Share of the time that a virtual CPU is ready and waits, or waits for its siblings.",
            (f"guest:hypervisor_cpu_ready:ratio_rate{{{_PLACED}}}", "{{guest}} ready"),
            (f"guest:hypervisor_cpu_costop:ratio_rate{{{_PLACED}}}", "{{guest}} co-stop"),
            unit=Unit.SHARE,
            warns=limits(settings.guest_cpu_ready),
            no_data=untold("the time guests wait for a CPU"),
        ),
        course(
            "How much memory has it, and how much does the host give?",
            "What it may take, what it has now, and what it uses on the host.",
            memory("configured"),
            memory("assigned"),
            memory("host_used"),
            unit=Unit.BYTES,
        ),
        course(
            "Does the host take memory back?",
            "Balloon and swap should be 0; pressure above 1 means that the guest wants more than it has.",
            memory("ballooned"),
            memory("swapped"),
            unit=Unit.BYTES,
            no_data=untold("of balloons and swap"),
        ),
    )


def _parts(settings: Settings) -> tuple[Panel, ...]:
    disk, nic = (*_ID, "disk"), (*_ID, "nic")
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
            (f"guest_disk:hypervisor_read_latency:seconds_rate{{{_PLACED}}}", "{{guest}} {{disk}} read"),
            (f"guest_disk:hypervisor_write_latency:seconds_rate{{{_PLACED}}}", "{{guest}} {{disk}} write"),
            unit=Unit.SECONDS,
            warns=limits(settings.guest_disk_latency),
            no_data=untold("how long operations of a disk take"),
        ),
        course(
            "How much goes through its adapters?",
            "Bytes per second from the guest's point of view, by adapter.",
            (rate("hypervisor_guest_network_receive_bytes_total", OF_GUEST, *nic), "{{guest}} {{nic}} receive"),
            (rate("hypervisor_guest_network_transmit_bytes_total", OF_GUEST, *nic), "{{guest}} {{nic}} transmit"),
            unit=Unit.BYTES_PER_SECOND,
        ),
    )


def _protected(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How full are its file systems?",
            "Share of each file system that is used, as its agent says.",
            (f"guest:hypervisor_filesystem_used:ratio{{{_PLACED}}}", "{{guest}} {{mountpoint}}"),
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
            f"max by (guest, disk, storage, path, format) (hypervisor_guest_disk_info{{{OF_GUEST}}})",
            f"max by (guest, disk) (hypervisor_guest_disk_capacity_bytes{{{OF_GUEST}}})",
            f"max by (guest, disk) (hypervisor_guest_disk_allocated_bytes{{{OF_GUEST}}})",
            columns=(
                Column("guest", "Guest"),
                Column("disk", "Disk"),
                Column("storage", "Storage", to="storage"),
                Column("path", "File"),
                Column("Value #B", "Size", Unit.BYTES),
                Column("Value #C", "Allocated", Unit.BYTES),
            ),
        ),
    )
