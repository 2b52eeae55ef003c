"""NUMA cells of a host, its huge pages, and guests on the move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.libvirt.mapping.state import PAUSED, PAUSED_FOR_MIGRATION, RUNNING
from collectors.libvirt.mapping.xml import parse, whole
from exporter.units import kibibytes

IN, OUT = "in", "out"
OPERATION_MIGRATION_OUT = 5
_PAUSED_STARTING_UP = 11
_RUNNING_MIGRATED = 2
_UNIT = "KiB"


@dataclass(frozen=True, slots=True)
class Cells:
    """Numbers of the cells, which may have holes, and sizes of huge pages in KiB."""

    ids: tuple[int, ...] = ()
    huge_kibibytes: tuple[int, ...] = ()

    @property
    def bound(self) -> int:
        """How many cells to ask for, so that the last one is among them."""
        return max(self.ids, default=-1) + 1


def cells(capabilities: str | None) -> Cells:
    """Cells and page sizes of the capabilities; the smallest page is no huge one. Raises `Malformed`."""
    if not capabilities:
        return Cells()
    root = parse(capabilities, "the host's capabilities")
    ids = {each.get("id", "") for each in root.iterfind("host/topology/cells/cell")}
    sizes = {each.get("size", "") for each in root.iterfind("host/cpu/pages") if each.get("unit") == _UNIT}
    return Cells(
        tuple(sorted(number for each in ids if (number := whole(each)) is not None)),
        tuple(sorted(number for each in sizes if (number := whole(each)) is not None)[1:]),
    )


def numa_free(host: Cells, answer: Sequence[int] | None) -> dict[str, float]:
    """Free bytes by cell, of virNodeGetCellsFreeMemory: one number per cell from 0 on."""
    return {str(cell): float(answer[cell]) for cell in host.ids if answer and cell < len(answer)}


def huge_free(host: Cells, answer: Mapping[int, Mapping[int, int]] | None) -> dict[str, float]:
    """Free pages by size in bytes, summed over the cells, of virNodeGetFreePages (pages by cell and KiB)."""
    if answer is None:
        return {}
    return {
        f"{kibibytes(size):.0f}": float(sum(pages.get(size, 0) for pages in answer.values()))
        for size in host.huge_kibibytes
    }


def arriving(state: int | None, reason: int | None) -> bool:
    """Whether a domain is an incoming copy (`state.state`, `state.reason`)."""
    return (state, reason) == (PAUSED, PAUSED_FOR_MIGRATION)


def on_the_doorstep(state: int | None, reason: int | None) -> bool:
    """Whether a domain may be an incoming copy that does not wait: not yet started, or just taking over."""
    return (state, reason) in {(PAUSED, _PAUSED_STARTING_UP), (RUNNING, _RUNNING_MIGRATED)}


def leaving(job: Mapping[str, object] | None) -> bool:
    """Whether a domain is being copied elsewhere: its job's `operation` (virDomainGetJobStats)."""
    return job is not None and job.get("operation") == OPERATION_MIGRATION_OUT
