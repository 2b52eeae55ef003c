"""How an answer leaves: whole, late, in pieces, broken, or never."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.backends.winrm.misbehaviour import Order

if TYPE_CHECKING:
    from tests.backends.winrm.connection import Connection, Reply

NOBODY_WAITS_LONGER_SECONDS = 600.0
CHUNK = 64 * 1024


def deliver(connection: "Connection", reply: "Reply", orders: dict[str, Order]) -> None:
    """Send the answer as the orders want it."""
    stopping = connection.server.site.stopping
    for kind in ("stall", "hang"):
        if kind in orders:
            seconds = float(orders[kind].details.get("seconds", NOBODY_WAITS_LONGER_SECONDS))
            _wait(connection, orders[kind], seconds)
    if stopping.is_set():
        connection.hang_up()
        return
    reply = _changed(reply, orders)
    if "oversize" in orders:
        _oversize(connection, orders["oversize"])
        return
    raw = connection.finished(reply)
    if "bad_seal" in orders and (found := re.search(rb"octet-stream\r\n.{8}", raw, re.DOTALL)):
        place = found.end()
        raw = raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :]
    if "close" in orders:
        connection.send(raw[: orders["close"].details.get("part", 0)])
        connection.hang_up()
        return
    if "drip" in orders:
        _drip(connection, orders["drip"], raw)
        return
    connection.send(raw)
    if "close_after" in orders:
        connection.hang_up()


def _wait(connection: "Connection", order: Order, seconds: float) -> None:
    """Until the time is over, the order ends or the server stops."""
    stopping, step = connection.server.site.stopping, 0.02
    while seconds > 0 and not stopping.is_set() and not order.over.wait(min(step, seconds)):
        seconds -= step


def _changed(reply: "Reply", orders: dict[str, Order]) -> "Reply":
    text = reply.body.decode()
    if "no_relates_to" in orders:
        text = re.sub(r"<a:RelatesTo>.*?</a:RelatesTo>", "", text)
    if "indent" in orders:
        text = _indented(text)
    if "replace" in orders:
        new = orders["replace"].details["text"]
        text = new(text) if callable(new) else new
    if "truncate" in orders:
        text = text[: orders["truncate"].details["size"]]
    reply = replace(reply, body=text.encode("utf-8", "surrogatepass"))
    if "plain" in orders:
        reply = replace(reply, sealed=False)
    if "status" in orders:
        given = orders["status"].details
        body, kind = given.get("body", b""), given.get("content_type", "text/html; charset=us-ascii")
        reply = replace(reply, status=given["code"], body=body, content_type=kind, sealed=False)
        reply.headers = [*reply.headers, *given.get("headers", ())]
    return reply


def _indented(text: str) -> str:
    head, middle, rest = text.partition("</s:Header>")
    if "<s:Fault>" in rest:
        head, middle, rest = text, "", ""
    return re.sub(r">([^<>]+)<", lambda found: f">\n\t\t{found[1]}\n\t<", head) + middle + rest


def _oversize(connection: "Connection", order: Order) -> None:
    size = int(order.details["size"])
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: {size}\r\n\r\n"
    connection.send(head.encode())
    while size > 0 and not connection.server.site.stopping.is_set() and not order.over.is_set():
        connection.send(b"<" + b"a" * (min(size, CHUNK) - 1))
        size -= CHUNK
    connection.hang_up()


def _drip(connection: "Connection", order: Order, raw: bytes) -> None:
    for place in range(len(raw)):
        if connection.server.site.stopping.is_set():
            return
        order.over.wait(order.details["seconds"])
        connection.send(raw[place : place + 1])
