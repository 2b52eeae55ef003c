"""Hosts that are gone, busy, full, or promised more often than they exist."""

from __future__ import annotations

from dashboards.rules.alerts.words import DURATION, HOST, MINUTE, NUMBER, PERCENT, days, number, short, size
from dashboards.rules.expressions import ASLEEP, identity, one, placed, rate
from dashboards.rules.expressions import HOST as OF_HOST
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.settings import Settings

_SEEN = "unless on (target) target:hypervisor_blind_spot:bool == 1"


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """What ends something comes first."""
    return (*_there(settings), *_hardware(settings), *_busy(settings), *_promised(settings))


def _there(settings: Settings) -> tuple[Alert, ...]:
    return (
        Alert(
            "HypervisorHostDown",
            placed(f"{one('hypervisor_host_up', OF_HOST)} == 0", OF_HOST)
            + "\nunless on (target) max by (target) (hypervisor_target_up) == 0"
            f"\nunless on (target, host_id) {ASLEEP} == 1",
            Severity.CRITICAL,
            Level.HOST,
            f"Host {HOST} is down or disconnected",
            f"The endpoint answers, but says that its host {HOST} is down or not connected. Its guests may be down too.",
            5 * MINUTE,
            5 * MINUTE,
            dashboard="host",
        ),
        Alert(
            "HypervisorHostMaintenanceForgotten",
            placed(
                "min by (target, platform, host_id) (min_over_time(hypervisor_host_maintenance_mode[1h])) == 1",
                OF_HOST,
            ),
            Severity.INFO,
            Level.HOST,
            f"Host {HOST} has been in maintenance for {days(settings.host_maintenance)}",
            f"Host {HOST} has been in maintenance for {days(settings.host_maintenance)} or more. Its cluster has that much less to fail over to.",
            settings.host_maintenance,
            15 * MINUTE,
            dashboard="host",
        ),
        Alert(
            "HypervisorHostRebooted",
            placed(
                f"time() - {one('hypervisor_host_boot_timestamp_seconds', OF_HOST)} < {number(settings.host_rebooted)}",
                OF_HOST,
            ),
            Severity.INFO,
            Level.HOST,
            f"Host {HOST} started {DURATION} ago",
            f"Host {HOST} started {DURATION} ago; this is shown for {short(settings.host_rebooted)}. If nobody did that, its "
            "hardware log says why.",
            keep_firing_seconds=5 * MINUTE,
            dashboard="host",
        ),
    )


def _hardware(settings: Settings) -> tuple[Alert, ...]:
    parts = one("hypervisor_vsphere_host_hardware_elements", OF_HOST, "part", selector='{state="red"}')
    sensors = one("hypervisor_vsphere_host_sensors", OF_HOST, selector='{state="red"}')
    ends = one("hypervisor_vsphere_host_certificate_not_after_timestamp_seconds", OF_HOST, by="min")
    return (
        Alert(
            "HypervisorHostHardwareFailing",
            placed(f"{sensors} > 0\nor sum by ({identity(OF_HOST)}) ({parts}) > 0", OF_HOST),
            Severity.WARNING,
            Level.HOST,
            f"{NUMBER} sensors or parts of host {HOST} are red",
            f"{NUMBER} sensors or parts of the hardware of host {HOST} are red: a power supply, a fan, a memory module, a disk.",
            15 * MINUTE,
            15 * MINUTE,
            dashboard="host",
        ),
        Alert(
            "HypervisorHostCertificateEnds",
            placed(f"{ends} - time() < {number(settings.certificate_left)}", OF_HOST),
            Severity.WARNING,
            Level.HOST,
            f"The certificate of host {HOST} ends in {DURATION}",
            f"The certificate of host {HOST} ends in {DURATION}; the limit is {days(settings.certificate_left)}. From then on its "
            "vCenter may lose the host, and consoles of its guests do not open.",
            60 * MINUTE,
            10 * MINUTE,
            dashboard="host",
        ),
    )


