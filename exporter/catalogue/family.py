"""What a family is: one metric as data. The lists of families live beside this file and with each platform.

Renderer, documentation, lint, support matrix and filters read these; nothing else names a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Any

VITALS = "vitals"
STORAGE = "storage"
SNAPSHOTS = "snapshots"
INVENTORY = "inventory"
PARENT = ""
"""Group of the families that the parent process renders itself, on events."""

GROUPS = (VITALS, STORAGE, SNAPSHOTS, INVENTORY)
"""The groups every platform knows; a platform may add opt-in groups of its own."""


class Kind(StrEnum):
    """Type of a family. An info is a gauge of value 1 in the text format and an info in OpenMetrics."""

    COUNTER = "counter"
    GAUGE = "gauge"
    INFO = "info"


class Priority(IntEnum):
    """What is shed first when a target has too many series: the largest number."""

    TARGET = 0
    HOST = 1
    CLUSTER = 2
    STORAGE = 3
    GUEST = 4
    PART = 5
    DETAIL = 6


class Entity(Enum):
    """The thing a family tells about, with the labels that identify it beside `target` and `platform`."""

    TARGET = "target"
    EXPORTER = "exporter"
    HOST = "host"
    HOST_NIC = "host_nic"
    GUEST = "guest"
    DISK = "disk"
    NIC = "nic"
    FILESYSTEM = "filesystem"
    SNAPSHOT = "snapshot"
    STORAGE = "storage"
    CLUSTER = "cluster"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the labels that tell one such thing from another within a target."""
        return _NAMES[self]

    @property
    def identity(self) -> tuple[str, ...]:
        """Names of the labels that identify one such thing, in the order in which they are rendered."""
        if self is Entity.EXPORTER:
            return ()
        return ("target", "platform", *self.names)


# Kept apart from the members: with Python 3.11.2, which is Debian 12's, an empty tuple is no value of an Enum.
_NAMES: Mapping[Entity, tuple[str, ...]] = {
    Entity.TARGET: (),
    Entity.EXPORTER: (),
    Entity.HOST: ("host", "host_id"),
    Entity.HOST_NIC: ("host", "host_id", "nic"),
    Entity.GUEST: ("guest", "guest_id"),
    Entity.DISK: ("guest", "guest_id", "disk"),
    Entity.NIC: ("guest", "guest_id", "nic"),
    Entity.FILESYSTEM: ("guest", "guest_id", "mountpoint"),
    Entity.SNAPSHOT: ("guest", "guest_id", "snapshot", "snapshot_id"),
    Entity.STORAGE: ("storage", "storage_id"),
    Entity.CLUSTER: ("compute_cluster", "compute_cluster_id"),
}


Row = tuple[tuple[str, ...] | Mapping[str, str], object]
"""Values of a family's own labels in declared order, and the value. A mapping names its labels and may add some."""

UNITS = ("seconds", "bytes", "hertz", "joules", "ratio", "cpus")


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `value` reads one value from the entity, `each` rows with the family's own labels; one is set.

    What they return is a number, a bool, a counter of `exporter.model`, or None for unknown.
    """

    name: str
    kind: Kind
    help: str
    entity: Entity
    group: str
    priority: Priority
    labels: tuple[str, ...] = ()
    value: Callable[[Any], object] | None = None
    each: Callable[[Any], Iterable[Row]] | None = None
    cost: float = 1.0
    """Series expected per entity where the platform delivers the family."""
    default: bool = True

    @property
    def unit(self) -> str:
        """Base unit that the name ends with, "" for plain numbers and infos."""
        stem = self.name.removesuffix("_total")
        return next((unit for unit in UNITS if stem.endswith("_" + unit)), "")

    @property
    def all_labels(self) -> tuple[str, ...]:
        """Every label of a series of this family, in rendered order."""
        return (*self.entity.identity, *self.labels)


class Section:
    """Makes families of one entity and group without repeating both on every line."""

    def __init__(self, entity: Entity, group: str, priority: Priority) -> None:
        self._entity, self._group, self._priority = entity, group, priority

    def _family(
        self,
        kind: Kind,
        name: str,
        text: str,
        *,
        labels: Sequence[str] = (),
        value: Callable[[Any], object] | None = None,
        each: Callable[[Any], Iterable[Row]] | None = None,
        cost: float = 1.0,
        default: bool = True,
        group: str | None = None,
    ) -> Family:
        return Family(
            name=name,
            kind=kind,
            help=text,
            entity=self._entity,
            group=self._group if group is None else group,
            priority=self._priority,
            labels=tuple(labels),
            value=value,
            each=each,
            cost=cost,
            default=default,
        )

    def gauge(self, name: str, text: str, **rest: Any) -> Family:
        """A value that goes up and down."""
        return self._family(Kind.GAUGE, name, text, **rest)

    def counter(self, name: str, text: str, **rest: Any) -> Family:
        """A value that only grows; the name ends in `_total`."""
        return self._family(Kind.COUNTER, name, text, **rest)

    def info(
        self,
        name: str,
        text: str,
        *,
        labels: Sequence[str],
        describe: Callable[[Any], Sequence[str] | None],
        **rest: Any,
    ) -> Family:
        """Description as labels, value 1; `describe` returns the labels' values, or None where nothing is known."""

        def each(entity: Any) -> Iterable[Row]:
            values = describe(entity)
            return () if values is None else ((tuple(values), 1),)

        return self._family(Kind.INFO, name, text, labels=labels, each=each, **rest)

    def info_rows(self, name: str, text: str, **rest: Any) -> Family:
        """Description whose rows name labels beyond the declared ones."""
        return self._family(Kind.INFO, name, text, **rest)


def one_of(read: Callable[[Any], str | None]) -> Callable[[Any], Iterable[Row]]:
    """Rows of a family that exports only the current word, as a label with value 1."""

    def each(entity: Any) -> Iterable[Row]:
        word = read(entity)
        return () if word is None else (((str(word),), 1),)

    return each


def mapping_of(read: Callable[[Any], Any]) -> Callable[[Any], Iterable[Row]]:
    """Rows of a family with one own label, from a mapping of the label's values to numbers."""

    def each(entity: Any) -> Iterable[Row]:
        return [((str(key),), value) for key, value in read(entity).items()]

    return each
