"""Questions about the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from collectors.libvirt.answers import Node
from collectors.libvirt.client.asking import Asking, Tell, tell_nobody
from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.errors import Failed, Gone, Refused
from exporter.errors import Forbidden

_ALL_CPUS = -1


class AboutHost(Asking):
    """The host's own numbers. What does not change while the connection lasts is asked once."""

    def __init__(self, connection: Connection, tell: Tell = tell_nobody) -> None:
        super().__init__(connection, tell)
        self._driver: str | None = None
        self._node: Node | None = None

    def driver(self) -> str:
        """The hypervisor driver (virConnectGetType) in lower case, asked once: "qemu", "xen", "lxc", "test", ..."""
        if self._driver is None:
            self._driver = str(self._ask(self._host, "getType")).casefold()
        return self._driver

    def node(self) -> Node:
        """What does not change while the connection lasts, asked once."""
        if self._node is None:
            info = self._describe("getInfo")
            self._node = Node(
                product=self._ask(self._host, "getType"),
                version=self._describe("getVersion"),
                libvirt_version=self._describe("getLibVersion"),
                hostname=self._describe("getHostname"),
                info=None if info is None else tuple(info),
                capabilities=self._describe("getCapabilities"),
                sysinfo=self._describe("getSysinfo", 0),
            )
        return self._node

    def _describe(self, method: str, *arguments: int) -> Any | None:
        # A description that is not allowed or not there costs its labels, not the collection.
        with suppress(Forbidden, Gone, Refused, Failed):
            return self._ask_if_offered(self._host, method, *arguments)
        return None

    def online_cpus(self) -> int | None:
        """Logical processors online (virNodeGetCPUMap), or None."""
        answer = self._ask_if_offered(self._host, "getCPUMap")
        return None if answer is None else int(answer[2])

    def node_cpu(self) -> Mapping[str, int] | None:
        """Nanoseconds of all processors by mode, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(self._host, "getCPUStats", _ALL_CPUS, 0)
        return answer

    def node_memory(self) -> Mapping[str, int] | None:
        """KiB of all NUMA nodes by use, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(self._host, "getMemoryStats", _ALL_CPUS, 0)
        return answer

    def free_memory(self) -> int | None:
        """Free bytes, or None."""
        answer: int | None = self._ask_if_offered(self._host, "getFreeMemory")
        return answer

    def cells_free(self, count: int) -> Sequence[int] | None:
        """Free bytes of the first `count` NUMA cells, or None."""
        answer: Sequence[int] | None = self._ask_if_offered(self._host, "getCellsFreeMemory", 0, count)
        return answer

    def free_pages(self, sizes: Sequence[int], count: int) -> Mapping[int, Mapping[int, int]] | None:
        """Free pages by cell and size in KiB of the first `count` NUMA cells, or None."""
        answer: Mapping[int, Mapping[int, int]] | None
        answer = self._ask_if_offered(self._host, "getFreePages", list(sizes), 0, count, 0)
        return answer
