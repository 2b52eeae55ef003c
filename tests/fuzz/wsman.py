"""Throw bytes at what reads a Hyper-V host's answers: `make fuzz-wsman`, with atheris where it is installed.

Whatever comes, the parser gives rows, a fault or `Malformed`, soon, and nothing else; and where an answer is cut into
rows without a tree, the tree has the same rows. FUZZ_SECONDS says for how long.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from collectors.hyperv.client.faults import Asked, error_of, fault_of
from collectors.hyperv.client.flat import flat
from collectors.hyperv.client.parsing import answer, instances, page
from exporter.errors import CollectorError, Malformed

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
SLOWEST_SECONDS = 5.0
CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "wsman"
ASKED = Asked("https://hv-1:5986/wsman", "Pull", "root/cimv2", "Win32_Volume")


def check(content: bytes) -> None:
    """What must hold for any answer."""
    begun = time.process_time()
    usual = flat(content)
    if usual is not None:
        found = answer(content, "Pull")
        assert usual == (found.relates_to, page(found.content, "Pull")), "not what the tree says"
    with suppress(Malformed):
        read(content)
    with suppress(Malformed):
        list(instances(content.decode("utf-8", "replace"), "a method"))
    assert time.process_time() - begun < SLOWEST_SECONDS, "too slow"


def read(content: bytes) -> None:
    found = answer(content, "Pull").content
    if found is None:
        return
    fault = fault_of(found)
    if fault is not None:
        assert isinstance(error_of(fault, ASKED), CollectorError)
        return
    for row in page(found, "Pull").rows:
        assert all(isinstance(name, str) for name in row)


def main() -> None:
    """Run until the time is over; a failure leaves its input behind, as atheris does."""
    try:
        import atheris
    except ImportError:
        print("atheris is not installed (pip install atheris): pytest -k hostile does with Hypothesis what it can")
        return
    atheris.instrument_all()
    arguments = [sys.argv[0], f"-max_total_time={SECONDS:.0f}", "-max_len=100000", "-timeout=20", *sys.argv[1:]]
    if CAPTURES.is_dir():  # to begin with what is genuine; new inputs go into the first folder
        own = Path(os.environ.get("FUZZ_CORPUS", ".fuzz-wsman"))
        own.mkdir(exist_ok=True)
        arguments += [str(own), str(CAPTURES / "server_2012"), str(CAPTURES / "errors")]
    atheris.Setup(arguments, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
