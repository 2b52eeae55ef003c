"""The two sides of the benchmark of libvirt: our collector as a worker runs it, and Debian's exporter."""

from __future__ import annotations

import re
import time
import urllib.request
import zlib
from collections import Counter as Tally
from collections.abc import Callable
from functools import wraps
from itertools import count
from typing import Any

import libvirt

from collectors.libvirt.client.calls import ALLOWED
from collectors.libvirt.platform import PLATFORM
from exporter.config.model import Limits, Profile, Target
from exporter.platforms import installed
from exporter.runtime.collection import CollectedTarget
from exporter.runtime.messages import Collect, Done, Key
from exporter.runtime.page import Page
from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import find_binary, free_port, until

PEER = "prometheus-libvirt-exporter"
BULK = "domainListGetStats"
MOVING = re.compile(r"vcpu\.\d+\.(time|delay)|block\.\d+\.(rd|wr|fl)\..*|net\.\d+\.[rt]x\.(bytes|pkts)")
SAME_VALUES = (
    "hypervisor_guest_state",
    "hypervisor_guest_vcpus",
    "hypervisor_guest_cpu_seconds_total",
    "hypervisor_guest_memory_configured_bytes",
    "hypervisor_guest_memory_assigned_bytes",
    "hypervisor_guest_disk_read_bytes_total",
    "hypervisor_guest_disk_written_bytes_total",
    "hypervisor_guest_disk_reads_total",
    "hypervisor_guest_disk_writes_total",
    *(f"hypervisor_guest_network_{way}_{what}_total" for way in ("receive", "transmit")
      for what in ("bytes", "packets", "errors", "drops")),
)  # fmt: skip
"""Our families with the values that Debian's exporter has of each guest; it exports the state as a number."""


class Calls:
    """Watches libvirt-python's methods that ask a daemon: CPU seconds of this process within them, by method.

    The guests of the benchmark are paused. With `moving` every counter of a bulk answer is moved on before it is handed
    over, as if all of them were busy.
    """

    def __init__(self) -> None:
        self.seconds: Tally[str] = Tally()
        self.answered_at = 0.0
        """The process's CPU seconds when the last bulk answer was handed over."""
        self.moving = False
        self._moment = 0
        for kind, methods in ALLOWED.items():
            for method in methods:
                self._watch(getattr(libvirt, kind), method)

    def take(self) -> Tally[str]:
        taken, self.seconds = self.seconds, Tally()
        return taken

    def _watch(self, kind: type, method: str) -> None:
        call: Callable[..., Any] = getattr(kind, method)

        @wraps(call)
        def watched(*arguments: Any) -> Any:
            begun = time.thread_time()
            try:
                answer = call(*arguments)
            finally:
                self.seconds[method] += time.thread_time() - begun
            if method == BULK:
                self._moment += self.moving
                for _, record in answer:
                    move(record, self._moment)
                self.answered_at = time.process_time()
            return answer

        setattr(kind, method, watched)


def move(record: dict[str, Any], moment: int) -> None:
    """Have a running guest's counters of CPU, disks and network grow from one moment to the next."""
    for key, value in record.items():
        if MOVING.fullmatch(key):
            record[key] = value + moment * (997 + len(key))


class Ours:
    """One target as a worker holds it; its first collection of a group comes with the whole page, as in a worker."""

    def __init__(self, address: str, *, families: tuple[str, ...] = ()) -> None:
        found = installed()
        profile = Profile()
        if families:
            unwanted = sorted(family.name for family in found.families if family.name not in families)
            profile = Profile(family_exclude=tuple(unwanted))
        self.profile = profile
        target = Target("kvm-1", "libvirt", address, profile=profile)
        self._target = CollectedTarget(Key("kvm-1", 1), target, found, Limits())
        self._runs = count(1)

    def collect(self, group: str, *, whole: bool = False) -> Done:
        deadline = time.monotonic() + self.profile.deadline(group)
        done = self._target.collect(Collect(self._target.key, group, next(self._runs), deadline, whole))
        assert (done.outcome, done.problems) == ("success", {}), f"{group}: {done.outcome} {done.sentence}"
        return done

    def page(self, group: str, *, whole: bool = False) -> Page:
        page = self.collect(group, whole=whole).page
        assert page is not None
        return page

    def close(self) -> None:
        self._target.close()


def text_of(page: Page) -> str:
    """What a page says in the text format, without headers."""
    return "".join(
        zlib.decompressobj(-zlib.MAX_WBITS).decompress(chunk.body).decode() for chunk in page.chunks.values()
    )


def groups() -> tuple[str, ...]:
    return PLATFORM.groups


class Peer:
    """Debian's exporter at the lab's daemon."""

    def __init__(self, lab: LibvirtLab) -> None:
        port = free_port()
        self._address = f"http://127.0.0.1:{port}/metrics"
        flags = (f"--libvirt.uri={lab.uri}", f"--web.listen-address=127.0.0.1:{port}")
        self.child = lab.scratch.start("peer", find_binary(PEER) or PEER, *flags, env=lab.env)
        until(self._answers, 20, "answer of Debian's exporter", self.child)

    def scrape(self) -> int:
        """Scrape once; the number of its series that are about libvirt."""
        with urllib.request.urlopen(self._address, timeout=60) as answer:
            text = answer.read().decode()
        assert "\nlibvirt_up 1\n" in text, self.child.log_tail()
        return len(re.findall("^libvirt_", text, re.MULTILINE))

    def _answers(self) -> bool:
        try:
            return self.scrape() > 0
        except OSError:
            return False
