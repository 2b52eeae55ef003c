"""Addresses of targets: libvirt's connection URIs, their static mistakes, and what is added to them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

TRANSPORTS = {"unix", "ssh", "libssh", "libssh2", "tls", "tcp", "ext"}
REMOVED = {"phyp": "6.0", "xenapi": "6.0", "uml": "5.0"}
DRIVERS = {
    "bhyve", "ch", "esx", "gsx", "hyperv", "libxl", "lxc", "openvz", "parallels", "qemu", "test", "vbox",
    "vmwarefusion", "vmwareplayer", "vmwarews", "vpx", "vz", "xen",
}  # fmt: skip
_QEMU_PATHS = {"/system", "/session"}
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
    return _driver_mistake(driver) or _transport_mistake(transport) or _path_mistake(driver, parts.path)


def _driver_mistake(driver: str) -> str | None:
    if driver in REMOVED:
        return f"libvirt {REMOVED[driver]} removed the driver {driver!r}: watch these hosts another way"
    return None if driver in DRIVERS else f"libvirt has no driver {driver!r}: write for example {_EXAMPLE}"


def _transport_mistake(transport: str) -> str | None:
    if not transport or transport in TRANSPORTS:
        return None
    return f"libvirt has no transport {transport!r}: use one of {', '.join(sorted(TRANSPORTS))}"


def _path_mistake(driver: str, path: str) -> str | None:
    if driver == "qemu" and path == "/embed":
        return "qemu:///embed would start a hypervisor inside the exporter: use qemu:///system or qemu:///session"
    if driver == "qemu" and path not in _QEMU_PATHS:
        return f"a qemu URI ends in /system or /session: {_EXAMPLE}"
    return None


def connection_uri(address: str) -> str:
    """The URI that is opened: over SSH nobody is there to answer a question (`no_tty=1`), unless it says otherwise."""
    parts = urlsplit(address)
    if not parts.scheme.endswith("+ssh") or "no_tty" in parse_qs(parts.query):
        return address
    return parts._replace(query="&".join(filter(None, (parts.query, "no_tty=1")))).geturl()


def local_targets(sockets: Sequence[str] = LOCAL_SOCKETS) -> list[Mapping[str, Any]]:
    """The hypervisor of this very machine, where its read-only socket may be opened."""
    if not any(os.access(socket, os.R_OK | os.W_OK) for socket in sockets):
        return []
    return [{"name": "local", "platform": "libvirt", "address": "qemu:///system"}]
