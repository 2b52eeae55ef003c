"""A platform in one file: guests from a JSON document. It shows what a third party writes, and nothing more.

A real platform has a client (the only module that imports its vendor's SDK) and a mapping (pure functions) of its own.
The document: `{"host": "h1", "guests": [{"id": "…", "name": "…", "running": true, "cpu_ms": 1500, "colour": "red"}]}`.
"""

from __future__ import annotations

import json
import time
from typing import Any

from exporter.catalogue import VITALS, Entity, Priority, Section
from exporter.config.model import Target
from exporter.contract import Absent, Context, Deadline, Derived, Native, Options, Platform, options_of
from exporter.errors import Malformed, Unreachable, Unsupported
from exporter.model import Guest, GuestCpu, GuestState, Host, Observation, Problem
from exporter.units import milliseconds


class ExampleOptions(Options):
    """What `options:` of a target may hold."""

    encoding: str = "utf-8"


FAMILIES = (
    Section(Entity.GUEST, VITALS, Priority.GUEST).gauge(
        "hypervisor_example_guest_favourites", "How often the guest was starred.", value=lambda g: g.extra.get("stars")
    ),
)


class ExampleSession:
    """Reads the document anew at every collection of vitals; has nothing else to offer."""

    def __init__(self, target: Target, context: Context) -> None:
        self._address, self._context = target.address, context
        self._encoding = options_of(PLATFORM, target).encoding

    def collect(self, group: str, deadline: Deadline) -> Observation:
        """Vitals of every guest in the document."""
        if group != VITALS:
            raise Unsupported(f"a JSON document has no {group}")
        deadline.check("opening the document")
        with self._context.meter.timed("read"):
            document = self._read()
        return observation(document, time.time())

    def close(self) -> None:
        """Nothing is held open."""

    def _read(self) -> Any:
        try:
            with open(self._address, encoding=self._encoding) as file:  # noqa: PTH123  the address may be any descriptor
                return json.load(file)
        except OSError as error:
            raise Unreachable(f"{self._address} cannot be read: {error.strerror}; is the path right?") from error
        except ValueError as error:
            raise Malformed(f"{self._address} is no JSON document: {error}", self._address) from error


def observation(document: Any, now: float) -> Observation:
    """The document as the model has it: what cannot be read is a problem and hides nothing else. Pure, no I/O."""
    guests, broken = [], []
    for entry in document["guests"]:
        try:
            guests.append(guest(entry))
        except (KeyError, TypeError):
            broken.append(str(entry))
    problems = (Problem("malformed_object", len(broken), f"no guest: {broken[0]:.80}"),) if broken else ()
    host = Host(id=document["host"], name=document["host"])
    return Observation(now, hosts=(host,), guests=tuple(guests), problems=problems, partial=bool(broken))


def guest(entry: Any) -> Guest:
    """One entry of `guests`; `cpu_ms` counts milliseconds of CPU time and means nothing while the guest is off."""
    running = entry["running"]
    return Guest(
        id=entry["id"],
        name=entry["name"],
        state=GuestState.RUNNING if running else GuestState.STOPPED,
        cpu=GuestCpu(seconds=milliseconds(entry.get("cpu_ms")) if running else None),
        extra={"stars": entry.get("stars")},
    )


PLATFORM = Platform(
    name="example",
    title="Guests from a JSON document",
    support={
        "hypervisor_host_guests": Derived("counted from the guests"),
        "hypervisor_guest_running": Native("guests[].running"),
        "hypervisor_guest_state": Native("guests[].running"),
        "hypervisor_guest_cpu_seconds_total": Native("guests[].cpu_ms, ms"),
        "hypervisor_guest_snapshots": Absent("the document has no snapshots"),
    },
    open=ExampleSession,
    families=FAMILIES,
    options=ExampleOptions,
    single_host=True,
)
