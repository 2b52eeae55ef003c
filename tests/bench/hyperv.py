"""What reading the answers of Hyper-V hosts costs: bytes to rows, beside lxml merely parsing the same bytes.

`make bench-hyperv`; `--strict` ends with 1 where the goal is missed. Seconds are CPU seconds of this process, the best
of several turns, both sides in turn.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from collectors.hyperv.client.account import Account
from collectors.hyperv.client.connection import connect
from collectors.hyperv.client.parsing import answer, page
from collectors.hyperv.client.rows import Namespace, Query
from collectors.hyperv.client.settings import Address, Settings
from collectors.hyperv.client.wire import Wire
from exporter.config.model import Auth
from exporter.contract import Meter
from exporter.secrets import SecretSource
from tests.backends.winrm import WinRM, stand_alone

GOAL = 3.0
TURNS, ROUNDS = 15, 3
CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "wsman" / "server_2012"
HVSTATS = "Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor"
NAMED = ("Name", "PercentTotalRunTime", "CPUWaitTimePerDispatch", "CPUWaitTimePerDispatch_Base", "Timestamp_Sys100NS")

NEVER_ASKED = "for comparison, as nobody asks it"
"""A hundred nil properties in each row: columns are always named, so this has no goal."""


def main() -> int:
    """Print a table; 1 where it is wanted and a goal is missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--guests", type=int, default=200)
    arguments.add_argument("--strict", action="store_true")
    chosen = arguments.parse_args()
    bodies = {
        "genuine, SELECT *": [path.read_bytes() for path in sorted(CAPTURES.glob("*_star_*.xml"))],
        "genuine, named columns": [path.read_bytes() for path in sorted(CAPTURES.glob("*_all_*.xml"))],
        f"virtual CPUs of {chosen.guests} guests, five columns": recorded(chosen.guests, NAMED),
        f"{NEVER_ASKED}, SELECT *": recorded(chosen.guests, ()),
    }
    print(f"{'answers':48} {'rows':>6} {'kB':>6} {'lxml ms':>8} {'ours ms':>8} {'ratio':>6}  (goal {GOAL})")
    missed = False
    for name, each in bodies.items():
        if each:
            ratio = report(name, each)
            missed = missed or (ratio > GOAL and not name.startswith(NEVER_ASKED))
        else:
            print(f"{name:48} not here")
    return 1 if missed and chosen.strict else 0


def recorded(guests: int, columns: tuple[str, ...]) -> list[bytes]:
    """The answers of a simulated host to one query."""
    kept: list[bytes] = []
    send = Wire.send

    def keep(wire: Wire, envelope: object) -> bytes:
        kept.append(send(wire, envelope))  # type: ignore[arg-type]
        return kept[-1]

    with WinRM(stand_alone(guests=guests)) as server, mock.patch.object(Wire, "send", keep):
        auth = Auth("bench", server.user, SecretSource("literal", server.password))
        connection = connect(Settings(Address.of(server.url), auth), Account(auth), Meter())
        connection.rows(Query(Namespace.CIMV2, HVSTATS, columns), time.monotonic() + 60)
        connection.close()
    return kept


def report(name: str, bodies: list[bytes]) -> float:
    """Print one line; returns the ratio."""
    from lxml import etree

    rows = sum(len(page(answer(body, name).content, name).rows) for body in bodies)
    theirs, ours = best(
        lambda: [etree.fromstring(body) for body in bodies],
        lambda: [page(answer(body, name).content, name) for body in bodies],
    )
    size = sum(map(len, bodies)) / 1000
    print(f"{name:48} {rows:6} {size:6.0f} {theirs * 1000:8.2f} {ours * 1000:8.2f} {ours / theirs:6.2f}")
    return ours / theirs


def best(*calls: Callable[[], object]) -> list[float]:
    """CPU seconds of each call, the least of several turns."""
    least = [float("inf")] * len(calls)
    for _ in range(TURNS):
        for place, call in enumerate(calls):
            begun = time.process_time()
            for _ in range(ROUNDS):
                call()
            least[place] = min(least[place], (time.process_time() - begun) / ROUNDS)
    return least


if __name__ == "__main__":
    sys.exit(main())
