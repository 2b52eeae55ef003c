"""How a connection proves who it is: NTLM, Kerberos, Negotiate and CredSSP by pyspnego's acceptors, Basic, client
certificates."""

import base64
import os
import ssl
import struct
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import spnego
import spnego.channel_bindings
from cryptography import x509
from spnego.exceptions import SpnegoError

CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
BY_TOKEN = {"Negotiate", "Kerberos", "CredSSP"}
_KERBEROS_TOKEN = bytes.fromhex("06092a864886f712010202")  # the mechanism's name, at the head of its tokens
_ENVIRONMENT = threading.Lock()  # pyspnego's acceptor finds its accounts by the environment alone
os.environ.setdefault("NTLM_USER_FILE", "")
"""Empty is as good as absent, and never removed: another thread may be copying the environment."""


class RefusedError(Exception):
    """The connection is not let in; `challenge` is the token for the next step, if there is one."""

    def __init__(self, challenge: bytes | None = None) -> None:
        super().__init__("refused")
        self.challenge = challenge


class Accounts:
    """Users and passwords of one server, in a file as pyspnego wants it."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self._password = user, password
        self._directory = tempfile.TemporaryDirectory(prefix="winrm-accounts-")
        self.path = Path(self._directory.name) / "users"
        self._write()

    @property
    def password(self) -> str:
        return self._password

    @password.setter
    def password(self, new: str) -> None:
        self._password = new
        self._write()

    def _write(self) -> None:
        domain, _, user = self.user.rpartition("\\")
        self.path.write_text(f"{domain}:{user}:{self._password}\n", encoding="utf-8")

    def close(self) -> None:
        self._directory.cleanup()


class Door:
    """The state of one connection's login."""

    def __init__(
        self, transports: Sequence[str], accounts: Accounts, tls: ssl.SSLSocket | None, bindings: bytes | None
    ) -> None:
        self.transports, self.accounts, self.tls = frozenset(transports), accounts, tls
        self.open = False
        self.context: spnego.ContextProxy | None = None
        self.scheme = "Negotiate"  # by which the connection logs in: tokens and sealed bodies are named after it
        self._bindings = (
            spnego.channel_bindings.GssChannelBindings(application_data=b"tls-server-end-point:" + bindings)
            if bindings
            else None
        )

    def offers(self) -> list[str]:
        """What a 401 offers."""
        negotiate = ["Negotiate", "Kerberos"] if self.transports & {"ntlm", "negotiate", "kerberos"} else []
        others = {"credssp": "CredSSP", "basic": 'Basic realm="WSMAN"'}
        return [*negotiate, *(offer for transport, offer in others.items() if transport in self.transports)]

    def knock(self, authorization: str | None, *, refusing: bool = False) -> bytes | None:
        """Go one step; returns the last token for the answer, raises RefusedError where the step does not let in.

        `refusing`: whoever proves who they are is refused nonetheless.
        """
        token = self._knock(authorization)
        if refusing and authorization:
            self.open, self.context = False, None
            raise RefusedError
        return token

    def _knock(self, authorization: str | None) -> bytes | None:
        if authorization is None:
            if self.open and self.context is not None:  # Negotiate alone belongs to the connection
                return None
            self.open = False
            raise RefusedError
        scheme, _, given = authorization.partition(" ")
        if authorization == CERTIFICATE and "certificate" in self.transports:
            return self._certificate()
        if scheme == "Basic" and "basic" in self.transports:
            return self._basic(given)
        if scheme in BY_TOKEN:
            self.scheme = scheme
            return self._negotiate(_decoded(given))
        raise RefusedError

    def _certificate(self) -> None:
        if not (self.tls.getpeercert() if self.tls else None):
            raise RefusedError
        self.open = True

    def _basic(self, given: str) -> None:
        expected = f"{self.accounts.user}:{self.accounts.password}".encode()
        self.open = _decoded(given) == expected
        if not self.open:
            raise RefusedError

    def _negotiate(self, token: bytes) -> bytes | None:
        with _ENVIRONMENT:
            os.environ["NTLM_USER_FILE"] = str(self.accounts.path)
            try:
                return self._step(token)
            finally:
                os.environ["NTLM_USER_FILE"] = ""

    def _step(self, token: bytes) -> bytes | None:
        if self.context is None or self.context.complete or token.startswith(b"NTLMSSP\x00\x01"):
            self.open = False
            try:
                self.context = self._acceptor(token)
            except SpnegoError as error:  # no key table
                raise RefusedError from error
        try:
            answer = self.context.step(token)
        except (SpnegoError, ValueError, struct.error) as error:
            self.context = None
            raise RefusedError from error
        if not self.context.complete:
            raise RefusedError(answer)
        self.open = True
        return answer

    def _acceptor(self, token: bytes) -> spnego.ContextProxy:
        """What may take up this first token; the service's keys are those of KRB5_KTNAME."""
        protocol, options = "negotiate", spnego.NegotiateOptions.use_negotiate
        wanted = {"ntlm", "negotiate"}
        if self.scheme == "CredSSP":
            inner = spnego.server(protocol=protocol, options=options)
            wanted, protocol = {"credssp"}, "credssp"
        elif token.startswith(b"NTLMSSP\x00"):
            protocol, options = "ntlm", spnego.NegotiateOptions.use_ntlm
        elif _KERBEROS_TOKEN in token[:16]:
            protocol, options = "kerberos", spnego.NegotiateOptions.use_gssapi
            wanted = {"kerberos", "negotiate"}
        if not wanted & self.transports:
            raise RefusedError
        if protocol == "credssp":
            return spnego.server(protocol=protocol, credssp_negotiate_context=inner)
        return spnego.server(protocol=protocol, options=options, channel_bindings=self._bindings)


def _decoded(given: str) -> bytes:
    try:
        return base64.b64decode(given, validate=True)
    except ValueError as error:
        raise RefusedError from error


def end_point_hash(certificate_pem: bytes) -> bytes:
    """What `tls-server-end-point` means for a certificate: its hash by the signature's own algorithm."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    algorithm = certificate.signature_hash_algorithm
    assert algorithm is not None
    return certificate.fingerprint(algorithm)
