"""The guests of one host with everything that was read of them, put together by GUID and by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.hyperv.client.rows import Row
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.joins import Names, adapter, disk_path, instances
from collectors.hyperv.mapping.settings import Answers, GuestSettings
from collectors.hyperv.mapping.states import Condition, condition
from collectors.hyperv.mapping.values import Oddities, is_guid, when, word

NO_SETTINGS = GuestSettings()


@dataclass(slots=True)
class Found:
    """A guest and everything that was read of it on this host."""

    id: str
    name: str
    row: Row
    condition: Condition
    has_partition: bool = field(init=False)
    """Whether it has memory and processors of its host now: nothing else has counters."""
    settings: GuestSettings = NO_SETTINGS
    summary: Row = field(default_factory=dict)
    processors: Mapping[str, Row] = field(default_factory=dict)
    balanced: Row = field(default_factory=dict)
    partition: Row = field(default_factory=dict)
    disks: Mapping[str, Row] = field(default_factory=dict)
    """Rows of storage devices by instance, for the disks whose instance is theirs alone."""
    nics: Mapping[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.has_partition = self.condition.state.holds_memory

    @property
    def changed_at(self) -> float | None:
        """When its state last changed, Unix seconds."""
        return when(self.row, "TimeOfLastStateChange", [])


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
    guests = {each.id: each for each in _systems(answers, odd)}
    for identity, found in guests.items():
        found.settings = settings.get(identity, NO_SETTINGS)
    for row in answers.get(tables.SUMMARIES, ()):
        if (known := guests.get(word(row, "Name").lower())) is not None:
            known.summary = row
    names = Names((each.id, each.name) for each in guests.values() if each.has_partition)
    processors, left = names.processors(answers.get(tables.VIRTUAL_PROCESSORS, ()))
    balanced, _ = names.join(answers.get(tables.BALANCED_GUESTS, ()))
    partitions, _ = names.join(answers.get(tables.PARTITIONS, ()))
    nics, foreign = _adapters(answers.get(tables.NETWORK_ADAPTERS, ()), guests)
    disks, unjoined = _devices(answers.get(tables.STORAGE_DEVICES, ()), guests)
    for identity, found in guests.items():
        found.processors = processors.get(identity, {})
        found.balanced = balanced.get(identity, {})
        found.partition = partitions.get(identity, {})
        found.nics = nics.get(identity, {})
        found.disks = disks.get(identity, {})
    return Joined(tuple(guests.values()), frozenset(names.ambiguous), tuple(left), tuple(foreign), tuple(unjoined))


def _systems(answers: Answers, odd: Oddities) -> list[Found]:
    found = []
    for row in answers.get(tables.COMPUTER_SYSTEMS, ()):
        identity = word(row, "Name")
        if is_guid(identity):
            name = word(row, "ElementName") or identity.lower()
            found.append(Found(identity.lower(), name, row, condition(row, odd)))
    return found


def own_name(answers: Answers) -> str:
    """What the host calls itself among its guests; "" where it does not."""
    rows = answers.get(tables.COMPUTER_SYSTEMS, ())
    return next((name for row in rows if (name := word(row, "Name")) and not is_guid(name)), "")


def _adapters(rows: Sequence[Row], guests: Mapping[str, Found]) -> tuple[dict[str, dict[str, Row]], list[str]]:
    joined: dict[str, dict[str, Row]] = {}
    left = []
    for instance, row in instances(rows):
        parsed = adapter(instance)
        if parsed is not None and parsed[0] in guests:
            joined.setdefault(parsed[0], {})[parsed[1]] = row
        elif parsed is not None:
            left.append(instance)
    return joined, left


def _devices(rows: Sequence[Row], guests: Mapping[str, Found]) -> tuple[dict[str, dict[str, Row]], list[str]]:
    """By guest and disk; a file that two guests have is told of neither."""
    owners: dict[str, list[tuple[str, str]]] = {}
    for each in guests.values():
        for disk in each.settings.disks or () if each.has_partition else ():
            owners.setdefault(disk_path(disk.path), []).append((each.id, disk.disk))
    joined: dict[str, dict[str, Row]] = {}
    left = []
    for instance, row in instances(rows):
        found = owners.get(disk_path(instance), ())
        if len(found) == 1:
            joined.setdefault(found[0][0], {})[found[0][1]] = row
        elif not found:
            left.append(instance)
    return joined, left


def unsettled(answers: Answers, settings: Mapping[str, GuestSettings]) -> bool:
    """Whether there is a guest, or a storage device, that the settings which are known say nothing of."""
    names = (word(row, "Name") for row in answers.get(tables.COMPUTER_SYSTEMS, ()))
    guests = {name.lower() for name in names if is_guid(name)}
    if not guests <= settings.keys():
        return True
    known = {disk_path(disk.path) for identity in guests for disk in settings[identity].disks or ()}
    devices = (name for name, _ in instances(answers.get(tables.STORAGE_DEVICES, ()))) if guests else ()
    # Images of DVDs are devices too, and are no disks of anybody.
    return any(disk_path(name) not in known and not name.lower().endswith(".iso") for name in devices)
