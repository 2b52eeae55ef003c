"""Which alerts silence which, for Alertmanager: what follows from another alert, and the weaker of two on one thing.

Alerts on what is held (snapshots, space, overcommit) are not silenced by a target that is down: they do not follow from
it, and being silenced and told again would be news that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from dashboards.rules.forms import Alert, Group, Level

_ABOUT = """# Made by `python -m dashboards.generate`; change dashboards/rules/inhibition.py, not this file.
# Add these to `inhibit_rules` of your Alertmanager.
"""

IDENTITY: dict[Level, tuple[str, ...]] = {
    Level.EXPORTER: ("job",),
    Level.TARGET: ("target",),
    Level.HOST: ("target", "host_id"),
    Level.GUEST: ("target", "guest_id"),
    Level.STORAGE: ("platform", "storage_key"),
    Level.CLUSTER: ("platform", "compute_cluster_id"),
}
"""The labels by which two alerts are about the same thing."""

TARGET_DOWN, HOST_DOWN = "HypervisorTargetDown", "HypervisorHostDown"
CAUSES = ("HypervisorTargetLoginRefused", "HypervisorTargetCertificateEnds")
"""What may be why a target is down: never silenced by it."""

STRONGER = {
    "HypervisorTargetLoginRefused": (TARGET_DOWN, "HypervisorTargetNeverCollected"),
    # Not the held alert on the promise itself: it outlives this one in an outage, and would be told then as news.
    "HypervisorHostMemoryOvercommitHurts": ("HypervisorHostMemoryFull",),
    "HypervisorHostSwapping": ("HypervisorHostMemoryFull",),
    "HypervisorGuestCrashed": ("HypervisorGuestNotRunning", "HypervisorGuestAgentDown"),
    "HypervisorGuestIoError": (
        "HypervisorGuestNotRunning",
        "HypervisorGuestAgentDown",
        "HypervisorGuestStatsIncomplete",
        "HypervisorGuestDiskSlow",
    ),
    "HypervisorStorageInaccessible": ("HypervisorStoragePathLost", "HypervisorStorageRedirected"),
    "HypervisorStorageFull": (
        "HypervisorStorageAlmostFull",
        "HypervisorStorageWillFill",
        "HypervisorSnapshotsLarge",
    ),
    "HypervisorSnapshotsFillStorage": ("HypervisorStorageWillFill", "HypervisorSnapshotsLarge"),
    "HypervisorSnapshotVeryOld": ("HypervisorSnapshotOld",),
    "HypervisorClusterQuorumLost": ("HypervisorClusterHostsMissing",),
}
"""The stronger alert and the weaker ones on the same thing that it makes superfluous."""


def inhibitions(groups: Iterable[Group]) -> Iterator[dict[str, Any]]:
    """The rules as plain data."""
    alerts = {rule.name: rule for group in groups for rule in group.rules if isinstance(rule, Alert)}
    yield _rule(TARGET_DOWN, _following(alerts.values(), Level.TARGET, Level.HOST, Level.GUEST), Level.TARGET)
    yield _rule(HOST_DOWN, _following(alerts.values(), Level.HOST), Level.HOST)
    for stronger, weaker in STRONGER.items():
        yield _rule(stronger, weaker, alerts[stronger].level)


def inhibit_text(groups: Iterable[Group]) -> str:
    """The file that an operator copies from, YAML."""
    return _ABOUT + yaml.safe_dump({"inhibit_rules": list(inhibitions(groups))}, sort_keys=False, width=1000)


def _following(alerts: Iterable[Alert], *levels: Level) -> list[str]:
    """Alerts on what cannot be so while the thing is down."""
    spared = {TARGET_DOWN, *CAUSES, *([HOST_DOWN] if Level.TARGET not in levels else [])}
    return [alert.name for alert in alerts if alert.level in levels and not alert.holds and alert.name not in spared]


def _rule(source: str, silenced: Iterable[str], level: Level) -> dict[str, Any]:
    return {
        "source_matchers": [f'alertname="{source}"'],
        "target_matchers": [f'alertname=~"{"|".join(silenced)}"'],
        "equal": list(IDENTITY[level]),
    }
