"""libvirt's error codes as the core's errors, each with the sentence that the operator should read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

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
_GONE = {NO_DOMAIN, NO_POOL, NO_VOLUME, NO_SNAPSHOT, NO_CHECKPOINT}
_NOT_OFFERED = {NO_SUPPORT, 67}
"""67: the configuration of this host cannot (no SMBIOS)."""
_CONNECTION_LOST = {4, 5, 6, 38, 39, 40, 85, 98}
"""Unknown host, no connection, system, RPC, TLS and SSH errors: where they concern the connection itself."""
_TRANSPORT_DOMAINS = {7, 13}
"""VIR_FROM_RPC, VIR_FROM_REMOTE."""

_CERTIFICATE_REFUSED = "Unable to read TLS confirmation"
"""What the daemon does not accept it hangs up on, after the handshake."""

_KEY_REFUSED = (
    "Permission denied (",
    "Too many authentication failures",
    "Username/PublicKey combination invalid",
)
"""What OpenSSH (twice) and libssh2 say where the host lets nobody in."""

_NOT_REFUSED = ("HOST KEY VERIFICATION FAILED", "TLS handshake failed")
"""Said with the code of refused credentials, before any were shown: trying again locks no account."""

_REMEDIES = (
    (_CERTIFICATE_REFUSED, "the daemon wants a client certificate of its authority: tls.cert_file, tls.key_file"),
    ("has expired", "renew it; it is read anew at each attempt"),
    ("got a known issuer", "tls.ca_file is not the authority of this certificate"),
    ("CA certificate", "TLS needs the authority's certificate there, or in the folder that ?pkipath= names"),
    ("TLS handshake failed", "is it the daemon's TLS port, 16514, and the certificate in order?"),
    ("No worthy mechs", "set auth; if it is set, install SASL's mechanisms here (Debian: libsasl2-modules)"),
    ("Failed to collect auth credentials", "auth needs a username and a password"),
    (
        "authentication failed: authentication failed",
        "are auth's username and password right? Without TLS the daemon must also offer a mechanism that encrypts",
    ),
    ("polkit", "a polkit rule must allow the exporter's user org.libvirt.unix.monitor"),
    ("bad permissions", "nobody but the exporter's user may read the key: chmod 600"),
    *dict.fromkeys(_KEY_REFUSED, "does the account's SSH key open that host without a question?").items(),
    *dict.fromkeys(
        ("requested strict checking", "HOST KEY VERIFICATION FAILED"),
        "this is not the key in known_hosts: if the host really has a new one, replace it there",
    ).items(),
    ("Host key verification failed", "add the host's key to known_hosts of the exporter's user"),
    ("session host key", "add the host's key to the file that ?known_hosts= names"),
    ("private key passphrase", "use a key without passphrase, or set auth to give it"),
    ("Cannot find 'ssh'", "install the OpenSSH client, or use the transport libssh2"),
    ("Remote command terminated", "is libvirtd running there, is the socket's path right, and netcat installed there?"),
    ("No such file or directory", "is libvirtd or virtqemud running there, and is the socket's path right?"),
    ("Permission denied", "may the exporter's user open the socket (group libvirt)?"),
    ("Connection refused", "is libvirt listening there?"),
    ("Name or service not known", "is the host's name right?"),
    (": not found", "the far end needs netcat (Debian: netcat-openbsd) or libvirt's virt-ssh-helper"),
    ("Temporary failure in name resolution", "does name resolution work here?"),
    ("keepalive timeout", "the daemon did not answer for 20 s"),
)
_HUNG_UP = {
    **dict.fromkeys(
        ("Cannot recv data: Connection reset", "reading data: Input/output error"),
        "the other side hung up: is it the port of this transport, 16509 for tcp, 16514 for tls?",
    ),
    "Broken pipe": "the other side, or ssh itself, ended at once: try the same login by hand as the exporter's user",
}
"""While a connection is being opened; later it means that the daemon has ended."""
_CREDENTIALS = re.compile(r"(//)[^/@\s]*:[^/@\s]*@")


class Gone(CollectorError):
    """The object was there when it was listed and is not any more; caught where the list is walked."""

    outcome = "malformed"


class WrongState(Gone):
    """libvirt says that the call does not fit the object's present state (operation invalid).

    Mostly a guest or pool that was switched off since it was listed, but drivers also say so of guests that run (LXC
    without the blkio cgroup, Cloud Hypervisor without threads of its CPUs): `groups.verified` tells the two apart.
    """


class Refused(CollectorError):
    """An argument or flag that this daemon does not know; caught where a plainer call can be made instead."""

    outcome = "malformed"


def opening_error(code: int, message: str, uri: str) -> CollectorError:
    """Why `uri` could not be opened."""
    text = hidden(_end(message))
    refused = code in _AUTHENTICATION and not any(words in message for words in _NOT_REFUSED)
    if refused or any(words in message for words in (_CERTIFICATE_REFUSED, *_KEY_REFUSED)):
        return AuthenticationFailed(f"{hidden(uri)} refuses the exporter: {text}{_remedy(message)}")
    if code == OPERATION_TIMEOUT:
        return TimedOut(f"{hidden(uri)} took too long to open: {text}")
    return Unreachable(f"{hidden(uri)} cannot be opened: {text}{_remedy(message, (*_REMEDIES, *_HUNG_UP.items()))}")


def _end(message: str) -> str:
    """The last two lines: what ssh prints before them are banners, a host's or its own."""
    return " ".join([line for each in message.splitlines() if (line := each.strip())][-2:])


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
    OPERATION_INVALID: WrongState,
    **dict.fromkeys((INVALID_ARGUMENT, ARGUMENT_UNSUPPORTED), Refused),
    OPERATION_TIMEOUT: TimedOut,
    **dict.fromkeys(_AGENT_SILENT, AgentSilent),
}


def hidden(text: str) -> str:
    """The text without what stands between // and @ where that holds a password."""
    return _CREDENTIALS.sub(r"\1***@", text)


def _remedy(message: str, remedies: Iterable[tuple[str, str]] = _REMEDIES) -> str:
    return next((f" ({remedy})" for words, remedy in remedies if words in message), "")
