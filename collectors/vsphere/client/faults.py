"""What an endpoint refuses, and what its connection does, as the core's errors, each with what to do about it."""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, IncompleteRead
from typing import Any

from collectors.vsphere.client.connection import NoAnswer
from collectors.vsphere.client.tls import PinMismatch
from collectors.vsphere.client.xml import read
from exporter.errors import AuthenticationFailed, CollectorError, Forbidden, Malformed, TimedOut, Unreachable

_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault: the API's word for it, the endpoint's sentence, and the fault's own leaves."""

    name: str
    message: str
    details: dict[str, str]

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


class Refused(CollectorError):
    """A call was answered with a fault that the caller may know what to do about."""

    outcome = "malformed"

    def __init__(self, operation: str, fault: Fault) -> None:
        super().__init__(f"{operation}: {fault}")
        self.fault = fault


class SessionLost(CollectorError):
    """The endpoint no longer knows our session, or what we had made in it; a new one has to be made."""


class Busy(CollectorError):
    """The endpoint answers, but not this call now (503 and its like)."""

    outcome = "unreachable"


_BUSY = {429, 502, 503, 504}
_LOGIN = {"InvalidLogin", "NoPermissionOnLogin", "PasswordExpired", "AccountLocked", "UserPasswordResetRequired"}
_QUESTION = "is it a vCenter or ESXi?"
_SHOWN = 200
"""Letters of what an endpoint says that are shown."""


def parse_fault(body: bytes) -> Fault | None:
    """The fault in an envelope; None if it is something else."""
    try:
        found = read(body, "a call").find(f"{_ENVELOPE}Body/{_ENVELOPE}Fault")
    except Malformed:
        return None
    if found is None:
        return None
    detail = next(iter(found.find("detail") or ()), None)
    message = " ".join(found.findtext("faultstring", "").split())[:_SHOWN]
    if detail is None:  # the transport's own faults have none
        return Fault("SystemError", message, {})
    tag = str(detail.tag).rpartition("}")[2]
    name = detail.get(_TYPE, "").rpartition(":")[2] or tag.removesuffix("Fault")
    leaves = {each.tag.rpartition("}")[2]: (each.text or "") for each in detail if not len(each)}
    return Fault(name, message, leaves)


def error_of(operation: str, fault: Fault, session_objects: bool) -> CollectorError:
    """What a fault means. `session_objects`: the call was about a view or collector that dies with its session."""
    if fault.name == "NotAuthenticated" or (session_objects and fault.name == "ManagedObjectNotFound"):
        return SessionLost(f"{operation}: {fault}")
    if fault.name in _LOGIN:
        return AuthenticationFailed(f"the endpoint refuses the account: {fault}")
    if fault.name == "NoPermission":
        right = fault.details.get("privilegeId", "")[:_SHOWN]
        return Forbidden(f"the account may not call {operation}: it lacks {right or 'a privilege'}", right=right)
    return Refused(operation, fault)


def answer_error(where: str, operation: str, status: int, location: str) -> CollectorError:
    """What an HTTP answer means that is neither the document nor a fault of the API."""
    if status in _BUSY:
        return Busy(f"{where} answers {status} to {operation}: it is overloaded or starting")
    if location:
        return Malformed(f"{where} sends us on to {location[:_SHOWN]!r}: name the address of the API itself", operation)
    what = "something else" if status == HTTPStatus.OK else str(status)
    return Malformed(f"{where} answers {operation} with {what}: {_QUESTION}", where=operation)


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
