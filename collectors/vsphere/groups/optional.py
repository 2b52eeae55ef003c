"""Questions that may fail by themselves: what could not be asked costs its own families and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Busy, Refused
from collectors.vsphere.client.properties import Page
from collectors.vsphere.findings import INACCESSIBLE, MALFORMED, MISSING_RIGHT
from collectors.vsphere.groups.surroundings import Surroundings
from exporter.errors import Forbidden, Malformed, TimedOut

SHARE = 0.5
"""Of the time that is left, for one question that everything else should survive."""
_NO_PERMISSION = "NoPermission"


@contextmanager
def by_itself(around: Surroundings, what: str) -> Iterator[None]:
    """Around a question: what the endpoint refuses, garbles or does not answer in time is noted, and not raised.

    A lost session and a connection that breaks are the whole collection's.
    """
    left = around.asking_until().remaining_seconds
    around.lane.within(max(left, 0.0) * SHARE)
    try:
        yield
    except Forbidden as error:
        around.findings.count(MISSING_RIGHT, 1, f"{what}: {error}")
    except Refused as error:
        around.findings.count(INACCESSIBLE, 1, f"{what}: {error}")
    except Malformed as error:
        around.findings.count(MALFORMED, 1, f"{what}: {error}")
    except (TimedOut, Busy):
        around.findings.unread = True
    finally:
        around.lane.within(around.deadline.remaining_seconds)


def of_manager(
    around: Surroundings, manager: Ref, path: str, *, spared: bool = False
) -> tuple[dict[str, object], bool]:
    """One property of one object, and whether a right is missing for it.

    `spared`: the right is one that an operator may well keep from the account, and its lack is no problem.
    """
    found: dict[str, object] = {}
    forbidden = False
    try:
        for page in around.lane.these([manager], {manager.kind: [path]}):
            forbidden = _noted(around, page, spared=spared) or forbidden
            found |= page.objects.get(manager, {})
    except Forbidden as error:
        if not spared:
            around.findings.count(MISSING_RIGHT, 1, f"{manager.kind} {manager.id}: {path}: {error}")
        return {}, True
    return found, forbidden


def _noted(around: Surroundings, page: Page, *, spared: bool) -> bool:
    forbidden = False
    for ref, path, why in page.lost:
        forbidden = forbidden or why == _NO_PERMISSION
        if not (spared and why == _NO_PERMISSION):
            problem = MISSING_RIGHT if why == _NO_PERMISSION else INACCESSIBLE
            around.findings.count(problem, 1, f"{ref.kind} {ref.id}: {path} ({why})")
    return forbidden
