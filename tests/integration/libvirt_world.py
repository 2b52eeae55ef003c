"""A session of the libvirt platform, and virsh's printed answers as plain data to compare it with."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from collectors.libvirt.platform import PLATFORM
from exporter.config.model import Target
from exporter.contract import Context, Deadline, Meter
from exporter.model import Guest, Observation


class World:
    """One target and its session; `collect("vitals")` is an Observation. `now` is the exporter's clock."""

    def __init__(self, address: str, name: str = "lab", now: Callable[[], float] = time.time, **target: Any) -> None:
        self.meter = Meter()
        document = Target(name=name, platform="libvirt", address=address, **target)
        self.session = PLATFORM.open(document, Context(self.meter, logging.getLogger("lab"), now))

    def collect(self, group: str, seconds: float = 20) -> Observation:
        return self.session.collect(group, Deadline.after(seconds))

    def guests(self, group: str) -> dict[str, Guest]:
        return {guest.name: guest for guest in self.collect(group).guests}


@contextmanager
def world(address: str, name: str = "lab", **target: Any) -> Iterator[World]:
    opened = World(address, name, **target)
    try:
        yield opened
    finally:
        opened.session.close()


def key_values(text: str, separator: str) -> dict[str, str]:
    """Lines such as `State: running` or `  vcpu.current=1`."""
    pairs = (line.partition(separator) for line in text.splitlines())
    return {key.strip(): value.strip() for key, found, value in pairs if found}


def domstats(lab, guest: str, *flags: str) -> Mapping[str, str]:
    return key_values(lab.virsh("domstats", guest, *flags), "=")


def number(text: str) -> int:
    """The number that a line such as `4096 KiB` or `225030000000` begins with."""
    return int(re.match(r"\d+", text)[0])
