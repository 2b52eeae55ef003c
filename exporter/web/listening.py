"""From `--web.listen-address` and from systemd to listening sockets, with errors that say what to do.

Serving what connects to them is server.py's part.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Sequence

BACKLOG = 512
_FIRST_INHERITED = 3

_ADDRESS = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^\s:\[\]]*)):(?P<port>[0-9]{1,5})")
_REMEDIES = {
    errno.EADDRINUSE: "another process listens there: stop it, or choose another --web.listen-address",
    errno.EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE: choose a higher port, or grant it",
    errno.EADDRNOTAVAIL: "no interface of this machine has this address: choose one it has, or leave the host out",
}


class BadAddress(ValueError):
    """A listen address that is not HOST:PORT; a static mistake."""


class ListenError(OSError):
    """A listen address that cannot be bound now; the sentence names the address, the reason and a remedy."""

    def __str__(self) -> str:
        return str(self.strerror)


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `[IPv6]:PORT` or `:PORT`; an empty host is every interface. Raises BadAddress."""
    matched = _ADDRESS.fullmatch(address)
    if matched is None or int(matched["port"]) > 65535:
        raise BadAddress(f"listen address {address!r} is not HOST:PORT, [IPv6]:PORT or :PORT with a port up to 65535")
    return matched["ipv6"] or matched["name"], int(matched["port"])


def listen(addresses: Sequence[str], *, from_systemd: bool = False) -> list[socket.socket]:
    """Listening, non-blocking sockets: what systemd handed over, and one for each address; or none at all.

    Raises BadAddress and ListenError.

    A host name means one address, IPv4 where it has one, as in Go's exporters.
    """
    sockets: list[socket.socket] = []
    try:
        sockets.extend(inherited() if from_systemd else ())
        sockets.extend(map(_listen, addresses))
    except BaseException:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def inherited() -> list[socket.socket]:
    """The listening sockets that systemd handed to this process (sd_listen_fds(3)). Raises ListenError.

    The variables are taken out of the environment: they are not meant for our children.
    """
    meant_for, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if meant_for != str(os.getpid()) or not count.isdecimal() or not int(count):
        raise ListenError(
            errno.ENOTCONN,
            "--web.systemd-socket: systemd has handed no socket to this process (LISTEN_FDS); "
            "start it through a socket unit, or leave the flag out",
        )
    return [_adopt(number) for number in range(_FIRST_INHERITED, _FIRST_INHERITED + int(count))]


def _adopt(number: int) -> socket.socket:
    try:
        bound = socket.socket(fileno=number)
        listening = bound.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise ListenError(error.errno or 0, f"--web.systemd-socket: descriptor {number} is no socket") from error
    if not listening or bound.type is not socket.SOCK_STREAM:
        raise ListenError(
            errno.EINVAL,
            f"--web.systemd-socket: descriptor {number} does not listen; the unit needs ListenStream= and Accept=no",
        )
    bound.set_inheritable(False)
    bound.setblocking(False)
    return bound


def told(bound: socket.socket) -> str:
    """The address a socket really listens on, as HOST:PORT; of a unix socket its path."""
    if bound.family is socket.AF_UNIX:
        return f"unix:{bound.getsockname()}"
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if bound.family is socket.AF_INET6 else f"{host}:{port}"


def _listen(address: str) -> socket.socket:
    host, port = parse_address(address)
    try:
        bound = _bind(host, port)
    except socket.gaierror as error:
        raise ListenError(
            error.errno, f"cannot listen on {address}: the name {host} has no address; check it, or use an IP address"
        ) from error
    except OSError as error:
        number = error.errno or 0
        remedy = _REMEDIES.get(number, "choose another --web.listen-address")
        raise ListenError(number, f"cannot listen on {address}: {os.strerror(number)}; {remedy}") from error
    bound.setblocking(False)
    return bound


def _bind(host: str, port: int) -> socket.socket:
    if not host:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        return socket.create_server(("", port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, where = min(found, key=lambda entry: entry[0] is not socket.AF_INET)
    return socket.create_server(where[:2], family=family, backlog=BACKLOG)
