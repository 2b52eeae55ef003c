"""libvirt's error codes as the core's errors, each with the sentence that the operator should read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from exporter.errors import AuthenticationFailed, CollectorError, Forbidden, TimedOut, Unreachable, Unsupported

# Numbers of virErrorNumber and virErrorDomain are part of libvirt's ABI; several names are younger than the oldest
# libvirt we run on, hence numbers.
NO_SUPPORT = 3
INVALID_ARGUMENT = 8
NO_DOMAIN = 42
NO_POOL = 49
OPERATION_INVALID = 55
OPERATION_TIMEOUT = 68
NO_VOLUME = 50
NO_SNAPSHOT = 72
NO_CHECKPOINT = 103
ARGUMENT_UNSUPPORTED = 74

_DENIED = {29, 88}
"""Operation denied (a read-write call), access denied (by the daemon's rules)."""
_AUTHENTICATION = {45, 79, 94}
_AGENT_SILENT = {86, 112}
"""Agent unresponsive; agent command timeout (libvirt 11.2)."""
_GONE = {NO_DOMAIN, NO_POOL, NO_VOLUME, NO_SNAPSHOT, NO_CHECKPOINT, OPERATION_INVALID}
"""Operation invalid: the guest or pool was switched off meanwhile."""
_NOT_OFFERED = {NO_SUPPORT, 67}
"""67: the configuration of this host cannot (no SMBIOS)."""
_CONNECTION_LOST = {4, 5, 6, 38, 39, 40, 85, 98}
"""Unknown host, no connection, system, RPC, TLS and SSH errors: where they concern the connection itself."""
_TRANSPORT_DOMAINS = {7, 13}
"""VIR_FROM_RPC, VIR_FROM_REMOTE."""

_CERTIFICATE_REFUSED = "Unable to read TLS confirmation"
"""What the daemon does not accept it hangs up on, after the handshake."""

_REMEDIES = (
    (_CERTIFICATE_REFUSED, "the daemon wants a client certificate of its authority: tls.cert_file, tls.key_file"),
    ("has expired", "renew it; it is read anew at each attempt"),
    ("got a known issuer", "tls.ca_file is not the authority of this certificate"),
    ("CA certificate", "TLS needs the authority's certificate there, or in the folder that ?pkipath= names"),
    ("No such file or directory", "is libvirtd or virtqemud running there, and is the socket's path right?"),
    ("Permission denied (", "does the account's SSH key open that host without a question?"),
    ("Host key verification failed", "add the host's key to known_hosts of the exporter's user"),
    ("Permission denied", "may the exporter's user open the socket (group libvirt)?"),
    ("Connection refused", "is libvirt listening there?"),
    ("Name or service not known", "is the host's name right?"),
    ("keepalive timeout", "the daemon did not answer for 20 s"),
)
_CREDENTIALS = re.compile(r"(//)[^/@\s]*:[^/@\s]*@")


class Gone(CollectorError):
    """The object was there when it was listed and is not any more; caught where the list is walked."""

    outcome = "malformed"


class Refused(CollectorError):
    """An argument or flag that this daemon does not know; caught where a plainer call can be made instead."""

    outcome = "malformed"


def opening_error(code: int, message: str, uri: str) -> CollectorError:
    """Why `uri` could not be opened."""
    text = hidden(message)
    if code in _AUTHENTICATION or any(words in message for words in ("Permission denied (", _CERTIFICATE_REFUSED)):
        return AuthenticationFailed(f"{hidden(uri)} refuses the exporter: {text}{_remedy(message)}")
    if code == OPERATION_TIMEOUT:
        return TimedOut(f"{hidden(uri)} took too long to open: {text}")
    return Unreachable(f"{hidden(uri)} cannot be opened: {text}{_remedy(message)}")


def call_error(code: int, domain: int, message: str, operation: str, *, alive: bool) -> CollectorError:
    """What a call that failed means; `alive` is whether the connection is still open."""
    text = f"{operation}: {hidden(message)}"
    if not alive or (code in _CONNECTION_LOST and domain in _TRANSPORT_DOMAINS):
        return Unreachable(f"the connection broke during {text}{_remedy(message)}")
    if code in _DENIED:
        return Forbidden(f"the account may not call {text}", right=operation)
    return _MEANING.get(code, Failed)(text)


class Failed(CollectorError):
    """A call about one object failed for a reason of that object; caught where the objects are walked."""

    outcome = "malformed"
    problem = "object_inaccessible"


class AgentSilent(Failed):
    """The guest agent is not there or does not answer."""

    problem = "agent_hung"


_MEANING: Mapping[int, type[CollectorError]] = {
    **dict.fromkeys(_AUTHENTICATION, AuthenticationFailed),
    **dict.fromkeys(_NOT_OFFERED, Unsupported),
    **dict.fromkeys(_GONE, Gone),
    **dict.fromkeys((INVALID_ARGUMENT, ARGUMENT_UNSUPPORTED), Refused),
    OPERATION_TIMEOUT: TimedOut,
    **dict.fromkeys(_AGENT_SILENT, AgentSilent),
}


def hidden(text: str) -> str:
    """The text without what stands between // and @ where that holds a password."""
    return _CREDENTIALS.sub(r"\1***@", text)


def _remedy(message: str) -> str:
    return next((f" ({remedy})" for words, remedy in _REMEDIES if words in message), "")
