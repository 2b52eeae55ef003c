"""One connection, used by one thread at a time: opens, calls, times, translates errors, closes.

libvirt's calls have no timeout and cannot be cancelled; a connection in which one hangs is left alone by its lane.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from collectors.libvirt.client.calls import ALLOWED
from collectors.libvirt.client.credentials import Access, named
from collectors.libvirt.client.errors import NO_SUPPORT, Failed, call_error, opening_error
from collectors.libvirt.client.sdk import sdk
from exporter.contract import Meter
from exporter.errors import Unreachable, Unsupported

KEEPALIVE_SECONDS = 5
KEEPALIVE_MISSES = 3
"""A daemon or network that is silent for 5 s x (3 + 1) is given up."""
CLOSE_SECONDS = 1.0
NOBODY = Access()


Allowed = Mapping[str, Mapping[str, str]]


class Connection:
    """A virConnect. `call` is the only way to it."""

    def __init__(self, handle: Any, meter: Meter, allowed: Allowed = ALLOWED) -> None:
        self.handle = handle
        self._allowed = allowed
        self._meter = meter
        self._unsupported: dict[str, str] = {}

    @classmethod
    def open(cls, uri: str, meter: Meter, access: Access = NOBODY, writing: Allowed | None = None) -> Connection:
        """Connect read-only, or to call what `writing` lists.

        Raises `Unreachable` (also for a secret or the SDK that is missing), `AuthenticationFailed` or `TimedOut`.
        """
        libvirt = sdk()
        try:
            with meter.timed(access.operation(writing=writing is not None)):
                handle = access.open(libvirt, uri, writing=writing is not None)
        except libvirt.libvirtError as error:
            message = named(error.get_error_message() or str(error), access.tls)
            raise opening_error(error.get_error_code(), message, uri) from error
        # Drivers inside our process have no keep-alive, and without the event loop nobody has.
        with suppress(libvirt.libvirtError):
            handle.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_MISSES)
        return cls(handle, meter, ALLOWED if writing is None else writing)

    def call(self, thing: Any, method: str, *arguments: Any) -> Any:
        """Call a method of a libvirt object and return its answer.

        Raises the core's errors, `Gone` for an object that has vanished, `Refused` for an unknown flag. What the
        driver does not know is asked once per connection; what one object's configuration cannot concerns that
        object, and is asked of the others.
        """
        operation = self._allowed[type(thing).__name__][method]
        if operation in self._unsupported:
            raise Unsupported(self._unsupported[operation])
        begun = time.perf_counter()
        try:
            return getattr(thing, method)(*arguments)
        except sdk().libvirtError as error:
            code, message = error.get_error_code(), error.get_error_message() or str(error)
            translated = call_error(code, error.get_error_domain(), message, operation, alive=self.alive)
            if isinstance(translated, Unsupported) and (code == NO_SUPPORT or thing is self.handle):
                self._unsupported[operation] = str(translated)
            raise translated from error
        except UnicodeDecodeError as error:  # what libvirt hands on may come from firmware
            raise Failed(f"{operation}: the answer is no UTF-8") from error
        finally:
            self._meter.add(operation, seconds=time.perf_counter() - begun)

    @property
    def alive(self) -> bool:
        """Whether the connection is open as far as this side knows; asks nobody."""
        try:
            return bool(self.handle.isAlive())
        except sdk().libvirtError:
            return False

    def answers(self) -> bool:
        """Whether the other side still answers; a daemon that was restarted does not."""
        try:
            self.call(self.handle, "getLibVersion")
        except Unreachable:
            return False
        return True

    def close(self) -> None:
        """Disconnect, and wait a second for it at most.

        Closing asks the daemon; a frozen one lets the call hang until the keep-alive gives up, so a thread waits
        for that, not the caller.
        """
        closing = threading.Thread(target=self._disconnect, name="libvirt-close", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _disconnect(self) -> None:
        libvirt = sdk()
        with suppress(libvirt.libvirtError):
            self.handle.close()
