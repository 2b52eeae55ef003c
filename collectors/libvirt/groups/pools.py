"""Between the groups and an endpoint: a pool on dead storage costs the pools, never the collection or its lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from collectors.libvirt.answers import Pool
from collectors.libvirt.client.endpoint import Questions
from collectors.libvirt.client.patience import Occupied
from collectors.libvirt.client.pools import Pools
from collectors.libvirt.findings import Findings
from exporter.contract import Deadline
from exporter.errors import TimedOut, Unsupported

STORAGE_INACCESSIBLE = "storage_inaccessible"

T = TypeVar("T")


def patient(questions: Questions, pools: Pools, findings: Findings, deadline: Deadline) -> Questions:
    """The questions for one collection; those about pools are `Unsupported` from the first that does not return."""
    return cast("Questions", _Patient(questions, pools, findings, deadline))


class _Patient:
    """Answers like the endpoint behind it, except about pools."""

    def __init__(self, questions: Questions, pools: Pools, findings: Findings, deadline: Deadline) -> None:
        self._questions = questions
        self._pools = pools
        self._findings = findings
        self._deadline = deadline
        self._noted = False

    def __getattr__(self, question: str) -> Any:
        return getattr(self._questions, question)

    def pools(self) -> list[Pool]:
        """The storage pools of the host."""
        return self._ask("listing the pools", lambda endpoint: endpoint.pools())

    def pool_info(self, pool: Pool) -> Sequence[int]:
        """State and sizes of a pool."""
        return self._ask(f"pool {pool.name!r}", lambda endpoint: endpoint.pool_info(pool))

    def pool_xml(self, pool: Pool) -> str:
        """The description of a pool."""
        return self._ask(f"pool {pool.name!r}", lambda endpoint: endpoint.pool_xml(pool))

    def volumes(self, pool: Pool) -> list[str]:
        """The descriptions of a pool's volumes."""
        return self._ask(f"the volumes of pool {pool.name!r}", lambda endpoint: endpoint.volumes(pool))

    def _ask(self, doing: str, question: Callable[[Questions], T]) -> T:
        try:
            return self._pools.ask(question, self._deadline.remaining_seconds)
        except (TimedOut, Occupied) as error:
            if not self._noted:
                self._noted = True
                self._findings.note(STORAGE_INACCESSIBLE, f"{doing}: {error}; pools are left out until it returns")
            raise Unsupported("pools that do not answer") from error
