"""TLS to an endpoint: verified by default; by an authority of the operator's, another name, or a pinned certificate."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from exporter.config.model import Tls
from exporter.errors import SecretUnreadable


class PinMismatch(ssl.SSLError):
    """The endpoint shows another certificate than the pinned one."""


class Context(ssl.SSLContext):
    """A context that checks another name than the address's where one is given, and the pin of the certificate.

    pyVmomi takes a context and nothing else, hence a context that does it all; `seen` is told each certificate (DER).
    """

    server_name: str | None = None
    pin_sha256: str | None = None
    seen: Callable[[bytes], None] | None = None

    def wrap_socket(self, sock: socket.socket, *arguments: Any, **keywords: Any) -> ssl.SSLSocket:
        """As the standard library's, with the checks."""
        if self.server_name is not None:
            keywords["server_hostname"] = self.server_name
        wrapped = super().wrap_socket(sock, *arguments, **keywords)
        certificate = wrapped.getpeercert(binary_form=True) or b""
        found = hashlib.sha256(certificate).hexdigest()
        if self.pin_sha256 is not None and found != self.pin_sha256:
            wrapped.close()
            raise PinMismatch(f"the certificate's SHA-256 is {found}, not the pinned one")
        if self.seen is not None:
            self.seen(certificate)
        return wrapped


def context_of(tls: Tls, seen: Callable[[bytes], None] | None = None) -> Context:
    """The context for an endpoint. Files are read now. Raises `SecretUnreadable`, naming the file.

    A pin without an authority takes the place of the verification: it names the one certificate that is accepted.
    """
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name, context.pin_sha256, context.seen = tls.server_name, tls.pin_sha256, seen
    if tls.insecure_skip_verify or (tls.pin_sha256 is not None and tls.ca_file is None):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca_file is not None:
        _load(tls.ca_file, "tls.ca_file", lambda path: context.load_verify_locations(cafile=path))
    else:
        context.load_default_certs()
    if tls.cert_file is not None:
        key = tls.key_file
        _load(tls.cert_file, "tls.cert_file", lambda path: context.load_cert_chain(path, key))
    return context


def _load(path: str, name: str, load: Callable[[str], None]) -> None:
    try:
        load(path)
    except (OSError, ssl.SSLError) as error:
        raise SecretUnreadable(f"{name} {path} cannot be used: {error.strerror or error}") from error
