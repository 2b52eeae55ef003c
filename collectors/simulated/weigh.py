"""What a simulated estate itself costs, so that it can be taken off what a load test measures.

    python -m collectors.simulated.weigh --targets 10 --guests 1000 --interval 15

prints memory of the plans, and processor time of collecting vitals and the other groups, without any rendering.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Sequence

from collectors.simulated.options import SimulatedOptions
from collectors.simulated.world import World, world_of
from exporter.catalogue.family import GROUPS, VITALS

_ROUNDS = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m collectors.simulated.weigh", allow_abbrev=False)
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("--guests", type=int, default=1000, help="of each target; default: %(default)s")
    parser.add_argument("--interval", type=float, default=15.0, help="of vitals, in seconds; default: %(default)s")
    parser.add_argument("--like", choices=("vsphere", "hyperv", "libvirt", "proxmox"))
    options = parser.parse_args(arguments)
    memory, worlds = _built(options.targets, options.guests, options.like)
    spent = {group: _spent(worlds, group) for group in GROUPS}
    vitals = spent.pop(VITALS)
    sys.stdout.write(
        f"{options.targets} targets with {options.guests} guests each: {memory / 1e6:.1f} MB of plans\n"
        f"vitals: {vitals:.3f} s of CPU for all targets, {vitals / options.interval:.1%} of a core "
        f"every {options.interval:g} s\n"
        + "".join(f"{group}: {seconds:.3f} s of CPU for all targets\n" for group, seconds in spent.items())
    )
    return 0


def _built(targets: int, guests: int, like: str | None) -> tuple[float, list[World]]:
    """Bytes that worlds keep after each was asked for its vitals once, and the worlds."""
    now = time.time()
    tracemalloc.start()
    worlds = []
    for number in range(targets):
        given = {"seed": f"weigh-{number}", "guests": guests, "like": like}
        worlds.append(world_of(SimulatedOptions.model_validate(given)))
        worlds[-1].observe(VITALS, now)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held, worlds


def _spent(worlds: Sequence[World], group: str) -> float:
    """Seconds of CPU for one collection of all targets."""
    begun, now = time.process_time(), time.time()
    for turn in range(_ROUNDS):
        for world in worlds:
            world.observe(group, now + turn)
    return (time.process_time() - begun) / _ROUNDS


if __name__ == "__main__":
    sys.exit(main())
