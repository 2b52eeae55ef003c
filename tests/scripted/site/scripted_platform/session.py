"""A session that does what its script says, and writes down what happens to it."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator

from exporter.config.model import Target
from exporter.contract import Context, Deadline
from exporter.errors import AuthenticationFailed, CollectorError, SdkMissing, Unsupported
from exporter.model import Observation
from scripted_platform.counters import Clock
from scripted_platform.estate import observe
from scripted_platform.faults import ACTS, NEVER, Call
from scripted_platform.journal import Journal
from scripted_platform.lies import CHANGES, Scene
from scripted_platform.script import Fault, Script, Source


class ScriptedSession:
    """One target. Both lanes share a login, which an error of the endpoint ends."""

    def __init__(self, target: Target, context: Context) -> None:
        self._target, self._context = target, context
        self._source = Source(target)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._connected = False
        self._numbers: dict[str, int] | None = None
        self._calls: dict[str, Call] = {}

    def unblock(self, group: str) -> None:
        """Wake the group's call; see `exporter.contract.Unblocking`."""
        call = self._calls.get(group)
        if call is not None:
            call.woken.set()

    def collect(self, group: str, deadline: Deadline) -> Observation:
        """What the script says; see `exporter.contract.Session`."""
        script = self._source.read()
        journal = Journal(script.journal, self._target.name)
        number = self._count(group, journal)
        journal.write("collect", group, number=number, remaining=deadline.remaining_seconds)
        if group not in script.groups:
            raise Unsupported(f"the script has no group {group}")
        call = self._calls[group] = Call(group, deadline, self._closed, journal, self._source.read)
        try:
            self._connect(script, call, number)
            with self._context.meter.timed(f"read_{group}"):
                answer = self._answer(script, call, number)
        except CollectorError as error:
            journal.write("raise", group, error=type(error).__name__)
            self._connected = False
            raise
        except BaseException as error:
            journal.write("raise", group, error=type(error).__name__)
            raise
        journal.write("return", group, remaining=deadline.remaining_seconds)
        return answer

    def strike_on_open(self) -> None:
        """Let faults of the phase `open` strike."""
        script = self._source.read()
        journal = Journal(script.journal, self._target.name)
        for fault in self._struck(script, "open", None, 0):
            ACTS[fault.kind](Call("", NEVER, self._closed, journal, self._source.read), fault)

    def close(self) -> None:
        """Log out, wake what can be woken. A session that never collected has nothing to do."""
        self._closed.set()
        script = self._source.last
        if script is None:
            return
        journal = Journal(script.journal, self._target.name)
        journal.write("close")
        with self._lock:
            was, self._connected = self._connected, False
        for fault in self._struck(script, "close", None, 0):
            ACTS[fault.kind](Call("", NEVER, self._closed, journal, self._source.read), fault)
        if was:
            journal.write("logout")

    def _connect(self, script: Script, call: Call, number: int) -> None:
        with self._lock:
            if self._connected:
                return
        try:
            importlib.import_module("scripted_sdk")
        except ModuleNotFoundError as error:
            raise SdkMissing("scripted_sdk is not installed: put it on PYTHONPATH") from error
        call.journal.write("connect", call.group)
        for fault in self._struck(script, "connect", call.group, number):
            ACTS[fault.kind](call, fault)
        with self._context.meter.timed("login"):
            self._log_in(script, call)
        with self._lock:
            self._connected = True

    def _log_in(self, script: Script, call: Call) -> None:
        if script.password is None:
            call.journal.write("login", call.group)
            return
        auth = self._target.auth
        secret = auth.password.read() if auth is not None and auth.password is not None else None
        if secret is None or secret.reveal() != script.password:
            call.journal.write("refused", call.group)
            raise AuthenticationFailed("the scripted endpoint refused the password; check the account of this target")
        call.journal.write("login", call.group)

    def _answer(self, script: Script, call: Call, number: int) -> Observation:
        struck = list(self._struck(script, "collect", call.group, number))
        for fault in struck:
            if fault.kind in ACTS:
                ACTS[fault.kind](call, fault)
        clock = Clock(script.seconds, self._context.now())
        answer = observe(script, call.group, clock)
        for fault in struck:
            if fault.kind in CHANGES:
                answer = CHANGES[fault.kind](Scene(answer, call.group, script, clock), fault)
        return answer

    def _struck(self, script: Script, phase: str, group: str | None, number: int) -> Iterator[Fault]:
        seconds = script.seconds
        for fault in script.faults:
            if fault.phase != phase or not fault.strikes(self._target.name, group, seconds, number):
                continue
            if fault.kind not in ACTS and fault.kind not in CHANGES:
                raise ValueError(f"no fault is called {fault.kind!r}")
            yield fault

    def _count(self, group: str, journal: Journal) -> int:
        """The number of this collection of the group, over all processes that have held the target."""
        with self._lock:
            if self._numbers is None:
                self._numbers = journal.collections()
            self._numbers[group] = self._numbers.get(group, 0) + 1
            return self._numbers[group]


def open_session(target: Target, context: Context) -> ScriptedSession:
    """A session that has made no call yet. With the option `troubled_open` faults of the phase `open` strike here."""
    session = ScriptedSession(target, context)
    if target.options.get("troubled_open"):
        session.strike_on_open()
    return session
