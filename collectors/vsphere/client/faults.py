"""What an endpoint refuses, and what its connection does, as the core's errors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

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


def parse_fault(body: bytes) -> Fault | None:
    """The fault in an envelope; None if it is something else."""
    try:
        found = read(body, "a call").find(f"{_ENVELOPE}Body/{_ENVELOPE}Fault")
    except Malformed:
        return None
    if found is None:
        return None
    detail = next(iter(found.find("detail") or ()), None)
    message = found.findtext("faultstring", "").strip()
    if detail is None:
        return Fault("SystemError", message, {})
    name = detail.get(_TYPE, "").rpartition(":")[2] or detail.tag.rpartition("}")[2].removesuffix("Fault")
    leaves = {each.tag.rpartition("}")[2]: (each.text or "") for each in detail if not len(each)}
    return Fault(name, message, leaves)


def error_of(operation: str, fault: Fault, session_objects: bool) -> CollectorError:
    """What a fault means. `session_objects`: the call was about a view or collector that dies with its session."""
    if fault.name == "NotAuthenticated" or (session_objects and fault.name == "ManagedObjectNotFound"):
        return SessionLost(f"{operation}: {fault}")
    if fault.name in {"InvalidLogin", "NoPermissionOnLogin", "PasswordExpired"}:
        return AuthenticationFailed(f"the endpoint refuses the account: {fault.message or fault.name}")
    if fault.name == "NoPermission":
        right = fault.details.get("privilegeId", "")
        return Forbidden(f"the account may not call {operation}: it lacks {right or 'a privilege'}", right=right)
    return Refused(operation, fault)


def connection_error(error: Exception, where: str) -> CollectorError:
    """What a failed connection means, with what to do about it."""
    for kind, meaning in _MEANING.items():
        if isinstance(error, kind):
            return meaning(where, error)
    return Unreachable(f"{where} cannot be reached: {error or type(error).__name__}")


def _not_accepted(where: str, error: Any) -> CollectorError:
    return Unreachable(f"{where}: its certificate is not accepted ({error.verify_message}){_remedy(error)}")


_MEANING: Mapping[type[Exception], Callable[[str, Any], CollectorError]] = {
    TimeoutError: lambda where, _: TimedOut(f"{where} did not answer in time"),
    ssl.SSLCertVerificationError: _not_accepted,
    PinMismatch: lambda where, error: Unreachable(f"{where}: {error}: if it is right, name it as tls.pin_sha256"),
    ssl.SSLError: lambda where, error: Unreachable(
        f"{where} speaks no TLS that is understood ({error.reason or error}): is the port right?"
    ),
    socket.gaierror: lambda where, error: Unreachable(
        f"{where}: the name is not known ({error.strerror}): is it right, and does DNS answer?"
    ),
    ConnectionRefusedError: lambda where, _: Unreachable(
        f"{where} refuses the connection: is the address right, and does a firewall let it through?"
    ),
    HTTPException: lambda where, error: Malformed(
        f"{where} does not answer as a web server does ({type(error).__name__}): is the port right?"
    ),
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
