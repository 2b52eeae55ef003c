"""Guests that wait, starve, flap, are full, or should run and do not."""

from __future__ import annotations

from dashboards.rules.alerts.words import COUNT, DURATION, GUEST, HOUR, MINUTE, PERCENT, number, short
from dashboards.rules.expressions import GUEST as OF_GUEST
from dashboards.rules.expressions import named, one, placed
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.settings import Settings

_ANYWHERE = "without (host, host_id, compute_cluster, compute_cluster_id)"
"""For alerts that do not depend on where the guest is: they must not begin anew because it moved."""


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Each is about one guest."""
    return (*_waiting(settings), *_state(settings), *_protected(settings))


def _guest(
    name: str, expr: str, severity: Severity, summary: str, description: str, wait: float = 15 * MINUTE
) -> Alert:
    return Alert(name, expr, severity, Level.GUEST, summary, description, wait, 10 * MINUTE, dashboard="guest")


def _waiting(settings: Settings) -> tuple[Alert, ...]:
    limit = number(settings.guest_memory_taken)
    configured = one("hypervisor_guest_memory_configured_bytes", OF_GUEST)
    taken = "\nor ".join(
        [
            f"{one(f'hypervisor_guest_memory_{what}_bytes', OF_GUEST)} / {configured} > {limit}"
            for what in ("ballooned", "swapped")
        ]
        + [f"{one('hypervisor_guest_memory_pressure_ratio', OF_GUEST)} > {number(settings.guest_memory_pressure)}"]
    )
    slow = number(settings.guest_disk_latency)
    disk = "guest_disk:hypervisor_{}_latency:seconds_rate > " + slow
    return (
        _guest(
            "HypervisorGuestCpuContention",
            f"guest:hypervisor_cpu_ready:ratio_rate > {number(settings.guest_cpu_ready)}",
            Severity.WARNING,
            f"{GUEST} waits {PERCENT} of the time for a CPU",
            f"Each virtual CPU of {GUEST} is ready to run and waits {PERCENT} of the time; the limit is "
            f"{settings.guest_cpu_ready:.0%}. Its host {{{{ $labels.host }}}} is too busy, or the guest is limited.",
        ),
        _guest(
            "HypervisorGuestCpuCostop",
            f"guest:hypervisor_cpu_costop:ratio_rate > {number(settings.guest_cpu_costop)}",
            Severity.WARNING,
            f"The virtual CPUs of {GUEST} wait {PERCENT} of the time for each other",
            f"{GUEST} has more virtual CPUs than its host can run at once: they are stopped {PERCENT} of the time to wait "
            f"for each other; the limit is {settings.guest_cpu_costop:.0%}. Fewer virtual CPUs make it faster.",
        ),
        _guest(
            "HypervisorGuestMemoryTaken",
            placed(taken, OF_GUEST),
            Severity.WARNING,
            f"The host takes memory away from {GUEST}",
            f"Balloon, swap or pressure of {GUEST} are at {PERCENT} of its memory; the limit is "
            f"{settings.guest_memory_taken:.0%} taken, or a pressure of {settings.guest_memory_pressure:.0%}. Its host "
            "{{ $labels.host }} has less than its guests use.",
        ),
        _guest(
            "HypervisorGuestDiskSlow",
            f"max {_ANYWHERE} ({disk.format('read')})\nor max {_ANYWHERE} ({disk.format('write')})",
            Severity.WARNING,
            f"Disk {{{{ $labels.disk }}}} of {GUEST} takes {DURATION} for an operation",
            f"Reads or writes of disk {{{{ $labels.disk }}}} of {GUEST} take {DURATION} on average; the limit is "
            f"{settings.guest_disk_latency * 1000:g} ms. Look at the storage it lies on, and at snapshots.",
        ),
        _guest(
            "HypervisorGuestFilesystemFull",
            f"max {_ANYWHERE} (guest:hypervisor_filesystem_used:ratio) > {number(settings.guest_filesystem_used)}",
            Severity.WARNING,
            f"{{{{ $labels.mountpoint }}}} of {GUEST} is {PERCENT} full",
            f"The file system {{{{ $labels.mountpoint }}}} inside {GUEST} is {PERCENT} full; the limit is "
            f"{settings.guest_filesystem_used:.0%}.",
            30 * MINUTE,
        ),
    )


def _state(settings: Settings) -> tuple[Alert, ...]:
    return (
        _guest(
            "HypervisorGuestIoError",
            named(f"{one('hypervisor_guest_io_error', OF_GUEST)} == 1", OF_GUEST),
            Severity.CRITICAL,
            f"{GUEST} stands still after an I/O error",
            f"The hypervisor stopped {GUEST}, as its storage failed or is full. Make room or repair it, then resume the guest.",
            2 * MINUTE,
        ),
        _guest(
            "HypervisorGuestCrashed",
            named('max by (target, platform, guest_id) (hypervisor_guest_state{state="crashed"}) == 1', OF_GUEST),
            Severity.CRITICAL,
            f"{GUEST} has crashed",
            f"The hypervisor says that {GUEST} has crashed.",
            5 * MINUTE,
        ),
        _guest(
            "HypervisorGuestNotRunning",
            named(
                f"{one('hypervisor_guest_running', OF_GUEST)} == 0\n"
                f"and {one('hypervisor_guest_autostart', OF_GUEST)} == 1",
                OF_GUEST,
            ),
            Severity.WARNING,
            f"{GUEST} does not run, though it starts with its host",
            f"{GUEST} is meant to start with its host, and does not run.",
        ),
        _guest(
            "HypervisorGuestFlapping",
            named(
                "max by (target, platform, guest_id) (changes(hypervisor_guest_running[1h])) > "
                f"{number(settings.guest_flaps)}",
                OF_GUEST,
            ),
            Severity.WARNING,
            f"{GUEST} stops and starts again and again",
            f"{GUEST} was started or stopped {COUNT} times within the last hour; the limit is {settings.guest_flaps:g}.",
            MINUTE,
        ),
        _guest(
            "HypervisorGuestAgentDown",
            named(
                f"{one('hypervisor_guest_agent_up', OF_GUEST)} == 0\n"
                f"and {one('hypervisor_guest_running', OF_GUEST)} == 1",
                OF_GUEST,
            ),
            Severity.INFO,
            f"The agent inside {GUEST} does not answer",
            f"{GUEST} runs, but its agent (VMware Tools, qemu-ga, integration services) does not answer: no quiesced "
            "backups, no clean shutdown.",
            HOUR,
        ),
        _guest(
            "HypervisorGuestStatsIncomplete",
            named(f"{one('hypervisor_guest_stats_complete', OF_GUEST)} == 0", OF_GUEST),
            Severity.WARNING,
            f"The monitor of {GUEST} does not answer",
            f"The hypervisor cannot ask {GUEST} for its statistics: its process hangs, often on dead storage.",
        ),
    )


def _protected(settings: Settings) -> tuple[Alert, ...]:
    age = number(settings.guest_replication_age)
    return (
        _guest(
            "HypervisorGuestReplicationUnhealthy",
            named(
                'max by (target, platform, guest_id) (hypervisor_guest_replication_state{state=~"warning|critical"}) == 1',
                OF_GUEST,
            ),
            Severity.WARNING,
            f"The replication of {GUEST} is not healthy",
            f"The replication of {GUEST} is in warning or critical state: a failover would lose more than planned.",
        ),
        _guest(
            "HypervisorGuestReplicationOld",
            named(f"time() - {one('hypervisor_guest_last_replication_timestamp_seconds', OF_GUEST)} > {age}", OF_GUEST),
            Severity.WARNING,
            f"{GUEST} was last replicated {DURATION} ago",
            f"{GUEST} was last replicated {DURATION} ago; the limit is {short(settings.guest_replication_age)}. So much "
            "would be lost in a failover.",
        ),
    )
