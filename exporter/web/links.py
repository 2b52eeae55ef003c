"""Where the daemon is found: the external URL, its path prefix, and the form of a request's target that routes know.

Requests are answered with and without the prefix, so a proxy may strip it or not.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass

_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_PORTS = {"http": 80, "https": 443}


class BadUrl(ValueError):
    """An external URL that cannot be one; a static mistake."""


@dataclass(frozen=True, slots=True)
class ExternalUrl:
    """How clients reach the daemon; all empty where only the listen addresses count."""

    scheme: str = ""
    host: str = ""
    prefix: str = ""
    """Path without a slash at its end: "/hypervisors", or nothing."""


def parse_url(given: str) -> ExternalUrl:
    """From `--web.external-url`: a URL, or a path alone. Raises BadUrl."""
    try:
        parts = urllib.parse.urlsplit(given)
        port = parts.port
    except ValueError:
        raise BadUrl(f"external URL {given!r} cannot be read; write it as https://example.net/hypervisors") from None
    prefix = parts.path.rstrip("/")
    wrong = (
        bool(parts.query or parts.fragment or parts.username is not None)
        or bool(parts.scheme or parts.netloc) != bool(parts.scheme in _PORTS and parts.hostname)
        or not _PREFIX.fullmatch(prefix)
    )
    if wrong or not (prefix or parts.hostname):
        raise BadUrl(
            f"external URL {given!r} is neither http(s)://HOST[:PORT][/PATH] nor /PATH; "
            "a path holds letters, digits and . _ ~ -"
        )
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return ExternalUrl(parts.scheme, f"{bracketed}:{port or _PORTS[parts.scheme]}" if host else "", prefix)


def with_port(host: str, scheme: str) -> str:
    """HOST:PORT of a Host header: Prometheus wants the port spoken."""
    return host if re.search(r":[0-9]+$", host) else f"{host.rstrip(':')}:{_PORTS[scheme]}"


def known_form(target: str, prefix: str, known: frozenset[str]) -> str:
    """The target of a request as path and query, without scheme and host (RFC 9112, 3.2.2) and without the prefix."""
    if absolute := _ABSOLUTE.match(target):
        target = target[absolute.end() :]
        target = target if target.startswith("/") else f"/{target}"
    path, mark, query = target.partition("?")
    if prefix and path not in known and path.startswith(f"{prefix}/"):
        path = path.removeprefix(prefix)
    return path + mark + query
