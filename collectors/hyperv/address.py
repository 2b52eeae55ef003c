"""Addresses of targets: a host, `host:port` or URL of a Hyper-V host, of a cluster, or of any of its nodes."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from collectors.hyperv.client.settings import Address
from collectors.hyperv.options import NODE

_EXAMPLE = "hv-1.example.net, https://hv-1.example.net:5986 or http://hv-1.example.net:5985"


def check_address(text: str) -> str | None:
    """The static mistake in an address, as a sentence with its remedy, or None."""
    if not text or any(each.isspace() for each in text):
        return f"an address holds no blanks: write for example {_EXAMPLE}"
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        port = parts.port
    except ValueError as error:
        return f"not an address ({error}): write for example {_EXAMPLE}"
    return _part_mistake(parts, port)


def _part_mistake(parts: SplitResult, port: int | None) -> str | None:
    if parts.scheme not in {"", "https", "http"}:
        return f"a Hyper-V target is reached over https or http, not {parts.scheme!r}: write for example {_EXAMPLE}"
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


def node_address(entrance: Address, pattern: str, node: str) -> Address:
    """Where a node answers: by the pattern, else its name in the domain of the address, on the same port."""
    node = node.lower()
    if pattern:
        found = pattern.replace(NODE, node)
        if "://" in found:
            return Address.of(found)
        host, colon, port = found.rpartition(":")
        if colon and port.isdecimal() and "]" not in port:
            return Address(host.strip("[]"), int(port), entrance.scheme, entrance.path)
        return entrance.at(found)
    return entrance.at(f"{node}.{domain}" if (domain := _domain(entrance.host)) and "." not in node else node)


def _domain(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.partition(".")[2]
    return ""
