"""What a call can do instead of answering, by the fault's kind. Each act returns if the call is to go on."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from exporter import errors
from exporter.contract import Deadline
from scripted_platform.journal import Journal
from scripted_platform.script import Fault, Script

POLL_SECONDS = 0.02
NEVER = Deadline.after(10 * 365 * 86_400)
_kept: list[bytes] = []


@dataclass
class Call:
    """The call that a fault strikes."""

    group: str
    deadline: Deadline
    closed: threading.Event
    journal: Journal
    script: Callable[[], Script]
    woken: threading.Event = field(default_factory=threading.Event)
    """Set when the supervisor wants this very call to return."""


def hang(call: Call, fault: Fault) -> None:
    """Return when the fault is over or out of the script, whatever the deadline; `unblockable` when closed or woken."""
    call.journal.write("hang", call.group)
    while not (fault.options.get("unblockable") and (call.closed.is_set() or call.woken.is_set())):
        script = call.script()
        if fault not in script.faults or fault.over(script.seconds):
            call.journal.write("released", call.group)
            return
        time.sleep(POLL_SECONDS)
    call.journal.write("unblocked", call.group)
    raise errors.Unreachable("the connection was closed while a call was waiting")


def slow(call: Call, fault: Fault) -> None:
    """Take `seconds`; a call that would be late says so at its deadline, a `stubborn` one answers late."""
    seconds = float(fault.options["seconds"])
    left = call.deadline.remaining_seconds
    if fault.options.get("stubborn") or seconds < left:
        time.sleep(seconds)
        return
    time.sleep(max(0.0, left))
    raise errors.TimedOut("the scripted endpoint is slower than the deadline")


def seize(call: Call, fault: Fault) -> None:
    """Hold the interpreter lock for `seconds`, as a library does that forgot to let go of it."""
    call.journal.write("seize", call.group)
    ctypes.PyDLL(None).usleep(int(float(fault.options["seconds"]) * 1e6))


def die(call: Call, fault: Fault) -> None:
    """End the process as a crash does: SIGSEGV, or the signal `signal`."""
    call.journal.write("die", call.group)
    os.kill(os.getpid(), getattr(signal, fault.options.get("signal", "SIGSEGV")))
    time.sleep(60)


def leave(call: Call, fault: Fault) -> None:
    """End the process without a signal, with `status`."""
    call.journal.write("die", call.group)
    os._exit(int(fault.options.get("status", 1)))


def fail(_call: Call, fault: Fault) -> None:
    """Raise the core's error `error` with the sentence `sentence`."""
    kind = getattr(errors, fault.options["error"])
    raise kind(fault.options.get("sentence", f"scripted {kind.__name__}"))


def bug(_call: Call, fault: Fault) -> None:
    """Raise what no collector should: `raises` names a builtin exception."""
    kinds = {kind.__name__: kind for kind in (ZeroDivisionError, KeyError, RecursionError, MemoryError, SystemExit)}
    raise kinds[fault.options.get("raises", "ZeroDivisionError")]("scripted bug")


def grow(call: Call, fault: Fault) -> None:
    """Keep so many `bytes` for ever, touched."""
    _kept.append(b"\1" * int(fault.options["bytes"]))
    call.journal.write("grow", call.group)


def spin(_call: Call, fault: Fault) -> None:
    """Compute for `seconds` in Python, competing for the interpreter lock."""
    until = time.monotonic() + float(fault.options["seconds"])
    while time.monotonic() < until:
        sum(range(1000))


ACTS: Mapping[str, Callable[[Call, Fault], None]] = {
    "hang": hang,
    "slow": slow,
    "seize": seize,
    "die": die,
    "leave": leave,
    "fail": fail,
    "bug": bug,
    "grow": grow,
    "spin": spin,
}
