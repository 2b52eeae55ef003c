"""What belongs to an endpoint as a whole: it is told of the root of its inventory, under which everything lies."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.model import Cluster, Counter

NAME = "*"
"""Stands where the name of a cluster would: no cluster can be meant by it."""
MISSING_RIGHTS = "missing_rights"
"""Key of the objects that cannot be read in full, by the right that is missing."""


def whole(instance: str, root: str, extra: Mapping[str, Counter | None]) -> Cluster:
    """The endpoint's inventory by its UUID and the reference of its root folder, with what is told of it."""
    return Cluster(id=f"{instance}:{root}", name=NAME, extra=extra)
