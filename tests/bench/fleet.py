"""A generated estate of any size for the real pipelines, and the same values for prometheus_client."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from exporter.catalogue import SHARED, VITALS
from exporter.config.model import Target
from exporter.contract import Native, Platform
from exporter.model import (
    Guest,
    GuestCpu,
    GuestDisk,
    GuestMemory,
    GuestNic,
    GuestState,
    Host,
    HostCpu,
    HostMemory,
    HostState,
    Observation,
    Parts,
    Traffic,
)

PLATFORM = Platform("bench", "Bench", {family.name: Native("generated") for family in SHARED}, open=lambda _t, _c: None)
FAMILIES = tuple(family for family in SHARED if family.group == VITALS and family.default)


def target(number: int) -> Target:
    return Target(f"vc-{number:03d}", "bench", "bench://")


def observation(number: int, guests: int, *, moment: int = 0) -> Observation:
    """Vitals of one host and its guests, each with a disk and a network adapter; `moment` moves the counters on."""
    dice = random.Random(number)
    host_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    host = Host(
        host_id,
        f"esx{number:03d}.example.net",
        product="Bench",
        version="8.0.3",
        state=HostState.CONNECTED,
        up=True,
        cpu=HostCpu(2, 32, 64, 2.4e9, 64, busy_seconds=dice.random() * 1e7 + moment * 30),
        memory=HostMemory(2.0**39, dice.random() * 2**39, dice.random() * 2**38),
    )
    return Observation(
        1.79e9 + 30 * moment, hosts=(host,), guests=tuple(_guest(dice, host, moment) for _ in range(guests))
    )


def _guest(dice: random.Random, host: Host, moment: int) -> Guest:
    def grows(most: float) -> float:
        return round(dice.random() * most + moment * dice.random() * 30, 9)

    def counts(most: int) -> int:
        return dice.randrange(most) + moment * dice.randrange(10**6)

    traffic = Traffic(*(counts(10**12) for _ in range(2)), *(counts(10**9) for _ in range(2)), 0, 0, counts(99), 0)
    return Guest(
        str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        f"{dice.choice(('app', 'db', 'web', 'build'))}-{dice.randrange(10**5):05d}.prod.example.net",
        native_id=f"vm-{dice.randrange(10**6)}",
        host=host.name,
        host_id=host.id,
        os=dice.choice(("Debian 12", "Windows Server 2022", "Ubuntu 24.04")),
        state=GuestState.RUNNING,
        migrating=False,
        stats_complete=True,
        cpu=GuestCpu(4, Parts({str(cpu): grows(1e6) for cpu in range(4)}), Parts({"0": grows(1e4)})),
        memory=GuestMemory(
            configured_bytes=2**33,
            assigned_bytes=2**33,
            host_used_bytes=4096 * dice.randrange(2**21),
            used_bytes=4096 * dice.randrange(2**21),
            available_bytes=4096 * dice.randrange(2**20),
        ),
        disks=(GuestDisk("vda", *(counts(10**12) for _ in range(4)), grows(1e5), grows(1e5), errors=0),),
        nics=(GuestNic("net0", traffic=traffic),),
    )


class SameValues:
    """A registry that yields the families of a text page, as an exporter built on prometheus_client would."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def registry_of(text: str) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SameValues(text))  # type: ignore[arg-type]
    return registry
