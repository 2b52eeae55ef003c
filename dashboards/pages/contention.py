"""Who waits, who makes them wait, and on which host."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, course, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, COMPUTE_CLUSTER, HOST, MIN_STEP, ON_HOST, PLATFORM, TARGET, rate
from dashboards.rules.settings import Settings

_READY = f"guest:hypervisor_cpu_ready:ratio_rate{{{ON_HOST}}}"
_PLACED = f"* on (target, guest_id) group_left (guest, host) guest:hypervisor_info:placed{{{ON_HOST}}}"
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
            f"Guests whose virtual CPUs wait more than {settings.guest_cpu_ready:.0%} of the time.",
            f"count({_READY} > {settings.guest_cpu_ready:g}) or vector(0)",
            warns=limits(1),
            width=6,
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
        ),
        number(
            "The longest wait for siblings",
            "Share of the time that virtual CPUs of one guest are stopped to wait for each other.",
            f"max(guest:hypervisor_cpu_costop:ratio_rate{{{ON_HOST}}})",
            unit=Unit.SHARE,
            warns=limits(settings.guest_cpu_costop),
            width=6,
            no_data=untold("of co-stop"),
        ),
        course(
            "Which guests wait the most?",
            "Share of the time that a virtual CPU is ready and waits.",
            (f"topk(10, {_READY})", "{{guest}} on {{host}}"),
            unit=Unit.SHARE,
            warns=ready,
            no_data=_NO_READY,
        ),
        course(
            "On which hosts do guests wait?",
            "The mean of the guests on each host.",
            (f"avg by (host) ({_READY})", "{{host}}"),
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
            "Virtual CPUs that are busy.",
            f"topk(15, {used}\n{_PLACED})",
            "{{guest}} on {{host}}",
        ),
        table(
            "Which hosts are busy, and how much is promised there?",
            "CPU in use, and virtual CPUs for each core.",
            f"host:hypervisor_cpu_busy:ratio_rate{{{ON_HOST}}}",
            f"host:hypervisor_cpu_overcommit:ratio{{{ON_HOST}}}",
            columns=(
                Column("host", "Host", to="host"),
                Column("Value #A", "CPU busy", Unit.SHARE, limits(settings.host_cpu)),
                Column("Value #B", "Virtual CPUs per core", Unit.SHORT, limits(settings.cpu_overcommit)),
            ),
            width=12,
            height=8,
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
            "Mean time of an operation.",
            (f"topk(10, guest_disk:hypervisor_read_latency:seconds_rate{{{ON_HOST}}})", "{{guest}} {{disk}} read"),
            (f"topk(10, guest_disk:hypervisor_write_latency:seconds_rate{{{ON_HOST}}})", "{{guest}} {{disk}} write"),
            unit=Unit.SECONDS,
            warns=latency,
            no_data=untold("how long operations of a disk take"),
        ),
        bars(
            "Which guests ask the most of their disks?",
            "Reads and writes per second.",
            f"topk(10, ({operations})\n{_PLACED})",
            "{{guest}} on {{host}}",
            unit=Unit.PER_SECOND,
        ),
        bars(
            "Which guests move the most data?",
            "Bytes per second that disks read and write.",
            f"topk(10, ({written})\n{_PLACED})",
            "{{guest}} on {{host}}",
            unit=Unit.BYTES_PER_SECOND,
        ),
    )


def _memory(settings: Settings) -> tuple[Panel, ...]:
    def taken(what: str) -> str:
        return f"topk(10, max by (target, guest, guest_id) (hypervisor_guest_memory_{what}_bytes{{{CHOSEN}}}) > 0)"

    return (
        course(
            "From whom does the host take memory?",
            "Memory in balloons and in swap, by guest.",
            (taken("ballooned"), "{{guest}} balloon"),
            (taken("swapped"), "{{guest}} swap"),
            unit=Unit.BYTES,
            no_data="no memory is taken, or no chosen target tells of balloons and swap",
        ),
        course(
            "Which hosts are short of memory?",
            "Share of the memory that is used.",
            (f"topk(10, host:hypervisor_memory_used:ratio{{{ON_HOST}}})", "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_memory),
            highest=1,
        ),
    )
