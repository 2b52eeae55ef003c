"""The guests of one host with everything that was read of them, put together by GUID and by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.hyperv.client.rows import Row, Value, columns
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.joins import Names, Numbers, adapter, counted, disk_path, is_instance, stripped
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
    has_partition: bool = field(init=False)
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

    def __post_init__(self) -> None:
        self.has_partition = self.condition.state.holds_memory

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

    guests = {each.id: each for each in _systems(answers.get(tables.COMPUTER_SYSTEMS, ()), odd)}
    summaries = {name.lower(): numbers for name, numbers in read(tables.SUMMARIES, "GuestOperatingSystem")}
    names = Names((each.id, each.name) for each in guests.values() if each.has_partition)
    processors, left = names.processors(read(tables.VIRTUAL_PROCESSORS))
    balanced, _ = names.join(read(tables.BALANCED_GUESTS))
    partitions, _ = names.join(read(tables.PARTITIONS))
    nics, foreign = _adapters(read(tables.NETWORK_ADAPTERS), guests)
    for identity, found in guests.items():
        found.settings = settings.get(identity, NO_SETTINGS)
        found.summary = summaries.get(identity, NO_SUMMARY)
        if found.has_partition:
            found.processors = processors.get(identity, _NOTHING)
            found.balanced = balanced.get(identity, NO_BALANCED)
            found.partition = partitions.get(identity, NO_PARTITION)
            found.nics = nics.get(identity, _NOTHING)
    unjoined = _devices(read(tables.STORAGE_DEVICES), guests)
    if strange:
        for found in guests.values():
            found.odd = (*found.odd, *filter(None, _sentences(found)))
    return Joined(tuple(guests.values()), frozenset(names.ambiguous), tuple(left), tuple(foreign), tuple(unjoined))


def _systems(rows: Sequence[Row], odd: Oddities) -> list[Found]:
    sent = columns(rows, ("Name", "ElementName", "TimeOfLastStateChange", tables.ON_TIME.name, *CONDITION))
    strange: dict[int, str] = {}
    uptimes = tables.ON_TIME.column(sent[3], strange)
    found = []
    states = zip(*sent[4:], strict=True)
    for place, (name, shown, changed, uptime, state) in enumerate(
        zip(stripped(sent[0]), stripped(sent[1]), sent[2], uptimes, states, strict=True)
    ):
        if identity := own_guid(name):
            guest = Found(identity, shown or identity, condition(state, odd), changed, uptime)
            if place in strange and guest.has_partition:
                guest.odd = (strange[place],)
            found.append(guest)
    return found


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
    named: Sequence[tuple[str, Numbers]], guests: Mapping[str, Found]
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


def _devices(named: Sequence[tuple[str, Numbers]], guests: Mapping[str, Found]) -> list[str]:
    """Give each guest what is counted of its disks; a file that two guests have is told of neither."""
    owners: dict[str, list[tuple[Found, str]]] = {}
    for each in guests.values():
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
