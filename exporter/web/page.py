"""The first page: the estate at a glance for a person, rendered from an EstateStatus.

How numbers and states are worded is settled here; the template only places them.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from exporter.web.source import EstateStatus, Glance, GroupStatus, OldSnapshot, TargetStatus

LATE_AFTER_INTERVALS = 2.5
"""A group older than this many of its intervals is shown as late; pages of vitals end then."""

_UNITS = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (120, 60, "min"))
_ORDER = {False: 0, None: 1, True: 2}
_STATES = {False: ("down", "Down"), None: ("unknown", "Not yet"), True: ("up", "Up")}

_ENVIRONMENT = Environment(
    loader=PackageLoader("exporter.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE = _ENVIRONMENT.get_template("style.css").render()
STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""The page's one style sheet, as a Content-Security-Policy names it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One group of one target, in words."""

    group: str
    age: str
    took: str
    note: str
    state: str


@dataclass(frozen=True, slots=True)
class Row:
    """One target, in words; `cells` has one for every group of the estate, None where this target lacks it."""

    target: TargetStatus
    state: str
    word: str
    cells: tuple[Cell | None, ...]


def render_first_page(status: EstateStatus, now: datetime | None = None, *, prefix: str = "") -> str:
    """The page as HTML: targets that are down first, then those not tried yet, then by name.

    `prefix` is what stands before every path for those who read it, as "/hypervisors".
    """
    groups = tuple(dict.fromkeys(group.group for target in status.targets for group in target.groups))
    targets = sorted(status.targets, key=lambda target: (_ORDER[target.up], target.name))
    return _ENVIRONMENT.get_template("first.html").render(
        style=_STYLE,
        prefix=prefix,
        version=status.version,
        groups=groups,
        rows=[_row(target, groups) for target in targets],
        counts=[(*_STATES[up], sum(target.up is up for target in targets)) for up in (True, False, None)],
        lists=_lists(status.glance, now or datetime.now(UTC)),
        now=(now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


@dataclass(frozen=True, slots=True)
class Ranking:
    """The worst of something, in words: a title, what is counted, the columns' heads and the rows."""

    title: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _lists(glance: Glance, now: datetime) -> list[Ranking]:
    """What an operator asks first; a list without rows is left out."""
    snapshots = Ranking(
        "Oldest snapshots",
        _shown(len(glance.snapshots), glance.guests_with_snapshots, "guests with snapshots"),
        ("Guest", "Target", "Age", "Snapshots", "Deep"),
        tuple(
            (old.guest, old.target, _age(old, now), str(old.snapshots), str(old.chain_depth))
            for old in glance.snapshots
        ),
    )
    hosts = Ranking(
        "Most overcommitted hosts",
        _shown(len(glance.hosts), glance.hosts_in_all, "hosts"),
        ("Host", "Target", "Memory promised", "vCPUs per core"),
        tuple(
            (host.host, host.target, _percent(host.memory_ratio), _times(host.vcpus_per_core)) for host in glance.hosts
        ),
    )
    storages = Ranking(
        "Fullest storage",
        _shown(len(glance.storages), glance.storages_in_all, "storages"),
        ("Storage", "Target", "Used", "Promised", "Free"),
        tuple(
            (
                each.storage,
                each.target,
                _percent(each.used_ratio),
                _percent(each.provisioned_ratio),
                size(each.free_bytes),
            )
            for each in glance.storages
        ),
    )
    return [ranking for ranking in (snapshots, hosts, storages) if ranking.rows]


def _age(old: OldSnapshot, now: datetime) -> str:
    return span(max(0.0, now.timestamp() - old.oldest_timestamp_seconds))


def _shown(count: int, of: int, what: str) -> str:
    return f"{count} of {of} {what}" if count < of else f"all {of} {what}" if of > 1 else ""


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.0%}"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1f}"


def size(count: float) -> str:
    """Bytes in the unit in which a person would say them."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} PiB"


def span(seconds: float) -> str:
    """A length of time in the unit in which a person would say it."""
    for least, unit, name in _UNITS:
        if seconds >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"


def _row(target: TargetStatus, groups: tuple[str, ...]) -> Row:
    state, word = _STATES[target.up]
    cells = {group.group: _cell(group) for group in target.groups}
    return Row(target, state, word, tuple(cells.get(group) for group in groups))


def _cell(group: GroupStatus) -> Cell:
    late = group.age_seconds is not None and group.age_seconds > LATE_AFTER_INTERVALS * group.interval_seconds
    failed = group.outcome not in (None, "success")
    notes = [(group.outcome or "").replace("_", " ")] if failed else []
    return Cell(
        group=group.group,
        age="not yet" if group.age_seconds is None else f"{span(group.age_seconds)} ago",
        took="" if group.duration_seconds is None else span(group.duration_seconds),
        note=", ".join([*notes, "late"] if late else notes),
        state="bad" if failed or late else "unknown" if group.age_seconds is None else "good",
    )
