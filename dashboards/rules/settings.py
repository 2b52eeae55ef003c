"""Every threshold and parameter of the rules with its default: what rules, panels, flags and documents read."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from exporter.config.durations import EXAMPLE, seconds, written

RATE_INTERVALS = 5
"""Collections that a window must hold for a rate to be true within an eighth."""
DURATION, RATIO, NUMBER, TEXT, NAMES, PATTERN = "DURATION", "RATIO", "NUMBER", "TEXT", "NAME,...", "REGEX"
"""What a parameter is written as on the command line."""


_NOT_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?(?:[=!>#(]|<[=!]|P=)|\\[1-9])")


def _setting(default: Any, form: str, text: str) -> Any:
    return dataclasses.field(default=default, metadata={"form": form, "help": text})


def _days(number: float) -> float:
    return number * 86400.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Durations are seconds, shares are ratios of 0 to 1. Each field is a flag of the command `rules`."""

    rate_window: float = _setting(300.0, DURATION, "window of rates: at least five intervals of vitals")
    hold: float = _setting(_days(1), DURATION, "how long what is known of a target that is down counts")
    for_scale: float = _setting(1.0, NUMBER, "factor on every duration that an alert waits; for trying alerts out")
    target_labels: tuple[str, ...] = _setting((), NAMES, "labels of hypervisor_target_info that every alert carries")
    exclude_guests: str = _setting("", PATTERN, "regular expression of names of guests that no alert is about")
    exclude_tag: str = _setting("", TEXT, "tag of guests that no alert is about")
    runbook_url: str = _setting("https://hypervisor-exporter.example/runbooks", TEXT, "where you publish the runbooks")
    dashboard_url: str = _setting("https://grafana.example/d", TEXT, "where your Grafana shows dashboards")

    snapshot_age_warning: float = _setting(_days(7), DURATION, "age of a guest's oldest snapshot that warns")
    snapshot_age_critical: float = _setting(_days(30), DURATION, "age of a guest's oldest snapshot that is critical")
    snapshot_count: float = _setting(10.0, NUMBER, "snapshots of one guest that are too many")
    snapshot_depth: float = _setting(5.0, NUMBER, "depth of a guest's tree of snapshots that is too deep")
    snapshot_size: float = _setting(0.5, RATIO, "snapshots' size over the free space of their storage that warns")
    backup_snapshot_age: float = _setting(_days(1), DURATION, "age at which a backup's snapshot counts as left behind")

    cpu_overcommit: float = _setting(4.0, NUMBER, "virtual CPUs over physical cores of a host that warn")
    memory_overcommit: float = _setting(1.25, NUMBER, "allocated memory over a host's own that warns")
    storage_overcommit: float = _setting(1.5, NUMBER, "promised space over a storage's capacity that warns")
    storage_used_warning: float = _setting(0.85, RATIO, "used share of a storage that warns")
    storage_used_critical: float = _setting(0.95, RATIO, "used share of a storage that is critical")
    storage_full_within: float = _setting(_days(4), DURATION, "time until a storage is full that warns")
    storage_fill_floor: float = _setting(0.8, RATIO, "used share below which nobody is told that a storage fills")
    storage_snapshots_fill: float = _setting(_days(1), DURATION, "time until growing snapshots fill a storage")

    host_cpu: float = _setting(0.9, RATIO, "used share of a host's CPUs that warns")
    host_memory: float = _setting(0.95, RATIO, "used share of a host's memory that warns")
    host_maintenance: float = _setting(_days(3), DURATION, "time in maintenance after which a host counts as forgotten")
    host_rebooted: float = _setting(900.0, DURATION, "time after a host's start in which it is told")
    host_swap_in: float = _setting(1048576.0, NUMBER, "bytes a second of guests' memory that a host reads from swap")
    host_network_errors: float = _setting(1.0, NUMBER, "errors a second of a host's adapters that warn")
    guest_cpu_ready: float = _setting(0.1, RATIO, "share of time that a guest's virtual CPUs wait, that warns")
    guest_cpu_costop: float = _setting(0.05, RATIO, "share of time that a guest's virtual CPUs wait for each other")
    guest_memory_taken: float = _setting(0.1, RATIO, "share of a guest's memory in balloon or swap that warns")
    guest_memory_pressure: float = _setting(1.0, NUMBER, "memory that a guest demands over what it has, that warns")
    guest_disk_latency: float = _setting(0.05, DURATION, "mean latency of a guest's disk that warns")
    guest_filesystem_used: float = _setting(0.95, RATIO, "used share of a guest's file system that warns")
    guest_flaps: float = _setting(4.0, NUMBER, "starts and stops of a guest within an hour that are too many")
    guest_replication_age: float = _setting(3600.0, DURATION, "age of a replica's last replication that warns")

    collection_slow: float = _setting(0.8, RATIO, "duration of a collection over its interval that warns")
    collections_skipped: float = _setting(3.0, NUMBER, "collections left out within an hour that are too many")
    worker_restarts: float = _setting(3.0, NUMBER, "starts of workers within an hour that are too many")
    clock_offset: float = _setting(60.0, DURATION, "difference of clocks between an endpoint and the exporter")
    certificate_left: float = _setting(_days(21), DURATION, "time before a certificate or licence ends that warns")

    def window(self) -> str:
        """The window of rates, as PromQL writes it."""
        return written(self.rate_window)

    def held(self) -> str:
        """The time that held series reach back, as PromQL writes it."""
        return written(self.hold)


def parse(form: str, text: str) -> Any:
    """A parameter as it is written on the command line; raises ValueError with a sentence."""
    if form == DURATION:
        found = seconds(text)
        if found is None or found <= 0:
            raise ValueError(f"{text!r} is no duration; {EXAMPLE}")
        return found
    if form in (RATIO, NUMBER):
        number = _number(text)
        if form == RATIO and number > 1:
            raise ValueError(f"{text!r} is no share; write 0.85 for 85 %")
        return number
    if form == NAMES:
        return _names(text)
    return _pattern(text) if form == PATTERN else text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"{name!r} is no name of a label; it has letters, digits and _, and begins with no digit")
    return names


def _pattern(text: str) -> str:
    """Prometheus' expressions are RE2's, which looks neither ahead nor behind nor at what it has found."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    if found := _NOT_RE2.search(text):
        raise ValueError(f"{text!r} has {found[0]!r}, which Prometheus' regular expressions do not know")
    return text


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{text!r} is no number above 0")
    return number
