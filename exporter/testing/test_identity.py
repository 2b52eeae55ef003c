"""Names and identifiers: text, not empty, and the same in the next collection and the next session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from exporter.model import GuestState, HostState, Observation
from exporter.testing.verdict import refuse
from exporter.testing.visit import Record, Round

_UUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)

Named = tuple[str, object, object]
"""Kind of a thing, its identifier (with its guest's, where it is a part), its display name."""


def _things(seen: Observation) -> Iterator[Named]:
    for kind, entities in (
        ("host", seen.hosts),
        ("guest", seen.guests),
        ("storage", seen.storages),
        ("cluster", seen.clusters),
    ):
        yield from ((kind, entity.id, entity.name) for entity in _each(entities))
    for host in _each(seen.hosts):
        yield from (("host adapter", (host.id, nic.nic), nic.nic) for nic in _each(host.nics))
    for guest in _each(seen.guests):
        yield from (("disk", (guest.id, disk.disk), disk.disk) for disk in _each(guest.disks))
        yield from (("adapter", (guest.id, nic.nic), nic.nic) for nic in _each(guest.nics))
        yield from (("file system", (guest.id, it.mountpoint), it.mountpoint) for it in _each(guest.filesystems))
        yield from (("snapshot", (guest.id, snapshot.id), snapshot.name) for snapshot in _each(guest.snapshots))


def _each(entities: Any) -> tuple[Any, ...]:
    return tuple(entities) if isinstance(entities, tuple) else ()


def _named(which: Round) -> dict[tuple[str, object], object]:
    return {
        (kind, identifier): name
        for collected in which.values()
        if isinstance(collected.observation, Observation)
        for kind, identifier, name in _things(collected.observation)
    }


def test_names_and_ids_are_text(seen: Record) -> None:
    """No None, no number, nothing empty; UUIDs in lower case without braces."""
    refuse(sorted({sentence for which in seen.rounds for sentence in _not_text(which)}))


def _not_text(which: Round) -> Iterator[str]:
    for (kind, identifier), name in _named(which).items():
        parts = identifier if isinstance(identifier, tuple) else (identifier,)
        for word, value in (("a name", name), *(("an id", part) for part in parts)):
            if not (isinstance(value, str) and value):
                yield f"a {kind} has {word} that is no text or empty: {value!r}; {kind} {identifier!r} {name!r}"
        yield from (
            f"the {kind} {name!r} has the id {part!r}: UUIDs are in lower case and without braces"
            for part in parts
            if isinstance(part, str) and _UUID.fullmatch(part) and part != part.lower().strip("{}")
        )


def test_states_are_words_of_the_model(seen: Record) -> None:
    """A state is a member of the enumeration or None, not the vendor's word."""
    refuse(sorted({sentence for it in seen.collected() for sentence in _foreign_states(it.observation)}))


def _foreign_states(observation: Observation | None) -> Iterator[str]:
    if not isinstance(observation, Observation):
        return
    for entities, kind in ((observation.hosts, HostState), (observation.guests, GuestState)):
        for entity in _each(entities):
            if entity.state is not None and not isinstance(entity.state, kind):
                yield f"{entity.name!r} has the state {entity.state!r}, which is no {kind.__name__}"


def test_identities_are_stable(seen: Record) -> None:
    """The same things have the same ids in the next collection, and in another session."""
    first, second, reopened = (_named(which) for which in seen.rounds)
    refuse(
        [*_changes(first, second, "in the next collection"), *_changes(second, reopened, "in another session")],
    )


def _changes(
    before: dict[tuple[str, object], object], after: dict[tuple[str, object], object], when: str
) -> Iterator[str]:
    new = {(kind, name): identifier for (kind, identifier), name in after.items() if (kind, identifier) not in before}
    for (kind, identifier), name in before.items():
        if (kind, identifier) in after:
            continue
        if (kind, name) in new:
            yield f"the {kind} {name!r} was {identifier!r} and is {new[kind, name]!r} {when}: its series begin anew"
        else:
            yield f"the {kind} {name!r} ({identifier!r}) is gone {when}; the world should not change by itself"
