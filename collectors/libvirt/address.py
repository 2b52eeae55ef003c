"""Addresses of targets: libvirt's connection URIs, their static mistakes, and what is added to them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

TRANSPORTS = {"unix", "ssh", "libssh2", "tls", "tcp", "ext"}
REMOVED = {"phyp": "6.0", "xenapi": "6.0", "uml": "5.0"}
DRIVERS = {
    "bhyve", "ch", "esx", "gsx", "hyperv", "libxl", "lxc", "openvz", "parallels", "qemu", "test", "vbox",
    "vmwarefusion", "vmwareplayer", "vmwarews", "vpx", "vz", "xen",
}  # fmt: skip
_QEMU_PATHS = {"/system", "/session"}
PARAMETERS = {
    "argv", "auth", "command", "keyfile", "known_hosts", "known_hosts_verify", "mode", "name", "netcat", "no_sanity",
    "no_tty", "no_verify", "pkipath", "proxy", "socket", "sshauth", "tls_priority",
}  # fmt: skip
"""What libvirt itself reads of a remote URI; others go to the driver at the far end."""
_PATHS = ("command", "keyfile", "known_hosts", "pkipath", "socket")
_LONGEST_SOCKET_BYTES = 107
_EXAMPLE = "qemu:///system here, qemu+ssh://monitor@kvm-7/system elsewhere"

LOCAL_SOCKETS = (
    "/run/libvirt/virtqemud-sock-ro",
    "/run/libvirt/libvirt-sock-ro",
    "/var/run/libvirt/virtqemud-sock-ro",
    "/var/run/libvirt/libvirt-sock-ro",
)


def check_address(address: str) -> str | None:
    """The static mistake in a libvirt URI, as a sentence with its remedy, or None."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        return f"not a URI ({error}): write for example {_EXAMPLE}"
    driver, _, transport = parts.scheme.partition("+")
    if any(each.isspace() for each in address):
        return f"a URI holds no blanks: write %20 for one, as in {address.strip().replace(' ', '%20')}"
    if not driver or "://" not in address:
        return f"a libvirt target needs a connection URI: {_EXAMPLE}"
    return (
        _driver_mistake(driver)
        or _transport_mistake(transport)
        or _path_mistake(driver, parts.path)
        or (_remote_mistake(transport, parts) if transport else None)
    )


def _driver_mistake(driver: str) -> str | None:
    if driver in REMOVED:
        return f"libvirt {REMOVED[driver]} removed the driver {driver!r}: watch these hosts another way"
    return None if driver in DRIVERS else f"libvirt has no driver {driver!r}: write for example {_EXAMPLE}"


def _transport_mistake(transport: str) -> str | None:
    if not transport or transport in TRANSPORTS:
        return None
    if transport == "libssh":
        # Tried with libvirt 9.0.0 and libssh 0.10: what libssh has read ahead nobody is woken for, so the first answer
        # of some kilobytes, the capabilities of the host, never comes.
        return "libvirt hangs over its transport libssh at the first long answer: use ssh or libssh2"
    return f"libvirt has no transport {transport!r}: use one of {', '.join(sorted(TRANSPORTS))}"


def _path_mistake(driver: str, path: str) -> str | None:
    if driver == "qemu" and path == "/embed":
        return "qemu:///embed would start a hypervisor inside the exporter: use qemu:///system or qemu:///session"
    if driver == "qemu" and path not in _QEMU_PATHS:
        return f"a qemu URI ends in /system or /session: {_EXAMPLE}"
    return None


def _remote_mistake(transport: str, parts: SplitResult) -> str | None:
    given = parameters(parts.query)
    for name in given.keys() - PARAMETERS:
        # libvirt overlooks what it does not know; only what is nearly one of its own words is surely a mistake.
        if close := get_close_matches(name, PARAMETERS, 1, 0.75):
            return f"libvirt has no parameter {name!r}: did you mean {close[0]!r}?"
    for name in _PATHS:
        if name in given and not given[name].startswith("/"):
            return f"write the whole path after {name}=, beginning with /: {given[name]!r} could be anywhere"
    if transport == "ext" and "command" not in given:
        return "the transport ext needs a command: qemu+ext:///system?command=/path/of/it"
    if transport == "unix":
        return _socket_mistake(parts, given.get("socket", ""))
    return None


def _socket_mistake(parts: SplitResult, path: str) -> str | None:
    if parts.netloc:
        here = f"{parts.scheme}://{parts.path}{'?' if parts.query else ''}{parts.query}"
        return f"a socket is on this machine: write {here}, or use the transport ssh, tls or tcp"
    if len(os.fsencode(path)) > _LONGEST_SOCKET_BYTES:
        return f"the path of a socket has at most {_LONGEST_SOCKET_BYTES} bytes: link to it from a shorter one"
    return None


def parameters(query: str) -> dict[str, str]:
    """The parameters of a URI as libvirt reads them: a plus sign stands for itself."""
    return dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))


def connection_uri(address: str) -> str:
    """The URI that is opened: over SSH nobody is there to answer a question (`no_tty=1`), unless it says otherwise."""
    parts = urlsplit(address)
    if not parts.scheme.endswith("+ssh") or "no_tty" in parameters(parts.query):
        return address
    return parts._replace(query="&".join(filter(None, (parts.query, "no_tty=1")))).geturl()


def local_targets(sockets: Sequence[str] = LOCAL_SOCKETS) -> list[Mapping[str, Any]]:
    """The hypervisor of this very machine, where its read-only socket may be opened."""
    if not any(os.access(socket, os.R_OK | os.W_OK) for socket in sockets):
        return []
    return [{"name": "local", "platform": "libvirt", "address": "qemu:///system"}]
