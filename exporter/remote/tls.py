"""TLS to an endpoint: verified by default; by an authority of the operator's, another name, or a pinned certificate."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Callable

from exporter.config.model import Tls
from exporter.errors import SecretUnreadable


class PinMismatch(ssl.SSLError):
    """The endpoint shows another certificate than the pinned one."""


class Trust:
    """Whom a target's endpoint has to be. Files are read when they are first needed, and anew when they have changed.

    A pin without an authority takes the place of the verification: it names the one certificate that is accepted.
    """

    def __init__(self, tls: Tls) -> None:
        self.server_name = tls.server_name
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._read: tuple[object, ...] = ()

    def context(self) -> ssl.SSLContext:
        """The context for the next connection. Raises `SecretUnreadable`, naming the file."""
        files = tuple(map(_state, (self._tls.ca_file, self._tls.cert_file, self._tls.key_file)))
        if self._context is None or files != self._read:
            self._context, self._read = _context_of(self._tls), files
        return self._context

    def check(self, certificate: bytes) -> None:
        """Raise `PinMismatch` where the certificate (DER) is not the pinned one."""
        found = fingerprint(certificate)
        if self._tls.pin_sha256 is not None and found != self._tls.pin_sha256:
            raise PinMismatch(f"the SHA-256 of its certificate is {found}, not the pinned {self._tls.pin_sha256}")

    @property
    def verifies(self) -> bool:
        """Whether the endpoint has to prove who it is."""
        return self._tls.pin_sha256 is not None or not self._tls.insecure_skip_verify


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate (DER) in lower-case hexadecimal digits."""
    return hashlib.sha256(certificate).hexdigest()


def _state(path: str | None) -> object:
    """What changes when a file is written or replaced."""
    if path is None:
        return None
    try:
        found = os.stat(path)  # noqa: PTH116  a path of the configuration, as it stands there
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _context_of(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.insecure_skip_verify or (tls.pin_sha256 is not None and tls.ca_file is None):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca_file is not None:
        # An endpoint's own certificate, or an authority below a root, may be named as well as a root.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _load(tls.ca_file, "tls.ca_file", lambda path: context.load_verify_locations(cafile=path))
    else:
        context.load_default_certs()
    if tls.cert_file is not None:
        # Without a password of ours, OpenSSL would ask for that of an encrypted key at the terminal.
        _load(tls.cert_file, "tls.cert_file", lambda path: context.load_cert_chain(path, tls.key_file, password=""))
    return context


def _load(path: str, name: str, load: Callable[[str], None]) -> None:
    try:
        load(path)
    except (OSError, ssl.SSLError) as error:  # an SSLError's strerror is a phrase of OpenSSL's
        raise SecretUnreadable(f"{name} {path} cannot be used: {error.strerror or error}") from error
