"""Between the guard and an endpoint: a guest counts as switched off only where its state says so.

libvirt refuses a call with "operation invalid" about a guest that was switched off since it was listed, which is no
problem, and about one that runs and still cannot tell (no such cgroup, no threads of its CPUs), which is one.
"""

from __future__ import annotations

from typing import Any, cast

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.endpoint import Questions
from collectors.libvirt.client.errors import Failed, Gone, WrongState
from collectors.libvirt.mapping.state import CRASHED, OFF

_WITHOUT_PROCESS = {OFF, CRASHED}


def verified(questions: Questions) -> Questions:
    """The questions, whose `WrongState` about a domain has become `Gone` or `Failed`."""
    return cast("Questions", _Verified(questions))


class _Verified:
    """Answers like the endpoint behind it."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def __getattr__(self, question: str) -> Any:
        ask = getattr(self._questions, question)

        def asked(*arguments: Any) -> Any:
            try:
                return ask(*arguments)
            except WrongState as error:
                if arguments and isinstance(arguments[0], Domain):
                    raise self._meaning(arguments[0], error) from error
                raise

        return asked

    def _meaning(self, domain: Domain, error: WrongState) -> Gone | Failed:
        try:
            state = self._questions.state(domain)[0]
        except Gone as gone:
            return gone
        return error if state in _WITHOUT_PROCESS else Failed(str(error))
