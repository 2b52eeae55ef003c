"""The configuration as the program uses it: checked, defaults filled in, every reference resolved.

Plain data that is sent to worker processes, hence without pydantic and YAML. Two equal `Target`s mean that a reload
changed nothing for it. Durations are seconds.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from exporter.config.mistakes import Mistake
from exporter.secrets import SecretSource

VITALS = "vitals"
DEFAULT_INTERVALS: Mapping[str, float] = {VITALS: 30.0, "storage": 120.0, "snapshots": 300.0, "inventory": 600.0}
DEFAULT_OPT_IN_INTERVAL = 600.0
DEADLINE_SHARE = 0.8
TTL_INTERVALS_VITALS = 2.5
TTL_INTERVALS_OTHERS = 3.0

DEFAULT_SNAPSHOT_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("backup", ("(?i)(veeam|nbu_snapshot|commvault|gx_backup|rubrik|cohesity|consolidate helper|backup)",)),
    ("schedule", ("(?i)(auto|daily|hourly|weekly)[-_ ]",)),
)
DEFAULT_IMAGE_BASE_PATTERNS = ("*/_base/*", "*/base/*", "*/templates/*")


@dataclass(frozen=True, slots=True)
class Auth:
    """An account; the password is read where and when it is needed."""

    name: str
    username: str | None = None
    password: SecretSource | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """How often, how long and what to collect."""

    name: str = "default"
    intervals: tuple[tuple[str, float], ...] = tuple(sorted(DEFAULT_INTERVALS.items()))
    timeout_seconds: float | None = None
    ttl_seconds: tuple[tuple[str, float], ...] = ()
    family_include: tuple[str, ...] = ()
    """Globs over names of families that are off by default."""
    family_exclude: tuple[str, ...] = ()
    group_include: tuple[str, ...] = ()
    """Opt-in groups that are turned on."""
    snapshot_kinds: tuple[tuple[str, tuple[str, ...]], ...] = DEFAULT_SNAPSHOT_KINDS
    """Kind and the regular expressions over snapshot names that make it, tried in this order."""
    image_base_patterns: tuple[str, ...] = DEFAULT_IMAGE_BASE_PATTERNS

    def interval(self, group: str) -> float:
        """Seconds between two collections of a group."""
        return dict(self.intervals).get(group, DEFAULT_INTERVALS.get(group, DEFAULT_OPT_IN_INTERVAL))

    def deadline(self, group: str) -> float:
        """Seconds that one collection of a group may take."""
        if group == VITALS and self.timeout_seconds is not None:
            return self.timeout_seconds
        return DEADLINE_SHARE * self.interval(group)

    def ttl(self, group: str) -> float:
        """Seconds after which what was collected of a group is no longer shown."""
        intervals = TTL_INTERVALS_VITALS if group == VITALS else TTL_INTERVALS_OTHERS
        return dict(self.ttl_seconds).get(group, intervals * self.interval(group))


@dataclass(frozen=True, slots=True)
class Tls:
    """How the endpoint is verified and who we are to it; files are read when a session is opened."""

    ca_file: str | None = None
    server_name: str | None = None
    pin_sha256: str | None = None
    """SHA-256 of the endpoint's certificate in DER, 64 lower-case hexadecimal digits."""
    cert_file: str | None = None
    key_file: str | None = None
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Names that are wanted, as shell patterns; case matters."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def admits(self, name: str) -> bool:
        """Whether the name matches an include pattern, or there is none, and matches no exclude pattern."""
        wanted = not self.include or any(fnmatch.fnmatchcase(name, glob) for glob in self.include)
        return wanted and not any(fnmatch.fnmatchcase(name, glob) for glob in self.exclude)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which objects get series of their own; sums over hosts, clusters and storage count all."""

    guests: Selection = Selection()


@dataclass(frozen=True, slots=True)
class Target:
    """One management endpoint with its account, its profile and its platform's options."""

    name: str
    platform: str
    address: str
    auth: Auth | None = None
    labels: tuple[tuple[str, str], ...] = ()
    """Labels of the operator, sorted by name."""
    tls: Tls = Tls()
    filters: Filters = Filters()
    compute_cluster: str | None = None
    options: Mapping[str, object] = field(default_factory=dict, hash=False)
    """What the platform's own model made of `options`, JSON-like; the platform builds its model from it again."""
    mode: Literal["scheduled", "probe"] = "scheduled"
    profile: Profile = Profile()


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets: series, and characters of a label's value."""

    series_per_target: int = 1_000_000
    series_total: int = 3_000_000
    label_value_length: int = 256


@dataclass(frozen=True, slots=True)
class Discovery:
    """Files with further targets: the patterns, and the files they matched when the configuration was read."""

    files: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration; `source` is the file it came from."""

    version: int = 1
    targets: tuple[Target, ...] = ()
    workers: int | None = None
    """None: the smaller of cores and targets."""
    limits: Limits = Limits()
    discovery: Discovery = Discovery()
    warnings: tuple[Mistake, ...] = ()
    source: str = ""
