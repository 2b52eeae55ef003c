"""The platform without a flaw that the others are made from: an endpoint in memory, and a session that reads it."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from exporter.config.model import Auth, Target
from exporter.contract import Absent, Context, Deadline, Derived, Native, Platform, Support
from exporter.errors import AuthenticationFailed, TimedOut, Unreachable
from exporter.model import Guest, GuestCpu, GuestMemory, GuestState, Host, Observation, Problem
from exporter.secrets import SecretSource
from exporter.testing import World

SECRET = "hunter2hunter2"
GIB = 1024.0**3


@dataclass
class Endpoint:
    """What is reached at an address; faults change it."""

    awake: threading.Event = field(default_factory=threading.Event)
    there: bool = True
    broken: bool = False


ENDPOINTS: dict[str, Endpoint] = {}


class Session:
    """Does everything as it should be done."""

    def __init__(self, target: Target, context: Context) -> None:
        self.target, self.context, self.unused = target, context, True

    def collect(self, group: str, deadline: Deadline) -> Observation:
        self.unused = False
        deadline.check("connecting")
        endpoint = self.connect(deadline)
        with self.context.meter.timed("read"):
            seen = self.read(group, endpoint)
        deadline.check("reading")
        return seen

    def connect(self, deadline: Deadline) -> Endpoint:
        importlib.import_module("broken_sdk")
        endpoint = ENDPOINTS.get(self.target.address)
        if endpoint is None or not endpoint.there:
            raise Unreachable(f"nobody answers at {self.target.address}")
        if not endpoint.awake.wait(max(0.0, deadline.remaining_seconds)):
            raise TimedOut("the endpoint does not answer in time")
        if self.password() != SECRET:
            raise AuthenticationFailed("the endpoint refuses the password of monitor")
        return endpoint

    def password(self) -> str:
        auth = self.target.auth
        return auth.password.read().reveal() if auth is not None and auth.password is not None else ""

    def read(self, group: str, endpoint: Endpoint) -> Observation:
        now = time.time()
        if group == "inventory":
            return Observation(now, guests=(replace(self.guest("1"), cpu=GuestCpu(), state=None, autostart=True),))
        if group != "vitals":
            return Observation(now)
        host = Host("h-1", "h1")
        guests = (self.guest("1"), self.stopped("2"))
        if endpoint.broken:
            return Observation(now, (host,), guests[:1], problems=(Problem("object_inaccessible", 1),), partial=True)
        return Observation(now, (host,), guests)

    def guest(self, number: str) -> Guest:
        return Guest(
            id=f"g-{number}",
            name=f"guest {number}",
            state=GuestState.RUNNING,
            cpu=GuestCpu(vcpus=2, seconds=1000 + time.monotonic() / 2),
            memory=GuestMemory(configured_bytes=GIB),
        )

    def stopped(self, number: str) -> Guest:
        return replace(self.guest(number), state=GuestState.STOPPED, cpu=GuestCpu(vcpus=2))

    def close(self) -> None:
        pass


SUPPORT: Mapping[str, Support] = {
    "hypervisor_host_guests": Derived("counted"),
    "hypervisor_guest_running": Native("state"),
    "hypervisor_guest_state": Native("state"),
    "hypervisor_guest_autostart": Native("autostart"),
    "hypervisor_guest_vcpus": Native("vcpus"),
    "hypervisor_guest_cpu_seconds_total": Native("seconds"),
    "hypervisor_guest_memory_configured_bytes": Native("memory"),
    "hypervisor_guest_disk_errors_total": Absent("nobody counts them"),
}


class Sample:
    """A platform with its world, as entry points find them."""

    def __init__(
        self,
        name: str,
        session: Callable[[Target, Context], Any] = Session,
        *,
        support: Mapping[str, Support] | None = None,
        world: Mapping[str, Any] | None = None,
        **declared: Any,
    ) -> None:
        self._name, self._world = name, world or {}
        self.platform = Platform(name, f"Sample {name}", {**SUPPORT, **(support or {})}, session, **declared)

    @contextmanager
    def world(self) -> Iterator[World]:
        """A world in which every fault can be provoked quickly; hanging takes seconds, so few have it."""
        endpoint = ENDPOINTS[self._name] = Endpoint()
        endpoint.awake.set()
        target = Target("contract", self._name, self._name, auth=account(SECRET))
        fitted = {name: value(endpoint) if name == "hang" else value for name, value in self._world.items()}
        yield World(
            **{
                "target": target,
                "unreachable": replace(target, address="nowhere"),
                "refused": replace(target, auth=account("wrong")),
                "secret": SECRET,
                "sdk": ("broken_sdk",),
                "vanish": lambda: changed(endpoint, there=False),
                "break_part": lambda: changed(endpoint, broken=True),
                "deadline_seconds": 3.0,
                "pause_seconds": 0.05,
                **fitted,
            }
        )


def account(password: str) -> Auth:
    return Auth("contract", "monitor", SecretSource("literal", password))


@contextmanager
def changed(endpoint: Endpoint, **values: object) -> Iterator[None]:
    """The endpoint with other values for a while."""
    before = {name: getattr(endpoint, name) for name in values}
    vars(endpoint).update(values)
    yield
    vars(endpoint).update(before)


def hanging(endpoint: Endpoint) -> Callable[[], Any]:
    """The fault `hang`."""

    @contextmanager
    def hung() -> Iterator[None]:
        endpoint.awake.clear()
        yield
        endpoint.awake.set()

    return hung
