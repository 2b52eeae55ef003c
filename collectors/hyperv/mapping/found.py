"""The guests of one host with everything that was read of them, put together by GUID and by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from collectors.hyperv.client.rows import Row, Value, columns
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.joins import Names, Numbers, adapter, counted, disk_path, is_instance, stripped
from collectors.hyperv.mapping.making import made
from collectors.hyperv.mapping.settings import Answers, GuestSettings
from collectors.hyperv.mapping.states import CONDITION, Condition, condition
from collectors.hyperv.mapping.values import Oddities, Table, is_guid, own_guid, when, word

NO_SETTINGS = GuestSettings()
_NOTHING: Mapping[str, Numbers] = {}


def _none(table: Table, texts: int = 0) -> Numbers:
    """What is read of an instance that is not there."""
    return (*(None,) * (len(table.fields) + texts), "")


NO_SUMMARY, NO_BALANCED = _none(tables.SUMMARIES, texts=1), _none(tables.BALANCED_GUESTS)
NO_PROCESSOR = _none(tables.VIRTUAL_PROCESSORS)
NO_PARTITION, NO_DEVICE, NO_ADAPTER = map(_none, (tables.PARTITIONS, tables.STORAGE_DEVICES, tables.NETWORK_ADAPTERS))


@dataclass(slots=True)
class Found:
    """A guest and everything that was read of it on this host, in base units: see `joins.Numbers`.

    What belongs to its partition (all but the summary) is there only while it has one.
    """

    id: str
    name: str
    condition: Condition
    changed: Value
    """TimeOfLastStateChange as sent."""
    uptime: float | None = None
    """Seconds, while it has a partition."""
    odd: tuple[str, ...] = ()
    """Sentences about what was sent and makes no sense."""
    has_partition: bool = False
    """Whether it has memory and processors of its host now: nothing else has counters."""
    settings: GuestSettings = NO_SETTINGS
    summary: Numbers = NO_SUMMARY
    """The order is that of the fields of tables.SUMMARIES, then the name of the guest's system."""
    processors: Mapping[str, Numbers] = field(default_factory=lambda: _NOTHING)
    balanced: Numbers = NO_BALANCED
    partition: Numbers = NO_PARTITION
    disks: Mapping[str, Numbers] = field(default_factory=lambda: _NOTHING)
    """Storage devices by instance, for the disks whose instance is theirs alone."""
    nics: Mapping[str, Numbers] = field(default_factory=lambda: _NOTHING)

    @property
    def changed_at(self) -> float | None:
        """When its state last changed, Unix seconds."""
        return when({"": self.changed}, "", [])


@dataclass(frozen=True, slots=True)
class Joined:
    """The guests of a host, and what did not fit together."""

    guests: tuple[Found, ...]
    ambiguous: frozenset[str]
    """Guests whose name is another's too: their counters by name cannot be told apart."""
    unjoined: tuple[str, ...]
    """Names that virtual processors carry and no guest bears that is known."""
    unjoined_adapters: tuple[str, ...]
    unjoined_disks: tuple[str, ...]


def join(answers: Answers, settings: Mapping[str, GuestSettings], odd: Oddities) -> Joined:
    """Put together by GUID, and by name where that is all there is."""
    strange: Oddities = []

    def read(table: Table, *texts: str) -> list[tuple[str, Numbers]]:
        return counted(answers.get(table, ()), table, strange, *texts)

    systems = _systems(answers.get(tables.COMPUTER_SYSTEMS, ()), odd)
    names = Names((identity, name) for identity, name, holds in zip(*systems[:3], strict=True) if holds)
    summaries = {name.lower(): numbers for name, numbers in read(tables.SUMMARIES, "GuestOperatingSystem")}
    # Of guests without a partition there are no names, and so nothing by name.
    processors, left = names.processors(read(tables.VIRTUAL_PROCESSORS))
    balanced, _ = names.join(read(tables.BALANCED_GUESTS))
    partitions, _ = names.join(read(tables.PARTITIONS))
    nics, foreign = _adapters(read(tables.NETWORK_ADAPTERS), frozenset(systems.id))
    by_guest: Mapping[str, tuple[Mapping[str, object], object]] = {
        "settings": (settings, NO_SETTINGS),
        "summary": (summaries, NO_SUMMARY),
        "processors": (processors, _NOTHING),
        "balanced": (balanced, NO_BALANCED),
        "partition": (partitions, NO_PARTITION),
    }
    found = made(
        Found,
        len(systems.id),
        **systems._asdict(),
        **{name: list(map(known.get, systems.id, repeat(nothing))) for name, (known, nothing) in by_guest.items()},
        nics=[
            nics.get(identity, _NOTHING) if holds else _NOTHING
            for identity, holds in zip(systems.id, systems.has_partition, strict=True)
        ],
    )
    unjoined = _devices(read(tables.STORAGE_DEVICES), found)
    if strange:
        for each in found:
            each.odd = (*each.odd, *filter(None, _sentences(each)))
    return Joined(tuple(found), frozenset(names.ambiguous), tuple(left), tuple(foreign), tuple(unjoined))


