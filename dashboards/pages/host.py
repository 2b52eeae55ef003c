"""One host: is it up, is it busy, is it full, and which of its guests make it so."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, course, limits, number, table, untold
from dashboards.lib.variables import (
    CHOSEN,
    COMPUTE_CLUSTER,
    HOST,
    MIN_STEP,
    ON_HOST,
    PLATFORM,
    TARGET,
    rate,
    value,
)
from dashboards.rules.settings import Settings

_OF = f'{CHOSEN}, host=~"$host"'
_ID = ("host", "host_id")


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "host",
        "Host",
        "One host: is it up, is it busy, is it full, and which of its guests make it so.",
        (
            Row("Is it up?", _up()),
            Row("Is it busy?", _busy(settings)),
            Row("Which guests use it?", _guests(settings)),
            Row("Does its network work?", _network()),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, HOST, MIN_STEP),
    )


def _up() -> tuple[Panel, ...]:
    return (
        number(
            "Hosts that are down",
            "Hosts that are down or not connected.",
            f"count({value('hypervisor_host_up', _OF, *_ID)} == 0) or vector(0)",
            warns=limits(critical=1),
        ),
        number(
            "Up since",
            "Time since the host started; the shortest where several are chosen.",
            f"min(time() - {value('hypervisor_host_boot_timestamp_seconds', _OF, *_ID)})",
            unit=Unit.SECONDS,
            no_data=untold("when a host started"),
        ),
        number("Cores", "Physical cores.", f"sum({value('hypervisor_host_cpu_cores', _OF, *_ID)})"),
        number(
            "Memory",
            "Memory that is built in.",
            f"sum({value('hypervisor_host_memory_capacity_bytes', _OF, *_ID)})",
            unit=Unit.BYTES,
        ),
        number(
            "Guests that run",
            "Guests that run on the host.",
            f'sum(max by (target, host_id) (hypervisor_host_guests{{{_OF}, state="running"}}))',
        ),
        number(
            "Power",
            "What it draws.",
            f"sum({rate('hypervisor_host_power_joules_total', _OF, *_ID)})",
            unit=Unit.WATT,
            no_data=untold("the power it draws"),
        ),
    )


def _busy(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How busy are its CPUs?",
            "Share of all logical processors that is busy, the hypervisor's own work included.",
            (f"host:hypervisor_cpu_busy:ratio_rate{{{ON_HOST}}}", "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_cpu),
            highest=1,
        ),
        course(
            "How full is its memory?",
            "Share of the memory that is used; what the platform counts as used differs, see the host's description.",
            (f"host:hypervisor_memory_used:ratio{{{ON_HOST}}}", "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_memory),
            highest=1,
        ),
        course(
            "How much is promised?",
            "Memory that guests may take, and virtual CPUs for each core.",
            (f"host:hypervisor_memory_overcommit:ratio{{{ON_HOST}}}", "{{host}} memory"),
            (f"host:hypervisor_cpu_overcommit:ratio{{{ON_HOST}}}", "{{host}} virtual CPUs per core"),
            unit=Unit.SHORT,
        ),
        course(
            "Does it take memory back from its guests?",
            "Memory that balloons hold and that lies in swap. Both should be 0.",
            (value("hypervisor_host_memory_ballooned_bytes", _OF, *_ID), "{{host}} balloons"),
            (value("hypervisor_host_memory_swap_used_bytes", _OF, *_ID), "{{host}} swap"),
            unit=Unit.BYTES,
            no_data=untold("of balloons and swap"),
        ),
    )


def _guests(settings: Settings) -> tuple[Panel, ...]:
    return (
        bars(
            "Which guests use the most CPU?",
            "Virtual CPUs that are busy.",
            f"topk(10, {rate('hypervisor_guest_cpu_seconds_total', CHOSEN, 'guest_id')}\n"
            f"* on (target, guest_id) group_left (guest) guest:hypervisor_info:placed{{{ON_HOST}}})",
            "{{guest}}",
        ),
        bars(
            "Which guests wait the most?",
            "Share of the time that a virtual CPU is ready and waits.",
            f"topk(10, guest:hypervisor_cpu_ready:ratio_rate{{{ON_HOST}}})",
            "{{guest}}",
            unit=Unit.SHARE,
            warns=limits(settings.guest_cpu_ready),
            no_data=untold("the time guests wait for a CPU"),
        ),
        table(
            "Which guests are here?",
            "Guests on the host, with the share of their virtual CPUs that is busy.",
            f"guest:hypervisor_cpu:ratio_rate{{{ON_HOST}}}",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("host", "Host"),
                Column("Value", "CPU busy", Unit.SHARE),
            ),
        ),
    )


def _network() -> tuple[Panel, ...]:
    none = untold("of physical adapters")
    return (
        course(
            "How much goes through its adapters?",
            "Bytes per second of all physical adapters.",
            *(
                (
                    f"sum by (host) ({rate(f'hypervisor_host_network_{way}_bytes_total', _OF, *_ID, 'nic')})",
                    f"{{{{host}}}} {way}",
                )
                for way in ("receive", "transmit")
            ),
            unit=Unit.BYTES_PER_SECOND,
            no_data=none,
        ),
        course(
            "Do its adapters lose packets?",
            "Errors and drops per second of all physical adapters.",
            *(
                (
                    f"sum by (host) ({rate(f'hypervisor_host_network_{way}_{what}_total', _OF, *_ID, 'nic')})",
                    f"{{{{host}}}} {way} {what}",
                )
                for way in ("receive", "transmit")
                for what in ("errors", "drops")
            ),
            unit=Unit.PACKETS_PER_SECOND,
            no_data=none,
        ),
    )
