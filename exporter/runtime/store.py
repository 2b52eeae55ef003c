"""The latest page of every (target, group), ready to be sent: what `/metrics` answers from.

One thread swaps, expires and drops; any thread asks for a member, which takes one reference to a state that never
changes and joins what is already compressed and summed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exporter.catalogue.family import Family
from exporter.exposition.chunk import Chunk, Run, compress
from exporter.exposition.gzip_member import END_OF_OPENMETRICS, Member
from exporter.exposition.negotiation import Format
from exporter.exposition.shelf import Joined, Shelf
from exporter.exposition.text import header
from exporter.runtime.page import Page

_REPORT = ""
"""The parent's own families stand beside the groups of a target."""


@dataclass(slots=True)
class _Held:
    """What is held of one group."""

    chunks: Mapping[str, Chunk]
    serial: int | None = None
    expires_at: float = float("inf")
    shown: Mapping[str, Chunk] = field(default_factory=dict)
    """The chunks without those of hidden families."""


@dataclass(frozen=True, slots=True)
class _State:
    """One moment of the store. `members` fills as formats are asked for; two threads may both fill it, alike."""

    joined: Mapping[str, Joined]
    targets: Mapping[str, tuple[Mapping[str, Chunk], ...]]
    """By target the chunks of each of its groups; a family belongs to one of them."""
    members: dict[Format, Member] = field(default_factory=dict)


class Store:
    """Holds compressed chunks only. Families come in the order of the catalogue, targets in the order they appeared."""

    def __init__(self, families: Iterable[Family]) -> None:
        families = tuple(families)
        self._headers = {
            wanted: {family.name: compress(header(family, wanted), 0) for family in families} for wanted in Format
        }
        self._shelves = {family.name: Shelf() for family in families}
        self._held: dict[str | None, dict[str, _Held]] = {}
        self._hidden: dict[str | None, frozenset[str]] = {}
        self._places: dict[str | None, int] = {}
        self._free_places: list[int] = []
        self._expiries: list[tuple[float, str, str]] = []
        """A heap of when which page expires, also of pages that have been replaced since."""
        self.series = 0
        """Series of all targets."""
        self._state = _State({}, {})

    # Written by one thread.

    def swap(self, target: str, group: str, page: Page, expires_at: float) -> bool:
        """Put a page in place of the one before; False if that is not the one it builds on: ask for a whole one."""
        chunks = {name: chunk for name, chunk in page.chunks.items() if name in self._shelves}
        before = self._held.get(target, {}).get(group)
        if page.follows is not None and (before is None or before.serial != page.follows):
            return False
        for name in page.unchanged:
            if before is None or name not in before.chunks:
                return False
            chunks[name] = before.chunks[name]
        heapq.heappush(self._expiries, (expires_at, target, group))
        self._replace(target, group, _Held(chunks, page.serial, expires_at))
        return True

    def hide(self, target: str, families: frozenset[str]) -> None:
        """Show no family of these, and all others again; chunks stay held, as the next page may build on them."""
        if families:
            self._hidden[target] = families
        elif self._hidden.pop(target, None) is None:
            return
        for group, held in tuple(self._held.get(target, {}).items()):
            self._replace(target, group, replace(held))

    def put_report(self, target: str | None, chunks: Mapping[str, Chunk]) -> None:
        """Take what the parent says about a target, or about the exporter (None); the target is known from then on."""
        self._replace(target, _REPORT, _Held(dict(chunks)))

    def holds(self, target: str, group: str) -> bool:
        """Whether a page of the group is held."""
        return group in self._held.get(target, {})

    def expire(self, now: float) -> list[tuple[str, str]]:
        """Let go of pages past their time to live and name them; what the parent says stays."""
        late = []
        while self._expiries and self._expiries[0][0] <= now:
            _, target, group = heapq.heappop(self._expiries)
            held = self._held.get(target, {}).get(group)
            if held is not None and held.expires_at <= now:
                late.append((target, group))
                self._replace(target, group, None)
        return late

    def next_expiry(self) -> float:
        """When the next page expires, if it is not replaced before; infinite without pages."""
        while self._expiries:
            at, target, group = self._expiries[0]
            held = self._held.get(target, {}).get(group)
            if held is not None and held.expires_at == at:
                return at
            heapq.heappop(self._expiries)
        return float("inf")

    def drop(self, target: str) -> None:
        """Forget a target and everything about it."""
        for group in tuple(self._held.get(target, ())):
            self._replace(target, group, None)
        self._hidden.pop(target, None)
        if self._held.pop(target, None) is not None:
            self._free_places.append(self._places.pop(target))
            left = {name: chunks for name, chunks in self._state.targets.items() if name != target}
            self._state = replace(self._state, targets=left)

    def _replace(self, target: str | None, group: str, new: _Held | None) -> None:
        groups = self._held.setdefault(target, {})
        old = groups.pop(group, None)
        if new is not None:
            new.shown = self._visible(target, new.chunks)
            groups[group] = new
        before, now = (held.shown if held is not None else {} for held in (old, new))
        joined = dict(self._state.joined)
        place = self._place(target)
        for name, chunk in [*now.items(), *((name, None) for name in before.keys() - now.keys())]:
            if before.get(name) is not chunk:
                shelf = self._shelves[name]
                shelf.put(place, chunk)
                joined[name] = shelf.joined()
        if target is None:
            self._state = _State(joined, self._state.targets)
        else:
            self.series += _series(now) - _series(before)
            held_now = tuple([held.shown for held in groups.values()])
            self._state = _State(joined, {**self._state.targets, target: held_now})

    def _visible(self, target: str | None, chunks: Mapping[str, Chunk]) -> Mapping[str, Chunk]:
        hidden = self._hidden.get(target)
        return {name: chunk for name, chunk in chunks.items() if name not in hidden} if hidden else chunks

    def _place(self, target: str | None) -> int:
        if target not in self._places:
            self._places[target] = self._free_places.pop() if self._free_places else len(self._places)
        return self._places[target]

    # Read from any thread.

    def member(self, wanted: Format, targets: Sequence[str] | None, tail: bytes = b"") -> Member:
        """Everything and then `tail`, or only the families of these targets. Raises KeyError with an unknown name."""
        state = self._state
        member = self._everything(state, wanted) if targets is None else self._some(state, wanted, targets)
        end = [compress(tail, 0)] if tail else []
        if wanted is Format.OPENMETRICS_1_0:
            end.append(END_OF_OPENMETRICS)
        return member.append(*end)

    def _everything(self, state: _State, wanted: Format) -> Member:
        known = state.members.get(wanted)
        if known is None:
            headers = self._headers[wanted]
            runs = [(name, state.joined[name].run) for name in self._shelves if name in state.joined]
            pieces = [piece for name, run in runs if run.bodies for piece in (headers[name], run)]
            known = state.members[wanted] = Member.of(pieces)
        return known

    def _some(self, state: _State, wanted: Format, targets: Sequence[str]) -> Member:
        held = [
            {name: chunk for chunks in state.targets[target] for name, chunk in chunks.items()}
            for target in dict.fromkeys(targets)
        ]
        pieces: list[Chunk | Run] = []
        for name, heading in self._headers[wanted].items():
            chunks = [chunks[name] for chunks in held if name in chunks]
            if chunks:
                pieces += [heading, *chunks]
        return Member.of(pieces)


def _series(chunks: Mapping[str, Chunk]) -> int:
    return sum([chunk.series for chunk in chunks.values()])
