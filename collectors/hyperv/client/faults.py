"""What a host refuses, as the core's errors, each with what to do about it.

A fault is told by its numbers and subcodes alone: its sentences are in the host's language. WinRM 2 tells them in a
WSManFault, WinRM 3 and later in an MSFT_WmiError, and what WMI itself said may be nested in either.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from collectors.hyperv.client.errors import (
    CLUSTER_ACCESS,
    EXECUTE_METHODS,
    HYPERV_ADMINISTRATORS,
    PERFORMANCE_MONITOR_USERS,
    REMOTE_ENABLE,
    WINRM_ACCESS,
    AccessDenied,
    Busy,
    ContextLost,
    FilterRefused,
    NotThere,
    Refused,
)
from collectors.hyperv.client.parsing import S
from collectors.hyperv.client.rows import Namespace
from exporter.errors import CollectorError, Malformed, TimedOut

_SHOWN = 200
"""Letters of what a host says that are shown."""
_HRESULT = re.compile(r"0x(8[0-9a-fA-F]{7})\b")
_RIGHTS: Mapping[str, str] = {
    Namespace.VIRTUALIZATION: HYPERV_ADMINISTRATORS,
    Namespace.CLUSTER: CLUSTER_ACCESS,
}
_NO_METHODS = {"Enumerate", "Pull", "Release", "Identify"}
_OF_NAMESPACE = {2150859012, 2150859014}
"""The WMI service, or connecting to a namespace, is refused: before any class is looked at."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault: the protocol's word for it, Windows' numbers from the outside in, and the host's sentence."""

    subcode: str
    codes: tuple[int, ...]
    message: str

    def __str__(self) -> str:
        number = f"{self.subcode or 'fault'} {self.codes[0] if self.codes else ''}".strip()
        return f"{number}: {self.message}" if self.message else number


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked when a host refused."""

    where: str
    operation: str
    namespace: str
    what: str
    """Class, or class and method."""


def fault_of(content: ET.Element) -> Fault | None:
    """The fault in an envelope's body; None if it is something else."""
    if content.tag != f"{S}Fault":
        return None
    subcode = (content.findtext(f"{S}Code/{S}Subcode/{S}Value") or "").strip().rpartition(":")[2]
    detail = content.find(f"{S}Detail")
    codes = tuple(dict.fromkeys(_codes(detail))) if detail is not None else ()
    reason = content.findtext(f"{S}Reason/{S}Text") or ""
    return Fault(subcode, codes, textwrap.shorten(reason, _SHOWN, placeholder=" ..."))


def _codes(detail: ET.Element) -> Iterator[int]:
    """Every number of an error in a fault's detail; 0 is none."""
    for each in detail.iter():
        name = str(each.tag).rpartition("}")[2]
        text = (each.text or "").strip()
        if name == "WSManFault":
            yield from _number(each.get("Code", ""))
        elif name in {"error_Code", "StatusCode"}:
            yield from _number(text)
        yield from (int(found, 16) for found in _HRESULT.findall(text))


def _number(text: str) -> Iterator[int]:
    try:
        number = int(text.strip()) & 0xFFFFFFFF  # some are signed
    except ValueError:
        return
    if number:
        yield number


def error_of(fault: Fault, asked: Asked) -> CollectorError:
    """What a fault means: what WMI said within it, else what WinRM said around it, else its subcode."""
    for code in (*reversed(fault.codes),):
        if code in _MEANING:
            return _MEANING[code](fault, asked)
    if fault.subcode in _WORDS:
        return _WORDS[fault.subcode](fault, asked)
    sentence = (
        f"{asked.where} refuses {asked.operation} of {asked.what or 'itself'} ({fault}): "
        "its event log Microsoft-Windows-WinRM/Operational may say more"
    )
    return Refused(sentence, asked.what, fault.codes[0] if fault.codes else 0)


def _denied(fault: Fault, asked: Asked) -> CollectorError:
    right = _right(fault, asked)
    sentence = (
        f"the account may not {'read' if asked.operation in _NO_METHODS else 'call'} {asked.what or 'anything'} "
        f"in {asked.namespace or 'WMI'} of {asked.where}: it lacks {right} ({_number_of(fault)})"
    )
    return AccessDenied(sentence, right, asked.namespace)


def _right(fault: Fault, asked: Asked) -> str:
    if asked.operation not in _NO_METHODS:
        return f"{EXECUTE_METHODS} on {asked.namespace}"
    if not _OF_NAMESPACE.isdisjoint(fault.codes):
        return f"{REMOTE_ENABLE} on {asked.namespace}"
    if asked.namespace == Namespace.CIMV2 and "_PerfRawData_" in asked.what:
        return PERFORMANCE_MONITOR_USERS
    return _RIGHTS.get(asked.namespace, f"{REMOTE_ENABLE} on {asked.namespace or 'the namespace'}")


def _number_of(fault: Fault) -> str:
    """A fault without the host's own sentence, which is in the host's language."""
    return f"{fault.subcode or 'fault'} {fault.codes[0] if fault.codes else ''}".strip()


