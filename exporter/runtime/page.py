"""What a worker hands over of one collection: the chunks of its families and the facts that the parent needs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from exporter.exposition.chunk import Chunk
from exporter.model import EndpointFacts


@dataclass(frozen=True, slots=True)
class Page:
    """One observation of one (target, group), rendered and compressed.

    Families in neither `chunks` nor `unchanged` have no series now. `follows` is the serial of the page before, which
    `unchanged` refers to, None where this one is whole: so a page that got lost on the way is noticed.
    """

    serial: int
    chunks: Mapping[str, Chunk]
    collected_at: float
    follows: int | None = None
    unchanged: tuple[str, ...] = ()
    series: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Samples left out of this page, by reason."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Series left out of this page because they repeat another one or lack their identity, by reason."""
    sanitised: int = 0
    """Label values that had to be changed when their text was made for this page."""
    objects: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Name of a problem to the number of objects and a sentence with an example."""
    single_host: tuple[tuple[str, str], ...] = ()
    """Name and id of the hosts seen where the endpoint is the host itself; the parent renders whether they are up."""
    clusters: tuple[str, ...] = ()
    """Ids of the clusters seen, by which targets that watch the same one are known."""
    endpoint: EndpointFacts = field(default_factory=EndpointFacts)
    partial: bool = False
    wanted: Mapping[str, int] = field(default_factory=dict)
    """Series that every family of the group would have, also those that were shed."""
    omitted: tuple[str, ...] = ()
    """Families that a single collection cannot tell: their counters begin at 0 with the first."""
    offsets: Mapping[str, Mapping[Hashable, float]] = field(default_factory=dict)
    """Where sums stand above the vendor's own; the next worker's ledger goes on from there."""
    digest: bytes = b""
    """What people are shown of this observation; see `exporter.runtime.digest`."""
