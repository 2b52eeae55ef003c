"""Estates to start from: a stand-alone host, a cluster. A test edits what it needs."""

import random

from tests.backends.winrm.clock import Clock
from tests.backends.winrm.clusters import Cluster, form
from tests.backends.winrm.estate import Estate
from tests.backends.winrm.guest import OFF, PAUSED, RUNNING, SAVED, Guest
from tests.backends.winrm.guests import add_guest
from tests.backends.winrm.hosts import Hardware, add_host, stable_id

STATES = {3: OFF, 7: PAUSED, 9: SAVED}  # by the last digit of a guest's number; others run


def guest(number: int, *, seed: int = 0, folder: str = "D:\\Guests") -> Guest:
    """The guest of this number: even ones have dynamic memory; without a seed all are of the same size."""
    size = random.Random(seed * 100_003 + number) if seed else None
    return Guest(
        name=f"guest-{number}",
        guid=stable_id("guest", seed, number),
        state=STATES.get(number % 10, RUNNING),
        dynamic=number % 2 == 0,
        folder=folder,
        vcpus=size.choice((1, 2, 4, 8)) if size else 2,
        startup_mb=size.choice((1024, 2048, 4096, 8192)) if size else 2048,
        disks=size.choice((1, 1, 2, 3)) if size else 1,
        nics=size.choice((1, 1, 2)) if size else 1,
    )


def stand_alone(
    build: int = 2022, guests: int = 3, seed: int = 0, *, name: str = "HV-1", hardware: Hardware | None = None
) -> Estate:
    """A host that is in no cluster, so that root/MSCluster is not there. Of three guests the third is off."""
    estate = Estate(name, build)
    add_host(estate, hardware or Hardware())
    for number in range(1, guests + 1):
        add_guest(estate, guest(number, seed=seed))
    return estate


def cluster(
    nodes: int = 4,
    guests: int = 400,
    seed: int = 0,
    *,
    build: int = 2022,
    name: str = "HVC-1",
    node_names: list[str] | None = None,
) -> Cluster:
    """A cluster whose guests lie on its nodes in turn, with two cluster shared volumes."""
    clock = Clock()
    names = node_names or [f"HV-{number}" for number in range(1, nodes + 1)]
    made = Cluster(name, [Estate(each, build, clock) for each in names], clock)
    placed: dict[str, list[Guest]] = {each: [] for each in names}
    for node in made.nodes:
        add_host(node, Hardware())
    for number in range(1, guests + 1):
        node = made.nodes[(number - 1) % len(made.nodes)]
        folder = f"C:\\ClusterStorage\\Volume{number % 2 + 1}"
        placed[node.name].append(add_guest(node, guest(number, seed=seed, folder=folder)))
    form(made, placed)
    return made
