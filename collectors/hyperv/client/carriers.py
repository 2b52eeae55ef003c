"""Who carries a message through the door: pywinrm's transport, and pypsrp's for Kerberos, which pywinrm's library does
with the whole process standing still while a domain controller is asked. Theirs is the cryptography; what to make of an
answer is ours. Imported when a host is first asked, as the libraries are.
"""

from __future__ import annotations

import importlib
import logging
import re
from typing import Any, Protocol, cast

import requests
from winrm.transport import Transport

from collectors.hyperv.client.account import Credentials
from collectors.hyperv.client.door import Door
from collectors.hyperv.client.received import Received
from collectors.hyperv.client.refusals import in_the_clear, login_refused, not_entered, not_sealed, unsealable
from collectors.hyperv.client.settings import Settings
from collectors.hyperv.client.tickets import login
from exporter.errors import SdkMissing

_AGENT = "hypervisor-exporter"
_TYPE = "application/soap+xml;charset=UTF-8"
_BOUNDARY = re.compile(r'boundary="?([^";]+)')

for _library in ("pypsrp", "requests_credssp", "spnego"):
    logging.getLogger(_library).setLevel(logging.INFO)  # at debug they show what is said in a login: hashes, tickets


class Carrier(Protocol):
    """Sends an envelope and returns the answer, opened if it came sealed."""

    def send(self, envelope: bytes) -> Received:
        """Log in if that was not done, and send. Raises the core's errors, and what sockets and libraries raise."""
        ...


def carrier(settings: Settings, credentials: Credentials, door: Door) -> Carrier:
    """The carrier for a way to log in. Raises `SdkMissing`."""
    if settings.transport in {"negotiate", "kerberos"}:
        return _Pypsrp(settings, credentials, door)
    return _Pywinrm(settings, credentials, door)


class _Pywinrm(Transport):
    def __init__(self, settings: Settings, credentials: Credentials, door: Door) -> None:
        cert, key = settings.tls.cert_file, settings.tls.key_file or settings.tls.cert_file
        super().__init__(
            str(settings.address),
            credentials.user,
            credentials.password.reveal() if credentials.password is not None else None,
            cert_pem=cert,
            cert_key_pem=key,
            auth_method=cast("Any", settings.transport),  # all but negotiate and kerberos
            ca_trust_path=cast("Any", None),  # the door verifies, whatever the environment names
            proxy=None,
        )
        self.default_headers = {"Content-Type": _TYPE, "User-Agent": _AGENT, "Accept-Encoding": "identity"}
        self._door = door
        self._where = settings

    def send(self, envelope: bytes) -> Received:
        session = self.build_session()
        if self.encryption is None:
            plain = session.prepare_request(requests.Request("POST", self.endpoint, data=envelope))
            return _received(self._send_message_request(session, plain))
        sealed = self.encryption.prepare_encrypted_request(session, self.endpoint, envelope)
        response = self._send_message_request(session, sealed)
        if not _is_sealed(response):
            return in_the_clear(self._where, _received(response))
        with unsealable(self._where):
            return _received(response, self.encryption.parse_encrypted_response(response))

    def build_session(self) -> requests.Session:
        session = super().build_session()
        _prepare(session, self._door)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        _prepare(session, self._door)
        super().setup_encryption(session)
        if getattr(session.auth, "session_security", self) is None or getattr(session.auth, "contexts", self) == {}:
            raise not_sealed(self._where)

    def _send_message_request(
        self, session: requests.Session, prepared_request: requests.PreparedRequest
    ) -> requests.Response:
        response = session.send(prepared_request, allow_redirects=False)
        if response.status_code == requests.codes.unauthorized:
            raise login_refused(self._where, response.headers)
        if not prepared_request.body and response.status_code != requests.codes.ok:
            raise not_entered(self._where, response.status_code)
        return response


class _Pypsrp:
    def __init__(self, settings: Settings, credentials: Credentials, door: Door) -> None:
        self._library = _pypsrp("encryption")
        self._where = settings
        self._sealing = settings.address.scheme == "http"
        self._endpoint = str(settings.address)
        self._auth = _auth(settings, credentials)
        self._encryption: Any = None
        self._session = requests.Session()
        self._session.auth = self._auth
        self._session.headers.update({"Content-Type": _TYPE, "User-Agent": _AGENT, "Accept-Encoding": "identity"})
        _prepare(self._session, door)

    def send(self, envelope: bytes) -> Received:
        if not self._sealing:
            return _received(self._post(envelope, {}))
        if self._encryption is None:
            self._encryption = self._entered()
        kind, sealed = self._encryption.wrap_message(envelope)
        response = self._post(
            sealed, {"Content-Type": f'{kind};protocol="{self._encryption.protocol}";boundary="Encrypted Boundary"'}
        )
        if not _is_sealed(response):
            return in_the_clear(self._where, _received(response))
        with unsealable(self._where):
            boundary = _BOUNDARY.search(response.headers["Content-Type"])
            assert boundary is not None  # noqa: S101  told as an answer that cannot be opened
            return _received(response, self._encryption.unwrap_message(response.content, boundary[1]))

    def _entered(self) -> Any:
        self._post(b"", {})
        context = next(iter(self._auth.contexts.values()), None)
        if context is None:
            raise not_sealed(self._where)
        kind = self._library.WinRMEncryption
        return kind(context, kind.KERBEROS if context.response_auth_header == "kerberos" else kind.SPNEGO)

    def _post(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        prepared = self._session.prepare_request(requests.Request("POST", self._endpoint, data=body, headers=headers))
        response = self._session.send(prepared, allow_redirects=False)
        if response.status_code == requests.codes.unauthorized:
            raise login_refused(self._where, response.headers)
        if not body and response.status_code != requests.codes.ok:
            raise not_entered(self._where, response.status_code)
        return response


def _auth(settings: Settings, credentials: Credentials) -> Any:
    kind = _pypsrp("negotiate").HTTPNegotiateAuth
    password = credentials.password.reveal() if credentials.password is not None else None
    made = kind(
        credentials.user,
        None,  # a ticket that is there, or is made by a key table
        auth_provider=settings.transport,
        wrap_required=settings.address.scheme == "http",
    )
    if password is None:
        return made
    enter = made.handle_401  # all steps of a login

    def with_password(response: requests.Response, **more: Any) -> requests.Response:
        with login(credentials.user or "", password, alone=settings.transport == "kerberos") as made.username:
            return cast("requests.Response", enter(response, **more))

    made.handle_401 = with_password
    return made


def _pypsrp(part: str) -> Any:
    try:
        return importlib.import_module(f"pypsrp.{part}")
    except ImportError as error:
        raise SdkMissing(f"pypsrp is not installed ({error}): pip install 'hypervisor-exporter[negotiate]'") from error


def _prepare(session: requests.Session, door: Door) -> None:
    """Let a session speak through our door alone: no proxy, no netrc, no authorities from the environment."""
    session.trust_env = False
    session.proxies = {}
    for scheme in ("http://", "https://"):
        session.mount(scheme, door)


def _is_sealed(response: requests.Response) -> bool:
    return response.headers.get("Content-Type", "").startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def _received(response: requests.Response, body: bytes | None = None) -> Received:
    return Received(response.status_code, response.headers, response.content if body is None else body)
