"""Targets that watch the same cluster: what is there is shown twice, and counted twice by whoever adds targets up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from exporter.contract import label_of
from exporter.runtime.target_state import TargetState


def settle(targets: Iterable[TargetState]) -> list[TargetState]:
    """Note at every target how many of its clusters another one watches too; the targets where that has changed."""
    targets = list(targets)
    watched: dict[tuple[str, str], int] = defaultdict(int)
    for state in targets:
        for cluster in state.clusters:
            watched[label_of(state.target.platform), cluster] += 1
    changed = []
    for state in targets:
        shared = sum(watched[label_of(state.target.platform), cluster] > 1 for cluster in state.clusters)
        if shared != state.overlapping:
            state.overlapping = shared
            changed.append(state)
    return changed
