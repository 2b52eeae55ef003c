"""Looking up names by a deadline, which the resolver itself does not know: it may take half a minute for one name.

A look-up that takes too long goes on in a thread that nobody waits for. Whoever asks for the same name meanwhile waits
for that one, so that there is at most one such thread for each name.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import Future
from typing import Any

Found = list[tuple[Any, ...]]
"""What `socket.getaddrinfo` gives."""
_asked: dict[tuple[str, int], Future[Found]] = {}
_lock = threading.Lock()


class NoResolver(OSError):
    """No name server has answered in time."""


def addresses(host: str, port: int, timeout_seconds: float) -> Found:
    """The addresses of a host. Raises `socket.gaierror` as the resolver does, `NoResolver` when it takes too long."""
    if _is_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    with _lock:
        answer = _asked.get((host, port))
        if answer is None:
            answer = _asked[host, port] = Future()
            threading.Thread(target=_ask, args=(host, port, answer), name=f"resolve-{host}", daemon=True).start()
    try:
        return answer.result(timeout_seconds)
    except TimeoutError:
        raise NoResolver(f"no name server tells the address of {host} in time") from None


def _ask(host: str, port: int, answer: Future[Found]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except BaseException as error:  # noqa: BLE001  whoever waits is told, whatever it is
        told: BaseException | None = error
    else:
        told = None
    with _lock:
        del _asked[host, port]
    if told is None:
        answer.set_result(found)
    else:
        answer.set_exception(told)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