def _remote_disabled(_fault: Fault, asked: Asked) -> CollectorError:
    sentence = f"{asked.where} has remote access to WinRM turned off: run winrm quickconfig on it"
    return AccessDenied(sentence, WINRM_ACCESS, asked.namespace)


def _not_there(fault: Fault, asked: Asked) -> CollectorError:
    what = f"{asked.namespace}/{asked.what}".strip("/")
    return NotThere(f"{asked.where} has no {what} ({fault.codes[0] if fault.codes else fault.subcode})", what)


def _no_namespace(fault: Fault, asked: Asked) -> CollectorError:
    role = _ROLES.get(asked.namespace, "what it belongs to")
    sentence = f"{asked.where} has no namespace {asked.namespace} ({fault.codes[0]}): {role} is not installed there"
    return NotThere(sentence, asked.namespace)


def _filter(fault: Fault, asked: Asked) -> CollectorError:
    return FilterRefused(f"{asked.where} refuses the query of {asked.what} in {asked.namespace} ({fault})", asked.what)


def _selectors(fault: Fault, asked: Asked) -> CollectorError:
    sentence = f"{asked.where} has {asked.what} under other keys than known ({fault}): is it a newer Windows?"
    return Refused(sentence, asked.what, fault.codes[0] if fault.codes else 0)


def _timed_out(_fault: Fault, asked: Asked) -> CollectorError:
    return TimedOut(f"{asked.where} did not answer {asked.operation} of {asked.what} before the deadline")


def _quota(fault: Fault, asked: Asked) -> CollectorError:
    return Busy(
        f"{asked.where} takes no more operations of this account ({_number_of(fault)}): find who else uses it, "
        "or raise MaxConcurrentOperationsPerUser under winrm/config/service"
    )


def _shells(fault: Fault, asked: Asked) -> CollectorError:
    return Busy(
        f"{asked.where} has a quota of WinRM used up ({_number_of(fault)}): raise it under winrm/config, or wait"
    )


def _envelope(fault: Fault, asked: Asked) -> CollectorError:
    sentence = (
        f"an answer about {asked.what} does not fit into an envelope of {asked.where} "
        f"({fault.codes[0] if fault.codes else fault.subcode}): raise MaxEnvelopeSizekb under winrm/config"
    )
    return Malformed(sentence, asked.what)


def _timeout_refused(fault: Fault, asked: Asked) -> CollectorError:
    number = fault.codes[0] if fault.codes else fault.subcode
    sentence = f"{asked.where} refuses the time it is given ({number}): raise MaxTimeoutms under winrm/config to 60000"
    return Refused(sentence, asked.what, fault.codes[0] if fault.codes else 0)


def _context(fault: Fault, asked: Asked) -> CollectorError:
    return ContextLost(f"{asked.where} has forgotten the query of {asked.what} before its end ({fault})")


_ROLES = {"root/virtualization/v2": "Hyper-V", "root/MSCluster": "failover clustering"}
_Meaning = Callable[[Fault, Asked], CollectorError]
_MEANING: Mapping[int, _Meaning] = {
    5: _denied,  # ERROR_ACCESS_DENIED
    2147942405: _denied,  # the same as HRESULT
    2147749891: _denied,  # WBEM_E_ACCESS_DENIED
    2150859012: _denied,  # WMI service
    2150859013: _denied,  # WMI provider
    2150859014: _denied,  # connecting to WMI
    2150859229: _remote_disabled,
    2147749890: _not_there,  # WBEM_E_NOT_FOUND
    2147749902: _no_namespace,  # WBEM_E_INVALID_NAMESPACE
    2147749904: _not_there,  # WBEM_E_INVALID_CLASS
    2150858752: _not_there,  # resource
    2150858811: _not_there,  # resource URI: the class or the namespace
    2147749911: _filter,  # WBEM_E_INVALID_QUERY
    2150858778: _filter,  # namespace, class or WQL
    2150858813: _selectors,  # not valid
    2150858843: _selectors,  # not expected
    2150858793: _timed_out,
    2150859174: _quota,  # operations of a user, WinRM 2
    2150859240: _quota,  # operations of a user, later
    2150859173: _shells,
    2150859175: _shells,  # of a user
    2150859176: _shells,  # of the system
    2150858815: _shells,  # any other
    2150858790: _envelope,
    2150858823: _envelope,
    2150858824: _envelope,
    2150858825: _envelope,
    2150858767: _timeout_refused,
    2150858881: _timeout_refused,
    2150858884: _context,  # it is not valid
    2150858758: _context,  # a Pull of it is in progress
    2150858759: _context,  # it is closed
}
"""By Windows' numbers: winerror.h, wsmerror.h, wbemcli.h."""
_WORDS: Mapping[str, _Meaning] = {
    "AccessDenied": _denied,
    "CannotProcessFilter": _filter,
    "EncodingLimit": _envelope,
    "InvalidEnumerationContext": _context,
    "QuotaLimit": _quota,
    "TimedOut": _timed_out,
    "DestinationUnreachable": _not_there,
}
