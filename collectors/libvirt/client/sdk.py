"""libvirt-python itself, imported when first needed, and the event loop that its connections rely on."""

from __future__ import annotations

import functools
import threading
from types import ModuleType

from exporter.errors import SdkMissing

PAUSE_MILLISECONDS = 1000
"""Longest time for which the event loop does not look whether it is to stop."""
REST_SECONDS = 0.1
"""The event loop's rest between two turns.

Every request takes its socket out of the loop and puts it back, and wakes a loop that listens both times: a third of
what a small request costs (43 instead of 28 us). A loop that rests is not woken, and keep-alives have seconds.
"""


def sdk() -> ModuleType:
    """The module `libvirt`, silenced: errors are raised, not printed. Raises `SdkMissing`."""
    try:
        import libvirt  # noqa: PLC0415 - an installation without it runs every other platform
    except ImportError as error:
        raise SdkMissing(
            "libvirt-python is not installed: pip install 'hypervisor-exporter[libvirt]' "
            "(needs gcc, pkg-config, libvirt-dev), or the system's python3-libvirt"
        ) from error
    _silence(libvirt)
    return libvirt


@functools.cache
def _silence(libvirt: ModuleType) -> None:
    libvirt.registerErrorHandler(_ignore, None)


def _ignore(_context: object, _error: object) -> None:
    """Do nothing: libvirt prints every error to stderr unless something is registered."""


class EventLoop:
    """libvirt's own event loop in a thread of its own: without it connections have no keep-alive.

    It must be registered before the first connection and pumped as long as there is one, or daemons cut the
    connections whose keep-alive nobody answers.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Register the loop and pump it; without libvirt-python sessions say what is missing."""
        try:
            libvirt = sdk()
        except SdkMissing:
            return
        libvirt.virEventRegisterDefaultImpl()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._pump, args=(libvirt,), name="libvirt-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; it notices within a second. May be called twice."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(PAUSE_MILLISECONDS / 1000 + 1)
            self._thread = None

    def _pump(self, libvirt: ModuleType) -> None:
        timer = libvirt.virEventAddTimeout(PAUSE_MILLISECONDS, _ignore, None)
        try:
            while not self._stopping.wait(REST_SECONDS):
                libvirt.virEventRunDefaultImpl()
        finally:
            libvirt.virEventRemoveTimeout(timer)
