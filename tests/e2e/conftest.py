"""The daemon that watches the shared estate, and virsh's answers as numbers."""

import re
import time

import pytest

from tests.backends.daemon import FAST, Daemon, Page, document, libvirt
from tests.backends.processes import until


@pytest.fixture(scope="module")
def daemon(libvirt_lab, estate):
    """A daemon with the estate as target `lab`, everything every two seconds."""
    profile = {"intervals": FAST, "families": {"include": ["hypervisor_guest_disk_*", "hypervisor_snapshot_*"]}}
    config = document([libvirt("lab", libvirt_lab.uri)], profiles={"default": profile})
    with Daemon(config) as running:
        yield running


def fresh_page(daemon: Daemon, target: str = "lab") -> Page:
    """A page whose every group was collected after this was called."""
    asked = time.time()
    pages: list[Page] = []

    def collected() -> bool:
        pages[:] = [daemon.page()]
        times = pages[0].find("hypervisor_target_last_success_timestamp_seconds", target=target)
        durations = pages[0].find("hypervisor_target_collection_duration_seconds", target=target)
        took = {labels["group"]: value for labels, value in durations}
        # The time is that of the end: the collection must also have begun after we asked.
        return len(times) == 4 and all(value - took[labels["group"]] > asked for labels, value in times)

    until(collected, 30, "page newer than the question", daemon.child)
    return pages[0]


class Virsh:
    """What virsh prints, parsed by rules of its own."""

    def __init__(self, lab) -> None:
        self._lab = lab

    def domstats(self, guest: str) -> dict[str, str]:
        lines = self._lab.virsh("domstats", guest).splitlines()
        return dict(line.strip().split("=", 1) for line in lines if "=" in line)

    def table(self, *command: str) -> dict[str, str]:
        """Lines of `Key:   value`."""
        lines = self._lab.virsh(*command).splitlines()
        return {key.strip(): value.strip() for key, colon, value in (line.partition(":") for line in lines) if colon}

    def number(self, *command: str, key: str) -> int:
        """The number of a `Key:   value unit` line."""
        found = re.match(r"-?\d+", self.table(*command)[key])
        assert found, (command, key)
        return int(found.group())

    def names(self, *command: str) -> list[str]:
        return [line for line in self._lab.virsh(*command).splitlines() if line.strip()]


@pytest.fixture(scope="module")
def virsh(libvirt_lab) -> Virsh:
    return Virsh(libvirt_lab)
