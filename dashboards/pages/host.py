"""One host: is it up, is it busy, is it full, and which of its guests make it so."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, course, enough, limits, number, table, untold, word
from dashboards.lib.variables import (
    CHOSEN,
    COMPUTE_CLUSTER,
    MIN_STEP,
    OF_HOST,
    ON_HOST,
    PLATFORM,
    TARGET,
    THE_HOST,
    last_placed,
    rate,
    value,
)
from dashboards.rules.settings import Settings

_ID = ("host", "host_id")
_HERE = f"* on (target, guest_id) group_left (guest) {last_placed(ON_HOST)}"


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "host",
        "Host",
        "One host: is it up, is it busy, is it full, and which of its guests make it so.",
        (
            Row("Is it up, and how large is it?", _up(settings)),
            Row("Is it busy?", _busy(settings)),
            Row("Which guests use it?", _guests(settings)),
            Row("Does its network work, and is its hardware well?", (*_network(), _hardware(settings))),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, THE_HOST, MIN_STEP),
    )


def _up(settings: Settings) -> tuple[Panel, ...]:
    return (
        word(
            "State",
            "As its endpoint says.",
            f"max by (host, state) (hypervisor_host_state{{{OF_HOST}}})",
            "state",
            width=3,
            no_data=untold("a state"),
        ),
        number(
            "Up for",
            "Since it started.",
            f"min(time() - {value('hypervisor_host_boot_timestamp_seconds', OF_HOST, *_ID)})",
            unit=Unit.SECONDS,
            width=3,
            no_data=untold("when a host started"),
        ),
        number(
            "Guests that run",
            "On this host, now.",
            f'sum(max by (target, host_id) (hypervisor_host_guests{{{OF_HOST}, state="running"}}))',
            width=3,
            no_data=untold("of guests"),
        ),
        number(
            "Cores",
            "Physical ones.",
            f"sum({value('hypervisor_host_cpu_cores', OF_HOST, *_ID)})",
            width=3,
            no_data=untold("of cores"),
        ),
        number(
            "vCPUs per core",
            "Virtual CPUs of guests that run over physical cores.",
            f"max(host:hypervisor_cpu_overcommit:ratio{{{ON_HOST}}})",
            warns=limits(settings.cpu_overcommit),
            width=3,
            no_data=untold("how many virtual CPUs are promised"),
        ),
        number(
            "Memory",
            "Built in.",
            f"sum({value('hypervisor_host_memory_capacity_bytes', OF_HOST, *_ID)})",
            unit=Unit.BYTES,
            width=3,
            no_data=untold("of memory"),
        ),
        number(
            "Promised",
            "Memory that its guests may take over what it has.",
            f"max(host:hypervisor_memory_overcommit:ratio{{{ON_HOST}}})",
            unit=Unit.SHARE,
            warns=limits(settings.memory_overcommit),
            width=3,
            no_data=untold("how much memory is promised"),
        ),
        number(
            "Power",
            "What it draws.",
            f"sum({rate('hypervisor_host_power_joules_total', OF_HOST, *_ID)})",
            unit=Unit.WATT,
            width=3,
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
            width=8,
            highest=1,
        ),
        course(
            "How full is its memory?",
            "Share of the memory that is used; what counts as used differs between platforms.",
            (f"host:hypervisor_memory_used:ratio{{{ON_HOST}}}", "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_memory),
            width=8,
            highest=1,
        ),
        course(
            "Does it take memory back?",
            "Memory of guests in balloons, and in swap. Both should be 0.",
            (value("hypervisor_host_memory_ballooned_bytes", OF_HOST, *_ID), "{{host}} balloons"),
            (value("hypervisor_host_memory_swap_used_bytes", OF_HOST, *_ID), "{{host}} swap"),
            unit=Unit.BYTES,
            width=8,
            no_data=untold("of balloons and swap"),
        ),
    )


def _guests(settings: Settings) -> tuple[Panel, ...]:
    return (
        bars(
            "Which guests use the most CPU?",
            "Virtual CPUs that are busy, now.",
            f"topk(9, {rate('hypervisor_guest_cpu_seconds_total', CHOSEN, 'guest_id')}\n{_HERE})",
            "{{guest}}",
        ),
        bars(
            "Which guests wait the most?",
            "Share of the time that a virtual CPU is ready and waits, now.",
            f"topk(9, guest:hypervisor_cpu_ready:ratio_rate{{{ON_HOST}}})",
            "{{guest}}",
            unit=Unit.SHARE,
            warns=limits(settings.guest_cpu_ready),
            no_data=untold("the time guests wait for a CPU"),
        ),
        table(
            "Which guests are here?",
            "All guests on the host, what they may take and what they use; those that do not run have no CPU.",
            f"hypervisor_guest_running{{{CHOSEN}}}\n{_HERE}",
            f"hypervisor_guest_vcpus{{{CHOSEN}}}\n{_HERE}",
            f"guest:hypervisor_cpu:ratio_rate{{{ON_HOST}}}",
            f"guest:hypervisor_cpu_ready:ratio_rate{{{ON_HOST}}}",
            f"hypervisor_guest_memory_configured_bytes{{{CHOSEN}}}\n{_HERE}",
            f"hypervisor_guest_memory_host_used_bytes{{{CHOSEN}}}\n{_HERE}",
            by="target, guest, guest_id",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("target", "Target"),
                Column("Value #A", "Runs", Unit.BOOL, width=80),
                Column("Value #B", "Virtual CPUs", width=120),
                Column("Value #C", "CPU busy", Unit.SHARE, width=110),
                Column("Value #D", "Waits for a CPU", Unit.SHARE, limits(settings.guest_cpu_ready), width=150),
                Column("Value #E", "Memory", Unit.BYTES, width=110),
                Column("Value #F", "Memory used on the host", Unit.BYTES, width=200),
            ),
            sort="CPU busy",
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
                    f"sum by (host) ({rate(f'hypervisor_host_network_{way}_bytes_total', OF_HOST, *_ID, 'nic')})",
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
                    f"sum by (host) ({rate(f'hypervisor_host_network_{way}_{what}_total', OF_HOST, *_ID, 'nic')})",
                    f"{{{{host}}}} {way} {what}",
                )
                for way in ("receive", "transmit")
                for what in ("errors", "drops")
            ),
            unit=Unit.PACKETS_PER_SECOND,
            no_data=none,
        ),
    )


def _hardware(settings: Settings) -> Panel:
    by = ", ".join(("target", *_ID))

    def told(what: str, state: str, *more: str) -> str:
        each = f"hypervisor_vsphere_host_{what}{{{OF_HOST}, {state}}}"
        return f"max by ({by}) (sum by ({by}) (max by ({', '.join((by, *more))}) ({each})))"

    return table(
        "What do its alarms and sensors say?",
        "Alarms of the host itself that are triggered, sensors and parts that are not well, and its own certificate.",
        *(told("alarms", f'severity="{severity}"', "acknowledged") for severity in ("red", "yellow")),
        *(told("sensors", f'state="{state}"') for state in ("red", "yellow")),
        told("hardware_elements", 'state=~"red|yellow"', "part", "state"),
        f"max by ({by}) (hypervisor_vsphere_host_certificate_not_after_timestamp_seconds{{{OF_HOST}}}) - time()",
        by=by,
        columns=(
            Column("host", "Host"),
            Column("target", "Target"),
            Column("Value #A", "Red alarms", Unit.NUMBER, limits(critical=1), width=120),
            Column("Value #B", "Yellow alarms", Unit.NUMBER, limits(1), width=130),
            Column("Value #C", "Red sensors", Unit.NUMBER, limits(critical=1), width=130),
            Column("Value #D", "Yellow sensors", Unit.NUMBER, limits(1), width=140),
            Column("Value #E", "Parts not well", Unit.NUMBER, limits(1), width=140),
            Column("Value #F", "Certificate ends in", Unit.SECONDS, enough(settings.certificate_left), width=170),
        ),
        height=5,
        no_data=untold("of alarms and sensors"),
    )
