"""What a host's web server and its login refuse, as the core's errors, each with what to do about it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from collectors.hyperv.client.errors import Busy, Lost
from collectors.hyperv.client.received import Received, clock_offset
from collectors.hyperv.client.settings import Settings
from exporter.errors import AuthenticationFailed, CollectorError, Malformed, SdkMissing, TimedOut, Unreachable
from exporter.remote.doors import connection_error

_SHOWN = 200
_BUSY = {429, 502, 503, 504}
_QUESTION = "is it WinRM's port (5985 for http, 5986 for https)?"
_SCHEMES: Mapping[str, frozenset[str]] = {
    "ntlm": frozenset({"ntlm", "negotiate"}),
    "negotiate": frozenset({"ntlm", "negotiate", "kerberos"}),
    "kerberos": frozenset({"kerberos", "negotiate"}),
    "credssp": frozenset({"credssp"}),
    "basic": frozenset({"basic"}),
}
_LOGIN_MODULES = {"spnego", "gssapi", "krb5", "requests_credssp"}
_CARRIER_MODULES = {"winrm", "requests", "requests_ntlm", "pypsrp"}
_OFFER = re.compile(r"(?:^|,)\s*([A-Za-z][\w-]*)(?=\s|,|$)")
_SKEW_SECONDS = 300
"""How much Kerberos lets clocks differ by."""
_SKEWED = "the clocks of this machine and of the domain differ by too much: set the time (NTP)"
_LOCKED = "the account is locked, disabled or expired"
_REFUSALS: tuple[tuple[re.Pattern[str], type[CollectorError], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind, remedy)
    for pattern, kind, remedy in (
        ("skew", Unreachable, _SKEWED),
        (
            "no credentials|no username or password|client principal .* in cache|no kerberos credentials",
            Unreachable,
            "there is no ticket: name a password, have kinit make one, or name a key table (KRB5_CLIENT_KTNAME)",
        ),
        (
            "ticket.*expired|(context|referenced credential) has expired",
            Unreachable,
            "the ticket has run out: have kinit renew it, or name a password",
        ),
        ("password has expired|0xc0000071", AuthenticationFailed, "the password has run out: set a new one"),
        ("preauth|decrypt integrity", AuthenticationFailed, "the domain refuses the password"),
        ("revoked|locked|expired|0xc0000072|0xc0000234", AuthenticationFailed, _LOCKED),
        (
            "client.*not found|principal unknown",
            AuthenticationFailed,
            "the domain knows no such account: is it named as user@REALM?",
        ),
        ("server.*not found", Unreachable, "the domain knows no such host: use its full name as address"),
        ("unable to authenticate <", Unreachable, "the host does not prove who it is: somebody else may have answered"),
        ("kdc|realm", Unreachable, "no domain controller answers: is krb5.conf right, and does DNS answer?"),
        ("0x8009030c|0xc000006d", AuthenticationFailed, "a wrong password, or an account that is locked"),
    )
)
"""What Kerberos and CredSSP say, in English whatever the locale; the last resort of all is that the login fails."""
_LAYERS = (
    re.compile(r"^.*Minor \(\d+\): (?!Success)(.*?)(?:, Context.*)?$"),
    re.compile(r"^SpnegoError .*Context: (No username or password.*?), Context.*$"),
)
"""What libraries wrap around the one message that tells something."""


def login_refused(settings: Settings, headers: Mapping[str, str]) -> CollectorError:
    """What a 401 means. Windows answers the same whatever it has against an account."""
    where = settings.address
    if settings.transport == "certificate":
        return AuthenticationFailed(
            f"{where} refuses the client certificate (401): "
            "is it mapped to an account there, and are certificates allowed (winrm/config/service/auth)?"
        )
    offered = _OFFER.findall(headers.get("WWW-Authenticate") or "")
    wanted = _SCHEMES[settings.transport]
    if offered and not wanted & {each.casefold() for each in offered}:
        return AuthenticationFailed(
            f"{where} does not offer {settings.transport}, but {', '.join(offered)[:_SHOWN]}: "
            "choose one of these, or allow it under winrm/config/service/auth"
        )
    if settings.transport == "kerberos":
        return _ticket_refused(where, clock_offset(headers) or 0.0)
    skewed = ""
    if settings.transport == "negotiate" and abs(offset := clock_offset(headers) or 0.0) > _SKEW_SECONDS:
        skewed = f" (its clock is {offset:+.0f} s off, so that Kerberos cannot have been used)"
    return AuthenticationFailed(
        f"{where} refuses the account (401): a wrong password, an account that is locked, disabled or expired, "
        f"one that may not log on over the network, or {settings.transport} being forbidden there: these "
        f"all look the same from here, see event 4625 in its Security log{skewed}"
    )


def _ticket_refused(where: object, offset_seconds: float) -> CollectorError:
    """A 401 to a ticket: the password was right, or there was none, so that asking again locks nobody out."""
    if abs(offset_seconds) > _SKEW_SECONDS:
        return Unreachable(f"{where} refuses the ticket (401): {_SKEWED}; its clock is {offset_seconds:+.0f} s off")
    return AuthenticationFailed(
        f"{where} refuses the ticket (401): an account that may not log on over the network, Kerberos being forbidden "
        "there, or a name (SPN) that belongs to another machine: see event 4625 in its Security log, and setspn -Q"
    )


def library_error(error: Exception, settings: Settings) -> CollectorError:
    """What an exception of a socket or of a library means while a message was carried."""
    where = str(settings.address)
    if "did not response" in str(error) and "actual: '" in str(error):  # words of pypsrp and of requests-credssp
        offered = {"WWW-Authenticate": str(error).rpartition("actual: '")[2].removesuffix("'")}
        return login_refused(settings, offered)
    module = type(error).__module__.partition(".")[0]
    if module in _LOGIN_MODULES:
        return _login_failed(error, where)
    if isinstance(error, PermissionError) and not error.errno:
        return AuthenticationFailed(f"{where} does not take up NTLM: is it forbidden there? ({str(error)[:_SHOWN]})")
    if module in _CARRIER_MODULES and not isinstance(error, OSError | ValueError):
        if "not installed" in str(error):
            return SdkMissing(f"{error}: pip install 'hypervisor-exporter[{settings.transport}]'")
        return Malformed(f"{where}: {str(error)[:_SHOWN]}", "login")
    return _socket_error(error, where)


def not_installed(error: ImportError) -> CollectorError:
    """What pypsrp's libraries import only when a way to log in is taken: Kerberos."""
    return SdkMissing(
        f"{str(error)[:_SHOWN]}: pip install 'hypervisor-exporter[kerberos]', which compiles: "
        "Debian's libkrb5-dev, gcc and python3-dev first"
    )


