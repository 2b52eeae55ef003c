"""Addresses of targets: a host, host:port or https URL of a vCenter or ESXi."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

SDK_PATH = "/sdk"
_EXAMPLE = "vcenter.example.net, vcenter.example.net:8443 or https://vcenter.example.net/sdk"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the SDK of an endpoint is."""

    host: str
    port: int
    path: str = SDK_PATH
    scheme: str = "https"

    @classmethod
    def of(cls, text: str) -> Address:
        """The parts of an address that `check_address` finds nothing wrong with."""
        parts = urlsplit(text if "://" in text else f"https://{text}")
        default = 80 if parts.scheme == "http" else 443
        path = parts.path.rstrip("/") or SDK_PATH
        return cls(parts.hostname or "", parts.port or default, path, parts.scheme)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def check_address(text: str) -> str | None:
    """The static mistake in an address, as a sentence with its remedy, or None."""
    if any(each.isspace() for each in text):
        return f"an address holds no blanks: write for example {_EXAMPLE}"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError as error:
        return f"not an address ({error}): write for example {_EXAMPLE}"
    return _part_mistake(parts, port)


def _part_mistake(parts: SplitResult, port: int | None) -> str | None:
    if parts.scheme not in {"https", "http"}:
        return f"a vSphere target is reached over https, not {parts.scheme!r}: write for example {_EXAMPLE}"
    if parts.username is not None:
        return "accounts do not belong into an address: name one under auths: and refer to it with auth:"
    if not parts.hostname or port == 0:
        return f"an address needs a host: write for example {_EXAMPLE}"
    if not _is_name(parts.hostname):
        return f"{parts.hostname!r} is no host's name: write for example {_EXAMPLE}"
    if parts.query or parts.fragment or not parts.path.isascii():
        return f"an address ends with its path, in plain ASCII: write for example {_EXAMPLE}"
    return None


def _is_name(host: str) -> bool:
    """Whether a name can be looked up at all: no label is empty or longer than 63 letters."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False
