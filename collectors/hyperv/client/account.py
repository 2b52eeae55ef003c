"""Whom a target's connections log in as, and what is remembered of a refusal, so that no account is ever locked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from collectors.hyperv.client.settings import Settings
from exporter.config.model import Auth
from exporter.errors import AuthenticationFailed, TimedOut
from exporter.secrets import Secret

_REFUSED_SECONDS = 60.0
"""How long a refused password is not tried again: lanes and nodes ask at once, and the core hears of it later."""
_PROOF = 2
"""Hosts that have to refuse an account that none has accepted, before no other host of the target is asked."""
_WITHOUT_PASSWORD = {"kerberos", "negotiate"}


class Credentials(NamedTuple):
    """An account as it is now; a client certificate needs neither, a ticket of Kerberos no password."""

    user: str | None
    password: Secret | None


class _Refusal(NamedTuple):
    credentials: Credentials
    at: float
    sentence: str


class Account:
    """The account of a target, shared by all its connections: of both lanes, and of all nodes of a cluster."""

    def __init__(self, auth: Auth | None) -> None:
        self._auth = auth
        self._turn = threading.Lock()
        """Held by the one connection that logs in, until some host has accepted the account."""
        self._guard = threading.Lock()
        self._accepted: Credentials | None = None
        self._refused: dict[str, _Refusal] = {}

    def credentials(self, settings: Settings) -> Credentials:
        """The account; the password is read now. Raises `SecretUnreadable`, and `AuthenticationFailed` without one."""
        auth = self._auth
        user = auth.username if auth else None
        password = auth.password.read() if auth and auth.password else None
        if settings.transport == "certificate":
            return Credentials(None, None)
        if user is None or (password is None and settings.transport not in _WITHOUT_PASSWORD):
            raise AuthenticationFailed(
                f"{settings.address} wants an account: name one under auths: and refer to it with auth:"
            )
        return Credentials(user, password)

    @contextmanager
    def entering(self, host: str, credentials: Credentials, until: float) -> Iterator[None]:
        """Log in within the block. Raises `AuthenticationFailed` at once where the account was refused just now."""
        if self._accepted == credentials:
            with self._noted(host, credentials):
                yield
            return
        if not self._turn.acquire(timeout=max(0.0, until - time.monotonic())):
            raise TimedOut(f"another login with the account of {host} did not end before the deadline")
        try:
            with self._noted(host, credentials):
                yield
        finally:
            self._turn.release()

    @contextmanager
    def _noted(self, host: str, credentials: Credentials) -> Iterator[None]:
        self._refuse_again(host, credentials)
        try:
            yield
        except AuthenticationFailed as error:
            with self._guard:
                self._refused[host] = _Refusal(credentials, time.monotonic(), str(error))
            raise
        with self._guard:
            self._accepted = credentials
            self._refused.pop(host, None)

    def _refuse_again(self, host: str, credentials: Credentials) -> None:
        now = time.monotonic()
        with self._guard:
            self._refused = {
                name: refusal
                for name, refusal in self._refused.items()
                if now - refusal.at < _REFUSED_SECONDS and refusal.credentials == credentials
            }
            known = self._refused.get(host)
            if known is None and len(self._refused) >= _PROOF and self._accepted != credentials:
                known = next(iter(self._refused.values()))
        if known is not None:
            raise AuthenticationFailed(known.sentence)