def lost_at_login(error: Lost, settings: Settings) -> CollectorError:
    """A connection that ends before we were let in."""
    other = "https" if settings.address.scheme == "http" else "something else"
    return Unreachable(f"{error}: is WinRM starting, or does that port speak {other}?")


def _socket_error(error: Exception, where: str) -> CollectorError:
    meant = connection_error(error, where)
    if isinstance(error, ssl.SSLError) and "right port?" in str(meant):
        return Unreachable(str(meant).replace("the right port?", "the port of https (5986)?"))
    return meant


def run_out(error: Exception) -> bool:
    """Whether what was agreed on with Kerberos ends with its ticket: a new login makes it good."""
    return "context has expired" in str(error) and of_library(error)


def of_library(error: Exception) -> bool:
    """Whether an exception is one of the libraries that carry messages."""
    return type(error).__module__.partition(".")[0] in _LOGIN_MODULES | _CARRIER_MODULES


def _login_failed(error: Exception, where: str) -> CollectorError:
    said = " ".join(str(error).split())
    for layer in _LAYERS:
        said = layer.sub(r"\1", said)
    for pattern, kind, remedy in _REFUSALS:
        if pattern.search(said):
            return kind(f"{where}: {remedy} ({said[:_SHOWN]})")
    return AuthenticationFailed(f"{where}: the login fails ({said[:_SHOWN]})")


def not_sealed(settings: Settings) -> CollectorError:
    """A host that takes a message without wanting to know who sends it."""
    return Malformed(f"{settings.address} asks for no login, so that nothing can be sealed: {_QUESTION}", "login")


def not_entered(settings: Settings, status: int) -> CollectorError:
    """What a login is answered with that is neither yes nor no."""
    if status in {400, 413, 431}:
        return Unreachable(
            f"{settings.address} finds the login too long ({status}), as with an account of very many groups: "
            "raise MaxFieldLength and MaxRequestBytes of its HTTP.sys, or take the account out of some"
        )
    return status_error(settings, "the login", status, "")


def in_the_clear(settings: Settings, received: Received) -> Received:
    """An answer that should have come sealed: what a web server says of itself may pass, rows and faults may not."""
    if received.status == 200 or "soap" in (received.headers.get("Content-Type") or ""):
        sentence = f"{settings.address} answers in the clear what was asked sealed: somebody else may have answered"
        raise Malformed(sentence, "sealed answer")
    return received


@contextmanager
def unsealable(settings: Settings) -> Iterator[None]:
    """Open a sealed answer within the block."""
    try:
        yield
    except Exception as error:
        if run_out(error):
            raise
        # Cut short, changed on the way, or sealed with other keys: each shows as another exception of the libraries.
        sentence = f"{settings.address} sends a sealed answer that cannot be opened ({type(error).__name__})"
        raise Malformed(sentence, "sealed answer") from error


def status_error(settings: Settings, operation: str, status: int, location: str) -> CollectorError:
    """What an answer of HTTP means that is no message of WS-Management."""
    where = settings.address
    if status == 400:
        return Lost(f"{where} no longer understands what we have sealed (400)")
    if status in _BUSY:
        return Busy(f"{where} answers {status} to {operation}: is the service WinRM running there?")
    if status == 413:
        return Malformed(f"{where} finds {operation} too large (413): raise MaxEnvelopeSizekb under winrm/config")
    if status == 401:
        return AuthenticationFailed(f"{where} tells nothing without a login (401)")
    if location:
        return Malformed(f"{where} sends us on to {location[:_SHOWN]!r}: name the address of WinRM itself", operation)
    what = "something else" if status == 200 else str(status)
    return Malformed(f"{where} answers {operation} with {what}: {_QUESTION}", operation)


def timed_out(settings: Settings) -> TimedOut:
    """Nothing came before the deadline."""
    return TimedOut(f"{settings.address} did not answer before the deadline")
