"""The things that families tell about, found in an observation, each with the text of its identifying labels.

That text is made once per thing and serves all its families, collection after collection.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from sys import intern
from typing import Any

from exporter.catalogue.family import Entity
from exporter.contract import label_of
from exporter.exposition.text import Labels
from exporter.model import Observation

DUPLICATE = "duplicate_series"
NAMELESS = "no_identity"

Found = tuple[tuple[object, ...], Any]
"""Values of the labels of an `Entity` beside target and platform, and the thing itself."""


def _parts(attribute: str, label: str) -> Callable[[Observation], Iterator[Found]]:
    """The parts of guests kept in `attribute`, each named by its own attribute `label`."""

    def found(seen: Observation) -> Iterator[Found]:
        for guest in seen.guests:
            for part in getattr(guest, attribute):
                yield (guest.name, guest.id, getattr(part, label)), part

    return found


def _host_nics(seen: Observation) -> Iterator[Found]:
    for host in seen.hosts:
        for nic in host.nics:
            yield (host.name, host.id, nic.nic), nic


def _snapshots(seen: Observation) -> Iterator[Found]:
    for guest in seen.guests:
        for snapshot in guest.snapshots or ():
            yield (guest.name, guest.id, snapshot.name, snapshot.id), snapshot


_WALKS: dict[Entity, Callable[[Observation], Iterator[Found]]] = {
    Entity.TARGET: lambda seen: iter((((), seen.endpoint),)),
    Entity.HOST: lambda seen: (((host.name, host.id), host) for host in seen.hosts),
    Entity.HOST_NIC: _host_nics,
    Entity.GUEST: lambda seen: (((guest.name, guest.id), guest) for guest in seen.guests),
    Entity.DISK: _parts("disks", "disk"),
    Entity.NIC: _parts("nics", "nic"),
    Entity.FILESYSTEM: _parts("filesystems", "mountpoint"),
    Entity.SNAPSHOT: _snapshots,
    Entity.STORAGE: lambda seen: (((storage.name, storage.id), storage) for storage in seen.storages),
    Entity.CLUSTER: lambda seen: (((cluster.name, cluster.id), cluster) for cluster in seen.clusters),
}


WALKED = tuple(_WALKS)
"""Every entity that an observation holds."""


def walk(seen: Observation, entity: Entity) -> list[Found]:
    """Every such thing in the observation, in its order."""
    return list(_WALKS[entity](seen))


class Subjects:
    """The things of one entity in one page, as parallel lists; `texts` stays the same object while nothing changes."""

    def __init__(self, entity: Entity, target: str, platform: str, labels: Labels) -> None:
        self._labels = labels
        self._names = entity.names
        # A display name is no identity where an id stands beside it.
        self._identifying = tuple(i for i, name in enumerate(self._names) if f"{name}_id" not in self._names)
        whole = entity is not Entity.EXPORTER
        self._fixed = [labels.pair("target", target), labels.pair("platform", label_of(platform))] if whole else []
        self._keys: list[tuple[object, ...]] | None = None
        self._kept: list[int] | None = None
        self._refused: list[tuple[str, int]] = []
        self.things: Sequence[Any] = ()
        self.texts: list[str] = []
        self._ids: list[Hashable] | None = None
        self.refused: list[tuple[str, Any]] = []
        """Things that get no series, with the reason: another has the same labels, or they lack their identity."""

    @property
    def ids(self) -> list[Hashable]:
        """What identifies each thing within its entity; only counters need it. The same object as long as `texts`."""
        if self._ids is None:
            keys = self._shown_keys()
            self._ids = [tuple([key[i] for i in self._identifying]) for key in keys]
        return self._ids

    def update(self, found: Sequence[Found]) -> None:
        """Take over what was found now; texts are made for what was not there before."""
        keys = [key for key, _ in found]
        if keys != self._keys:
            self._identify(keys)
        things = [thing for _, thing in found]
        self.refused = [(reason, things[index]) for reason, index in self._refused]
        self.things = things if self._kept is None else [things[index] for index in self._kept]

    def release(self) -> None:
        """Let go of the things themselves; what identifies them stays."""
        self.things, self.refused = (), []

    def _identify(self, keys: list[tuple[object, ...]]) -> None:
        known = self._known()
        texts: dict[str, int] = {}
        refused: list[tuple[str, int]] = []
        for index, key in enumerate(keys):
            if any(key[i] is None for i in self._identifying):
                refused.append((NAMELESS, index))
                continue
            text = known.get(key) or self._text(key)
            if text in texts:
                refused.append((DUPLICATE, index))
            else:
                texts[text] = index
        self._keys, self._refused = keys, refused
        self._kept = list(texts.values()) if refused else None
        self.texts, self._ids = list(texts), None

    def _shown_keys(self) -> list[tuple[object, ...]]:
        keys = self._keys or []
        return keys if self._kept is None else [keys[index] for index in self._kept]

    def _known(self) -> dict[tuple[object, ...], str]:
        return dict(zip(self._shown_keys(), self.texts, strict=True))

    def _text(self, key: tuple[object, ...]) -> str:
        # Several groups of a target tell about the same things.
        return intern(",".join((*self._fixed, *map(self._labels.pair, self._names, key))))
