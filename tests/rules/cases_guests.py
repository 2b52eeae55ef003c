"""Alerts on guests and their disks and file systems."""

from tests.rules.story import GUEST, OF_GUEST, PLACED, Story

_SIZE = 'hypervisor_guest_filesystem_size_bytes{mountpoint="<mountpoint>"}'
_FREE = 'hypervisor_guest_filesystem_free_bytes{mountpoint="<mountpoint>"}'


def flag(alert, family, waits, *, bad=1, others=None, below=None):
    """A value that is `bad` from minute 5 to 35."""
    good = 1 - bad
    return Story(
        alert,
        {**OF_GUEST, **(others or {}), family: f"{good}x4 {bad}x30 {good}x*"},
        below or {family: f"{good}x*"},
        fires=5 + waits,
        resolves=36 + 10,
        labels=GUEST,
    )


def state(alert, family, bad, waits):
    """A state that is told from minute 5 to 35; only the current one is."""
    return Story(
        alert,
        {**OF_GUEST, f'{family}{{state="{bad}"}}': "_x5 1x30 stale"},
        {f'{family}{{state="{bad}"}}': None, f'{family}{{state="normal"}}': "1x*"},
        fires=5 + waits,
        resolves=36 + 10,
        labels=GUEST,
    )


def slow(kind, count):
    """3.6 s for 60 operations are 60 ms each; at minute 41 4 * 3.6 s for 300 are 48."""
    seconds, operations = (
        f'hypervisor_guest_disk_{what}_total{{disk="<disk>"}}' for what in (f"{kind}_seconds", f"{count}")
    )
    return Story(
        "HypervisorGuestDiskSlow",
        {**OF_GUEST, seconds: "1000+3.6x40 1144x*", operations: "1000+60x*"},
        {seconds: "1000+2.9x*"},
        fires=1 + 15,
        resolves=41 + 10,
        labels=f"{GUEST} disk",
        value="60ms",
    )


def taken(family, low, over, value, below):
    return Story(
        "HypervisorGuestMemoryTaken",
        {
            **OF_GUEST,
            "hypervisor_guest_memory_configured_bytes": "1000x*",
            family: f"{low}x4 {over}x30 {low}x*",
        },
        {family: f"{below}x*"},
        fires=5 + 15,
        resolves=36 + 10,
        labels=PLACED,
        value=value,
    )


STORIES = (
    # 14 s a minute of two CPUs are 11.67 %, from minute 4 on; at 41, with 4 minutes of 5, 9.33 %.
    Story(
        "HypervisorGuestCpuContention",
        {
            **OF_GUEST,
            "hypervisor_guest_vcpus": "2x*",
            "hypervisor_guest_cpu_ready_seconds_total": "1000+14x40 1560x*",
        },
        {"hypervisor_guest_cpu_ready_seconds_total": "1000+11x*"},
        fires=4 + 15,
        resolves=41 + 10,
        labels=PLACED,
        value="11.67%",
    ),
    # 7 s a minute of two CPUs are 5.83 %; at 41 4.67 %.
    Story(
        "HypervisorGuestCpuCostop",
        {
            **OF_GUEST,
            "hypervisor_guest_vcpus": "2x*",
            "hypervisor_guest_cpu_costop_seconds_total": "1000+7x40 1280x*",
        },
        {"hypervisor_guest_cpu_costop_seconds_total": "1000+5x*"},
        fires=4 + 15,
        resolves=41 + 10,
        labels=PLACED,
        value="5.833%",
    ),
    taken("hypervisor_guest_memory_ballooned_bytes", 0, 101, "10.1%", 100),
    taken("hypervisor_guest_memory_swapped_bytes", 0, 101, "10.1%", 100),
    taken("hypervisor_guest_memory_pressure_ratio", 0.9, 1.01, "101%", 1),
    slow("read", "reads"),
    slow("write", "writes"),
    Story(
        "HypervisorGuestFilesystemFull",
        {**OF_GUEST, _SIZE: "1000x*", _FREE: "100x4 49x40 100x*"},
        {_FREE: "51x*"},
        fires=5 + 30,
        resolves=46 + 10,
        labels=f"{GUEST} mountpoint",
        value="95.1%",
    ),
    flag("HypervisorGuestIoError", "hypervisor_guest_io_error", 2),
    state("HypervisorGuestCrashed", "hypervisor_guest_state", "crashed", 5),
    flag(
        "HypervisorGuestNotRunning",
        "hypervisor_guest_running",
        15,
        bad=0,
        others={"hypervisor_guest_autostart": "1x*"},
        below={"hypervisor_guest_autostart": "0x*"},
    ),
    # Five changes, at 3, 4, 5, 6 and 7; an hour after 3, of samples 3 to 63, there are four.
    Story(
        "HypervisorGuestFlapping",
        {**OF_GUEST, "hypervisor_guest_running": "1x2 0 1 0 1 0x*"},
        {"hypervisor_guest_running": "1x2 0 1 0 1x*"},
        fires=7 + 1,
        resolves=63 + 10,
        labels=GUEST,
        value="5",
    ),
    Story(
        "HypervisorGuestAgentDown",
        {**OF_GUEST, "hypervisor_guest_running": "1x*", "hypervisor_guest_agent_up": "1x4 0x70 1x*"},
        {"hypervisor_guest_running": "0x*"},
        fires=5 + 60,
        resolves=76 + 10,
        labels=GUEST,
    ),
    flag("HypervisorGuestStatsIncomplete", "hypervisor_guest_stats_complete", 15, bad=0),
    state("HypervisorGuestReplicationUnhealthy", "hypervisor_guest_replication_state", "warning", 15),
    state("HypervisorGuestReplicationUnhealthy", "hypervisor_guest_replication_state", "critical", 15),
    # Replicated at 0 and at 81: at 61 that is 3660 s ago, at 76 4560 s, at 80 4800 s.
    Story(
        "HypervisorGuestReplicationOld",
        {**OF_GUEST, "hypervisor_guest_last_replication_timestamp_seconds": "0x80 4860x*"},
        {"hypervisor_guest_last_replication_timestamp_seconds": "-3600+60x*"},
        fires=61 + 15,
        resolves=81 + 10,
        labels=GUEST,
        value="1h 16m 0s",
        last="1h 20m 0s",
    ),
)
