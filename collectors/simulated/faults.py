"""What a collection does instead of answering: the faults of a target's options, and of a file beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from collectors.simulated.looks import Look
from collectors.simulated.options import Fault
from exporter.contract import Deadline
from exporter.errors import AuthenticationFailed, Forbidden, Malformed, TimedOut, Unreachable

_LIST = TypeAdapter(list[Fault])
_IN_TIME = 0.8
_LOOK_AGAIN_SECONDS = 0.1
"""How often a hung call looks whether its fault is over."""


class Faults:
    """The faults of one target, those of its file as of now."""

    def __init__(self, fixed: Sequence[Fault], file: str | None) -> None:
        self._fixed, self._file = tuple(fixed), file

    def striking(self, group: str, instant: float) -> tuple[Fault, ...]:
        """Those that strike a collection of the group now. Raises `Malformed` where the file holds something else."""
        return tuple(fault for fault in (*self._fixed, *self._read()) if fault.strikes(group, instant))

    def _read(self) -> Sequence[Fault]:
        if self._file is None:
            return ()
        try:
            text = Path(self._file).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise Malformed(f"the faults file {self._file} cannot be read: {error}", self._file) from None
        try:
            # BaseLoader: an instant is to stay the text that it is in a configuration.
            return _LIST.validate_python(_numbers(yaml.load(text, yaml.BaseLoader) or []))  # noqa: S506
        except (yaml.YAMLError, ValidationError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else None
            what = str(error).split("\n", 1)[0] if first is None else f"{_place(first['loc'])}{first['msg']}"
            raise Malformed(f"the faults file {self._file} is no list of faults: {what}", self._file) from None


def _place(path: tuple[int | str, ...]) -> str:
    return ".".join(map(str, path)) + ": " if path else ""


def _numbers(document: object) -> object:
    """`seconds` is the only number of a fault."""
    if not isinstance(document, list):
        return document
    for entry in document:
        if isinstance(entry, dict) and isinstance(entry.get("seconds"), str):
            try:
                entry["seconds"] = float(entry["seconds"])
            except ValueError:
                continue
    return document


@dataclass(slots=True)
class Call:
    """A collection that may be struck."""

    group: str
    deadline: Deadline
    closed: threading.Event
    woken: threading.Event = field(default_factory=threading.Event)
    """Set when the call is to return."""

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for the call any more."""
        return self.closed.is_set() or self.woken.is_set()

    def rest(self, seconds: float) -> None:
        """Wait, at most until the call is given up."""
        self.woken.wait(seconds)


def suffer(fault: Fault, call: Call, look: Look) -> None:
    """Have a fault strike the call: it takes its time, or raises. `hang` and `break_part` are not settled here."""
    name = look.product
    if fault.kind == "slow" and fault.seconds is not None:
        # Told in time, so that the sentence is this one and not the daemon's own.
        left = call.deadline.remaining_seconds * _IN_TIME
        call.rest(max(0.0, min(fault.seconds, left)))
        if fault.seconds >= left or call.given_up:
            raise TimedOut(f"the simulated {name} is slower than the deadline: it takes {fault.seconds:g} s")
    elif fault.kind == "unreachable":
        raise Unreachable(f"the simulated {name} is switched off by a fault of its options: nobody answers")
    elif fault.kind == "refuse":
        raise AuthenticationFailed(f"the simulated {name} refuses the account, by a fault of its options")
    elif fault.kind == "lose_right":
        raise Forbidden(f"the simulated {name} asks for {look.right}, which the account has lost", look.right)
    elif fault.kind == "malformed":
        raise Malformed(f"the simulated {name} answers with half a document", call.group)


def hang(call: Call, faults: Faults, now: Callable[[], float], look: Look) -> None:
    """Wait until the fault is over, the session is closed or the call is to return."""
    while not call.given_up:
        if not any(fault.kind == "hang" for fault in faults.striking(call.group, now())):
            if call.deadline.remaining_seconds <= 0:
                raise TimedOut(f"the simulated {look.product} answered too late: it had been hanging")
            return
        call.rest(_LOOK_AGAIN_SECONDS)
    raise Unreachable(f"the connection to the simulated {look.product} was closed while a call was hanging")
