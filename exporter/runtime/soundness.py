"""Finds the things of an observation that no page can be made of, so that they cost themselves and nothing else.

Only asked when making the page has failed: a collector that hands over `disks=None` is wrong, but one guest is not all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exporter.config.model import Target
from exporter.exposition.subjects import WALKED, walk
from exporter.model import Host, Observation
from exporter.normalise import normalise
from exporter.runtime.carry import KINDS
from exporter.runtime.digest import digest


def sound(observation: Observation, target: Target) -> tuple[Observation, int]:
    """The observation without the things that cannot be shown, and how many those are. Slow: looks at one at a time."""
    kept: dict[str, Any] = dict.fromkeys(KINDS, ())
    malformed = 0
    for kind in KINDS:  # hosts first: guests are then tried beside the hosts that they are summed into
        things = tuple(getattr(observation, kind))
        hosts = kept["hosts"] if kind == "guests" else ()
        kept[kind] = tuple(thing for thing in things if _is_sound(observation, kind, thing, hosts, target))
        malformed += len(things) - len(kept[kind])
    return replace(observation, **kept), malformed


def _is_sound(observation: Observation, kind: str, thing: Any, hosts: tuple[Host, ...], target: Target) -> bool:
    nothing: dict[str, Any] = dict.fromkeys(KINDS, ())
    alone = replace(observation, **{**nothing, "hosts": hosts, kind: (thing,)})
    try:
        hash((thing.id, getattr(thing, "native_id", ""), getattr(thing, "host_id", "")))
        seen = normalise(alone, target).observation
        for entity in WALKED:
            walk(seen, entity)
        digest(seen)
    except Exception:  # noqa: BLE001  whatever it is, this is the thing that does it
        return False
    return True
