"""What an endpoint refuses, as the core's errors, each with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from collectors.vsphere.client.xml import read
from exporter.errors import AuthenticationFailed, CollectorError, Forbidden, Malformed

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
        full = ", or has as many sessions as it may have" if operation == "Login" else ""
        return Busy(f"{where} answers {status} to {operation}: it is overloaded or starting{full}")
    if location:
        return Malformed(f"{where} sends us on to {location[:_SHOWN]!r}: name the address of the API itself", operation)
    what = "something else" if status == HTTPStatus.OK else str(status)
    return Malformed(f"{where} answers {operation} with {what}: {_QUESTION}", where=operation)