class _Systems(NamedTuple):
    """What guests themselves say, by the fields of `Found`."""

    id: list[str]
    name: list[str]
    has_partition: list[bool]
    condition: list[Condition]
    changed: list[Value]
    uptime: list[float | None]
    odd: list[tuple[str, ...]]


def _systems(rows: Sequence[Row], odd: Oddities) -> _Systems:
    sent = columns(rows, ("Name", "ElementName", "TimeOfLastStateChange", tables.ON_TIME.name, *CONDITION))
    strange: dict[int, str] = {}
    uptimes = tables.ON_TIME.column(sent[3], strange)
    # By GUID: the host itself has none, and of two with the same one the last is told.
    places = {identity: place for place, name in enumerate(stripped(sent[0])) if (identity := own_guid(name))}
    shown, states = stripped(sent[1]), list(zip(*sent[4:], strict=True))
    conditions = [condition(states[place], odd) for place in places.values()]
    return _Systems(
        id=list(places),
        name=[shown[place] or identity for identity, place in places.items()],
        has_partition=[each.has_partition for each in conditions],
        condition=conditions,
        changed=[sent[2][place] for place in places.values()],
        uptime=[uptimes[place] for place in places.values()],
        odd=[
            (strange[place],) if place in strange and each.has_partition else ()
            for place, each in zip(places.values(), conditions, strict=True)
        ],
    )


def _sentences(found: Found) -> Iterator[str]:
    """About what makes no sense; "" for what does."""
    yield from (each[-1] for each in (found.summary, found.balanced, found.partition))
    for several in (found.processors, found.disks, found.nics):
        yield from (numbers[-1] for numbers in several.values())


def own_name(answers: Answers) -> str:
    """What the host calls itself among its guests; "" where it does not."""
    rows = answers.get(tables.COMPUTER_SYSTEMS, ())
    return next((name for row in rows if (name := word(row, "Name")) and not is_guid(name)), "")


def _adapters(
    named: Sequence[tuple[str, Numbers]], guests: Collection[str]
) -> tuple[dict[str, dict[str, Numbers]], list[str]]:
    joined: dict[str, dict[str, Numbers]] = {}
    left = []
    for instance, numbers in named:
        parsed = adapter(instance)
        if parsed is not None and parsed[0] in guests:
            joined.setdefault(parsed[0], {})[parsed[1]] = numbers
        elif parsed is not None:
            left.append(instance)
    return joined, left


def _devices(named: Sequence[tuple[str, Numbers]], guests: Iterable[Found]) -> list[str]:
    """Give each guest what is counted of its disks; a file that two guests have is told of neither."""
    owners: dict[str, list[tuple[Found, str]]] = {}
    for each in guests:
        for disk in each.settings.disks or () if each.has_partition else ():
            owners.setdefault(disk_path(disk.path), []).append((each, disk.disk))
    left = []
    for instance, numbers in named:
        found = owners.get(disk_path(instance), ())
        if len(found) == 1:
            guest, disk_name = found[0]
            guest.disks = {**guest.disks, disk_name: numbers}
        elif not found:
            left.append(instance)
    return left


def unsettled(answers: Answers, settings: Mapping[str, GuestSettings]) -> bool:
    """Whether there is a guest, or a storage device, that the settings which are known say nothing of."""
    (names,) = columns(answers.get(tables.COMPUTER_SYSTEMS, ()), ("Name",))
    guests = set(map(own_guid, stripped(names))) - {""}
    if not guests <= settings.keys():
        return True
    (devices,) = columns(answers.get(tables.STORAGE_DEVICES, ()) if guests else (), ("Name",))
    known = {disk_path(disk.path) for identity in guests for disk in settings[identity].disks or ()}
    # Images of DVDs are devices too, and are no disks of anybody.
    return any(
        disk_path(name) not in known and not name.lower().endswith(".iso") and is_instance(name)
        for name in stripped(devices)
    )
