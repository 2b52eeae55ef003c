"""Triggered alarms, counted by object, severity and whether somebody has acknowledged them; never by their text."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Mapping

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.checked import Facts, Oddities, flag, parts, reference, text
from exporter.model import Parts

PATH = "triggeredAlarmState"
ALARMS, IN_ALL = "alarms", "alarms_in_all"
"""Keys of the counts among what only vSphere tells of a thing, and of the endpoint as a whole."""
SEVERITIES = ("yellow", "red")
_EVERY = tuple(f"{severity} {acknowledged}" for severity in SEVERITIES for acknowledged in "01")

Counts = Mapping[Ref, Mapping[str, int]]
"""Numbers of alarms by `<severity> <0 or 1 for acknowledged>`, by the object that triggered them."""


def alarms_of(root: Facts, odd: Oddities) -> Counts:
    """The alarms of every object out of the root folder's states, to which those of all below it are passed up.

    An alarm that is switched off and one that is green or gray count for nothing.
    """
    counts: defaultdict[Ref, Tally[str]] = defaultdict(Tally)
    seen: set[str] = set()
    for state in parts(root, PATH, odd):
        entity, severity = reference(state, "entity"), text(state, "overallStatus", odd)
        key = text(state, "key", odd)
        if entity is None or severity not in SEVERITIES or (key and key in seen) or flag(state, "disabled", odd):
            continue
        seen.add(key)
        counts[entity][f"{severity} {int(flag(state, 'acknowledged', odd) is True)}"] += 1
    return counts


def in_all(counts: Counts) -> Parts:
    """Every alarm there is, zeros included."""
    total: Tally[str] = Tally()
    for of_one in counts.values():
        total.update(of_one)
    return Parts({key: total[key] for key in _EVERY})


def of_one(counts: Counts, ref: Ref) -> Parts:
    """The alarms of one object, zeros included."""
    known = counts.get(ref, {})
    return Parts({key: known.get(key, 0) for key in _EVERY})


def of_guest(counts: Counts, ref: Ref) -> Parts:
    """The alarms of a guest, only those there are: four zeros for each of thousands of guests tell nobody anything."""
    return Parts(dict(counts.get(ref, {})))
