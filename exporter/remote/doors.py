"""What a failed connection means, as the core's errors, each with what to do about it."""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Callable, Mapping
from http.client import HTTPException, IncompleteRead
from typing import Any

from exporter.errors import CollectorError, Malformed, TimedOut, Unreachable
from exporter.remote.connection import NoAnswer
from exporter.remote.names import NoResolver
from exporter.remote.tls import PinMismatch


def connection_error(error: Exception, where: str) -> CollectorError:
    """What a failed connection means, with what to do about it."""
    for kind, meaning in _MEANING.items():
        if isinstance(error, kind):
            return meaning(where, error)
    return Unreachable(f"{where} cannot be reached: {error or type(error).__name__}")


def _not_accepted(where: str, error: Any) -> CollectorError:
    return Unreachable(f"{where}: its certificate is not accepted ({error.verify_message}){_remedy(error)}")


def _no_tls(where: str, error: Any) -> CollectorError:
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}:
        return Unreachable(f"{where} does not speak TLS: is it the right port?")
    if error.reason and "CERTIFICATE" in error.reason:  # the endpoint's alert about ours, or its lack
        return Unreachable(f"{where} wants another client certificate ({error.reason}): see tls.cert_file")
    return Unreachable(f"{where} ends the TLS connection ({error.reason or error}): is it the right port?")


_MEANING: Mapping[type[Exception], Callable[[str, Any], CollectorError]] = {
    TimeoutError: lambda where, _: TimedOut(f"{where} did not answer before the deadline"),
    ssl.SSLCertVerificationError: _not_accepted,
    PinMismatch: lambda where, error: Unreachable(f"{where}: {error.args[-1]}: if it is right, set tls.pin_sha256"),
    ssl.SSLError: _no_tls,
    socket.gaierror: lambda where, error: Unreachable(
        f"{where}: the name is not known ({error.strerror}): is it right, and does DNS answer?"
    ),
    NoResolver: lambda where, error: Unreachable(f"{where}: {error}: do the name servers of this machine answer?"),
    NoAnswer: lambda where, error: Unreachable(f"{where}: {error}: is the address right, and does a firewall stop us?"),
    ConnectionRefusedError: lambda where, _: Unreachable(
        f"{where} refuses the connection: is the address right, and does a firewall let it through?"
    ),
    ConnectionError: lambda where, error: Unreachable(
        f"{where} closes the connection without an answer ({type(error).__name__}): is it starting?"
    ),
    UnicodeError: lambda where, error: Unreachable(f"{where}: no name can be written like this ({error})"),
    IncompleteRead: lambda where, _: Unreachable(f"{where} breaks off in the middle of an answer"),
    HTTPException: lambda where, error: Malformed(
        f"{where} does not answer as a web server does ({type(error).__name__}): is it the right port?"
    ),
    zlib.error: lambda where, _: Malformed(f"{where} sends a compressed answer that cannot be unpacked"),
    ValueError: lambda where, error: Malformed(f"{where} answers with what makes no sense: {error}"),
}
"""In this order: some are kinds of others."""


def _remedy(error: ssl.SSLCertVerificationError) -> str:
    message = error.verify_message.casefold()
    if "expired" in message:
        return ": renew it on the endpoint"
    if "self" in message or "issuer" in message:
        return ": name its authority as tls.ca_file, or the certificate's SHA-256 as tls.pin_sha256"
    if "hostname" in message or "ip address" in message:
        return ": use the name that stands in it as address, or name it as tls.server_name"
    return ""
