"""What all questions to an endpoint share: the connection, and answers that a driver does not have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.connection import Connection
from exporter.errors import Unsupported

Tell = Callable[[str], None]
"""Takes a sentence that the operator should read once."""


def tell_nobody(_sentence: str) -> None:
    """For who has no operator to tell."""


class Asking:
    """Asks over one connection."""

    def __init__(self, connection: Connection, tell: Tell = tell_nobody) -> None:
        self._connection = connection
        self._tell = tell

    @property
    def _host(self) -> Any:
        return self._connection.handle

    def _ask(self, thing: Any, method: str, *arguments: Any) -> Any:
        return self._connection.call(thing, method, *arguments)

    def _ask_if_offered(self, thing: Any, method: str, *arguments: Any) -> Any | None:
        with suppress(Unsupported):
            return self._ask(thing, method, *arguments)
        return None


def domain_of(handle: Any) -> Domain:
    """A domain as plain data, with the SDK's object at hand."""
    return Domain(handle.UUIDString(), handle.name(), handle.ID(), handle)
