"""The cookies of a session: the endpoint's own, and those by which a load balancer finds the same endpoint again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SESSION = "vmware_soap_session"


class Cookies:
    """Cookies by name, as the endpoint wrote them: quotes belong to the value."""

    def __init__(self, header: str = "") -> None:
        self._values = dict(_pairs(header.split(";")))

    def take(self, headers: Iterable[str]) -> None:
        """Keep what Set-Cookie headers say; a cookie without a value is dropped."""
        for name, value in _pairs(header.partition(";")[0] for header in headers):
            if value.strip('"'):
                self._values[name] = value
            else:
                self._values.pop(name, None)

    @property
    def header(self) -> str:
        """The value of the Cookie header, "" without any."""
        return "; ".join(f"{name}={value}" for name, value in self._values.items())

    @property
    def session(self) -> bool:
        """Whether the session's own cookie is there."""
        return SESSION in self._values


def _pairs(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, found, value = "".join(text.splitlines()).strip().partition("=")
        if found and name.strip():
            yield name.strip(), value.strip()