def _busy(settings: Settings) -> tuple[Alert, ...]:
    errors = " + ".join(
        f"sum by (target, platform, host_id) (max by (target, platform, host_id, nic) "
        f"(rate(hypervisor_host_network_{way}_errors_total[{settings.window()}])))"
        for way in ("receive", "transmit")
    )
    swapping = rate("hypervisor_host_memory_swap_in_bytes_total", OF_HOST, settings)
    return (
        Alert(
            "HypervisorHostCpuSaturated",
            f"host:hypervisor_cpu_busy:ratio_rate > {number(settings.host_cpu)}",
            Severity.WARNING,
            Level.HOST,
            f"The CPUs of host {HOST} are {PERCENT} busy",
            f"The CPUs of host {HOST} have been {PERCENT} busy; the limit is {settings.host_cpu:.0%}. Guests wait for CPU: "
            "move some, or find the noisy one on the page of contention.",
            30 * MINUTE,
            10 * MINUTE,
            dashboard="contention",
        ),
        Alert(
            "HypervisorHostMemoryFull",
            f"host:hypervisor_memory_used:ratio > {number(settings.host_memory)}",
            Severity.WARNING,
            Level.HOST,
            f"The memory of host {HOST} is {PERCENT} used",
            f"The memory of host {HOST} is {PERCENT} used; the limit is {settings.host_memory:.0%}. What comes next is "
            "ballooning and swapping, or a guest that is killed.",
            15 * MINUTE,
            10 * MINUTE,
            dashboard="host",
        ),
        Alert(
            "HypervisorHostSwapping",
            placed(f"{swapping} > {number(settings.host_swap_in)}", OF_HOST),
            Severity.CRITICAL,
            Level.HOST,
            f"Host {HOST} reads guests' memory from swap",
            f"Host {HOST} reads {{{{ $value | humanize1024 }}}}B/s of its guests' memory back from swap; the limit is "
            f"{size(settings.host_swap_in)}/s. They stand still while it does: there is less memory than the guests use.",
            10 * MINUTE,
            10 * MINUTE,
            dashboard="host",
        ),
        Alert(
            "HypervisorHostNetworkErrors",
            placed(f"({errors}) > {number(settings.host_network_errors)}", OF_HOST),
            Severity.WARNING,
            Level.HOST,
            f"Adapters of host {HOST} have {NUMBER} errors a second",
            f"Physical adapters of host {HOST} count {NUMBER} errors a second; the limit is {settings.host_network_errors:g}: a cable, a transceiver, a switch port or a driver.",
            15 * MINUTE,
            10 * MINUTE,
            dashboard="host",
        ),
    )


def _promised(settings: Settings) -> tuple[Alert, ...]:
    memory = f"host:hypervisor_memory_overcommit:ratio > {number(settings.memory_overcommit)}"
    return (
        Alert(
            "HypervisorHostMemoryOvercommitted",
            f"{memory}\n{_SEEN}",
            Severity.WARNING,
            Level.HOST,
            f"Guests of host {HOST} may take {PERCENT} of its memory",
            f"The guests of host {HOST} may take {PERCENT} of its memory; the limit is {settings.memory_overcommit:.0%}. "
            "If they do, the host swaps, or guests are killed.",
            30 * MINUTE,
            15 * MINUTE,
            holds=True,
            dashboard="capacity",
        ),
        Alert(
            "HypervisorHostMemoryOvercommitHurts",
            f"({memory})\nand on (target, host_id) (\n"
            f"max by (target, host_id) (rate(hypervisor_host_memory_swap_in_bytes_total[{settings.window()}])) > 0\n"
            "or max by (target, host_id) (hypervisor_host_memory_ballooned_bytes) > 0\n"
            f"or max by (target, host_id) (host:hypervisor_memory_used:ratio) > {number(settings.host_memory)})",
            Severity.CRITICAL,
            Level.HOST,
            f"Host {HOST} is overcommitted, and short of memory",
            f"The guests of host {HOST} may take {PERCENT} of its memory, more than {settings.memory_overcommit:.0%}, and it "
            f"already swaps, takes memory back by balloons, or is {settings.host_memory:.0%} full. Move guests away before they stand still.",
            10 * MINUTE,
            15 * MINUTE,
            dashboard="capacity",
        ),
        Alert(
            "HypervisorHostCpuOvercommitted",
            f"host:hypervisor_cpu_overcommit:ratio > {number(settings.cpu_overcommit)}\n{_SEEN}",
            Severity.WARNING,
            Level.HOST,
            f"Host {HOST} has {NUMBER} virtual CPUs for each core",
            f"The guests of host {HOST} have {NUMBER} virtual CPUs for each physical core; the limit is "
            f"{settings.cpu_overcommit:g}. When they are busy together, they wait for each other.",
            30 * MINUTE,
            15 * MINUTE,
            holds=True,
            dashboard="capacity",
        ),
    )
