"""One TCP connection: HTTP, its login, sealed bodies, and the misbehaviour below SOAP."""

import base64
import contextlib
import socket
import ssl
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.backends.winrm.delivery import deliver
from tests.backends.winrm.door import Door, RefusedError
from tests.backends.winrm.faults import Fault, envelope, fault
from tests.backends.winrm.messages import Asked, Message, read
from tests.backends.winrm.misbehaviour import Order
from tests.backends.winrm.sealing import UnsealedError, seal, unseal
from tests.backends.winrm.service import IDENTITY

if TYPE_CHECKING:
    from tests.backends.winrm.listener import Listener

SOAP = "application/soap+xml;charset=UTF-8"


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = SOAP
    headers: list[tuple[str, str]] = field(default_factory=list)
    sealed: bool = False


class Connection(BaseHTTPRequestHandler):
    """Login and sealing belong to the connection, as on Windows."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Microsoft-HTTPAPI/2.0", ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "Listener"

    def setup(self) -> None:
        self.timeout = self.server.site.idle_seconds
        super().setup()
        site = self.server.site
        tls = self.connection if isinstance(self.connection, ssl.SSLSocket) else None
        self.door = Door(site.transports, site.accounts, tls, site.bindings)
        self._token: bytes | None = None
        site.counts["connections"] += 1

    def do_POST(self) -> None:  # the name that http.server calls
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.site.counts["received_bytes"] += len(body)
        self._token = None
        try:
            if self.headers.get("WSMANIDENTIFY"):
                self._identify(sealed=False)
            else:
                self._authorised(body)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            self.close_connection = True

    def _identify(self, *, sealed: bool) -> None:
        site = self.server.site
        site.counts["requests"] += 1
        site.counts["Identify"] += 1
        said = site.service.identify(known=self.door.open).encode()
        self._deliver(Reply(200, said, sealed=sealed), site.orders.take("Identify"))

    def _authorised(self, body: bytes) -> None:
        site = self.server.site
        if self.path.partition("?")[0].rstrip("/") != "/wsman":
            self._send(Reply(404, b"<html><body>Not Found</body></html>", "text/html; charset=us-ascii"))
            return
        authorization = self.headers.get("Authorization")
        orders = site.orders.take("login") if authorization or not self.door.open else {}
        try:
            if "status" in orders or "hang" in orders or "close" in orders or "stall" in orders:
                self._deliver(Reply(401), orders)
                return
            self._token = self.door.knock(authorization, refusing="refuse" in orders)
        except RefusedError as refused:
            self._challenge(refused, orders, authorization)
            return
        if authorization:
            site.counts["logins"] += 1
        if not body:
            self._send(Reply(200))
            return
        self._soap(body)

    def _challenge(self, refused: RefusedError, orders: dict[str, Order], authorization: str | None) -> None:
        site = self.server.site
        if refused.challenge is not None:
            offers = [f"{self.door.scheme} {_base64(refused.challenge)}"]
        else:
            offers = [] if "no_header" in orders else self.door.offers()
            if authorization:
                site.counts["refused"] += 1
        self._send(Reply(401, b"", "text/plain", [("WWW-Authenticate", offer) for offer in offers]))

    def _soap(self, body: bytes) -> None:
        site = self.server.site
        sealed = (
            (self.headers.get("Content-Type") or "")
            .lower()
            .startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))
        )
        if not sealed and not site.allows_unencrypted and not isinstance(self.connection, ssl.SSLSocket):
            self._send(Reply(500))
            return
        try:
            request = unseal(self.door.context, body) if sealed else body
            if IDENTITY.encode() in request:
                self._identify(sealed=sealed)
                return
            message = read(request)
        except (UnsealedError, ET.ParseError, ValueError):
            self._send(Reply(400))  # an empty one, as for bodies that were sealed with another connection's keys
            return
        site.requests.append(request)
        asked = site.service.named(message)
        orders = site.orders.take(asked.operation, asked.namespace, asked.class_name)
        self._deliver(replace(self._answer(message, asked, orders), sealed=sealed), orders)

    def _answer(self, message: Message, asked: Asked, orders: dict[str, Order]) -> Reply:
        service = self.server.site.service
        relates_to = "uuid:00000000-0000-0000-0000-000000000000" if "relates_to" in orders else message.message_id
        message = replace(message, message_id=relates_to)
        try:
            if "slow" in orders:
                self._take_time(message, orders["slow"])
            if "fault" in orders:
                raise fault(**{"style": service.fault_style, **orders["fault"].details})
            reply = Reply(200, service.answer(message, asked, orders).encode())
        except Fault as what:
            self.server.site.counts["faults"] += 1
            reply = Reply(what.status, envelope(what, message.message_id, message.action).encode())
        return reply

    def _take_time(self, message: Message, order: Order) -> None:
        seconds = order.details["seconds"]
        order.over.wait(min(seconds, message.timeout_seconds))
        if seconds > message.timeout_seconds:
            raise fault("timeout", style=self.server.site.service.fault_style)

    def _deliver(self, reply: Reply, orders: dict[str, Order]) -> None:
        deliver(self, reply, orders)

    def finished(self, reply: Reply) -> bytes:
        """The bytes of a whole answer, sealed where the request was."""
        body, content_type = reply.body, reply.content_type
        if reply.sealed and self.door.context is not None:
            body, content_type = seal(self.door.context, self.door.scheme, body, SOAP)
        phrase = self.responses.get(reply.status, ("", ""))[0]
        lines = [f"HTTP/1.1 {reply.status} {phrase}", f"Server: {self.server_version}"]
        if self._token is not None:
            lines.append(f"WWW-Authenticate: {self.door.scheme} {_base64(self._token)}")
        if not any(name == "Date" for name, _ in reply.headers):
            lines.append(f"Date: {self.date_time_string()}")
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if body:
            lines.append(f"Content-Type: {content_type}")
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body

    def _send(self, reply: Reply) -> None:
        self.send(self.finished(reply))

    def send(self, raw: bytes) -> None:
        self.server.site.counts["sent_bytes"] += len(raw)
        self.wfile.write(raw)
        self.wfile.flush()

    def hang_up(self) -> None:
        """End the connection now."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_) -> None:
        pass


def _base64(token: bytes) -> str:
    return base64.b64encode(token).decode()
