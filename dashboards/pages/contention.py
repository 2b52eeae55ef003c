"""Who waits, who makes them wait, and on which host."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, because, course, how_many, limits, number, table, untold
from dashboards.lib.variables import (
    CHOSEN,
    COMPUTE_CLUSTER,
    HOST,
    MIN_STEP,
    ON_HOST,
    PLATFORM,
    TARGET,
    last_placed,
    rate,
    top,
)
from dashboards.rules.settings import Settings

_READY = f"guest:hypervisor_cpu_ready:ratio_rate{{{ON_HOST}}}"
_PLACED = f"* on (target, guest_id) group_left (guest, host) {last_placed(ON_HOST)}"
_NO_READY = untold("the time guests wait for a CPU")


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "contention",
        "Contention and noisy neighbours",
        "Who waits, who makes them wait, and on which host.",
        (
            Row("Who waits for a CPU?", _cpu(settings)),
            Row("Who takes the CPU?", _noisy(settings)),
            Row("Who waits for a disk, and who keeps it busy?", _disks(settings)),
            Row("From whom is memory taken?", _memory(settings)),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, HOST, MIN_STEP),
    )


def _cpu(settings: Settings) -> tuple[Panel, ...]:
    ready = limits(settings.guest_cpu_ready)
    return (
        number(
            "Guests that wait too long",
            f"Guests that wait for a CPU more than {settings.guest_cpu_ready:.0%} of the time.",
            how_many(_READY, f"> {settings.guest_cpu_ready:g}"),
            warns=limits(1),
            width=6,
            no_data=_NO_READY,
        ),
        number(
            "The longest wait",
            "Share of the time that the virtual CPUs of one guest wait.",
            f"max({_READY})",
            unit=Unit.SHARE,
            warns=ready,
            width=6,
            no_data=_NO_READY,
        ),
        number(
            "Busiest host",
            "Share of its CPUs that is busy.",
            f"max(host:hypervisor_cpu_busy:ratio_rate{{{ON_HOST}}})",
            unit=Unit.SHARE,
            warns=limits(settings.host_cpu),
            width=6,
            no_data=untold("how busy hosts are"),
        ),
        number(
            "The longest wait for siblings",
            "Virtual CPUs of one guest that wait for each other.",
            f"max(guest:hypervisor_cpu_costop:ratio_rate{{{ON_HOST}}})",
            unit=Unit.SHARE,
            warns=limits(settings.guest_cpu_costop),
            width=6,
            no_data=untold("of co-stop"),
        ),
        course(
            "Which guests wait the most?",
            "Share of the time that a virtual CPU is ready and waits; the 10 longest.",
            (top(10, _READY), "{{guest}} on {{host}}"),
            unit=Unit.SHARE,
            warns=ready,
            no_data=_NO_READY,
        ),
        course(
            "On which hosts do guests wait?",
            "The mean of the guests on each host; the 10 longest.",
            (
                f"avg by (host) ({_READY}) and topk(10, avg by (host) (max_over_time({_READY}[$__range] @ end())))",
                "{{host}}",
            ),
            unit=Unit.SHARE,
            warns=ready,
            no_data=_NO_READY,
        ),
    )


def _noisy(settings: Settings) -> tuple[Panel, ...]:
    used = rate("hypervisor_guest_cpu_seconds_total", CHOSEN, "guest_id")
    return (
        bars(
            "Which guests use the most CPU?",
            "Virtual CPUs that are busy, now.",
            f"topk(9, {used}\n{_PLACED})",
            "{{guest}} on {{host}}",
        ),
        table(
            "Which hosts are busy, and how much is promised there?",
            "CPU in use now, virtual CPUs for each core, and how many guests wait there.",
            f"host:hypervisor_cpu_busy:ratio_rate{{{ON_HOST}}}",
            f"host:hypervisor_cpu_overcommit:ratio{{{ON_HOST}}}",
            f"count by (target, host) ({_READY} > {settings.guest_cpu_ready:g})\n"
            f"or 0 * count by (target, host) ({_READY})",
            by="target, host",
            columns=(
                Column("host", "Host", to="host"),
                Column("target", "Target"),
                Column("Value #A", "CPU busy", Unit.SHARE, limits(settings.host_cpu), width=120),
                Column(
                    "Value #B",
                    "Virtual CPUs per core",
                    Unit.SHORT,
                    limits(settings.cpu_overcommit),
                    width=180,
                    decimals=2,
                ),
                Column("Value #C", "Guests that wait", Unit.SHORT, limits(1), width=140),
            ),
            width=12,
            height=8,
            sort="CPU busy",
        ),
    )


def _disks(settings: Settings) -> tuple[Panel, ...]:
    operations = " + ".join(
        f"sum by (target, guest_id) ({rate(f'hypervisor_guest_disk_{what}_total', CHOSEN, 'guest_id', 'disk')})"
        for what in ("reads", "writes")
    )
    written = " + ".join(
        f"sum by (target, guest_id) ({rate(f'hypervisor_guest_disk_{what}_bytes_total', CHOSEN, 'guest_id', 'disk')})"
        for what in ("read", "written")
    )
    latency = limits(settings.guest_disk_latency)
    return (
        course(
            "Which disks are the slowest?",
            "Mean time of a read or a write; the five slowest of each.",
            (top(5, f"guest_disk:hypervisor_read_latency:seconds_rate{{{ON_HOST}}}"), "{{guest}} {{disk}} read"),
            (top(5, f"guest_disk:hypervisor_write_latency:seconds_rate{{{ON_HOST}}}"), "{{guest}} {{disk}} write"),
            unit=Unit.SECONDS,
            warns=latency,
            width=24,
            no_data=untold("how long operations of a disk take"),
        ),
        bars(
            "Which guests ask the most of their disks?",
            "Reads and writes per second, now.",
            f"topk(9, ({operations})\n{_PLACED})",
            "{{guest}} on {{host}}",
            unit=Unit.PER_SECOND,
        ),
        bars(
            "Which guests move the most data?",
            "Bytes per second that their disks read and write, now.",
            f"topk(9, ({written})\n{_PLACED})",
            "{{guest}} on {{host}}",
            unit=Unit.BYTES_PER_SECOND,
        ),
    )


def _memory(settings: Settings) -> tuple[Panel, ...]:
    def taken(what: str) -> str:
        by, family = "max by (target, guest, guest_id)", f"hypervisor_guest_memory_{what}_bytes{{{CHOSEN}}}"
        return f"{by} ({family})\nand topk(10, {by} (max_over_time({family}[$__range] @ end())) > 0)"

    return (
        course(
            "From whom does the host take memory?",
            "Memory in balloons and in swap, by guest; the 10 most of each, on all hosts of the chosen targets.",
            (taken("ballooned"), "{{guest}} balloon"),
            (taken("swapped"), "{{guest}} swap"),
            unit=Unit.BYTES,
            no_data=because("no memory is taken, or nothing that is chosen tells of balloons and swap"),
        ),
        course(
            "Which hosts are short of memory?",
            "Share of the memory that is used; the 10 fullest.",
            (top(10, f"host:hypervisor_memory_used:ratio{{{ON_HOST}}}"), "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_memory),
            highest=1,
        ),
    )
