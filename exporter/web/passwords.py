"""Basic authentication against bcrypt hashes: verdicts, and a bounded memory of them.

A hash takes a tenth of a second on purpose, so `check` is called in a helper thread and `remembered` in the loop.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import bcrypt

MOST_REMEMBERED = 256
_LONGEST = 72
"""Bytes of a password that bcrypt uses; htpasswd and Go cut there too."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client says it is; never shown."""

    user: bytes = field(repr=False)
    password: bytes = field(repr=False)


def credentials(header: str | None) -> Credentials | None:
    """User and password of an Authorization header; None if it is no basic authentication."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return Credentials(user, password) if colon else None


class _Verdicts:
    """The newest verdicts. Right and wrong ones apart: guessing must not push out what is known to be right."""

    def __init__(self) -> None:
        self._kept: dict[bool, OrderedDict[bytes, None]] = {True: OrderedDict(), False: OrderedDict()}
        self._lock = threading.Lock()

    def get(self, key: bytes) -> bool | None:
        with self._lock:
            for verdict, kept in self._kept.items():
                if key in kept:
                    kept.move_to_end(key)
                    return verdict
        return None

    def put(self, key: bytes, verdict: bool) -> None:
        with self._lock:
            kept = self._kept[verdict]
            kept[key] = None
            while len(kept) > MOST_REMEMBERED:
                kept.popitem(last=False)


class Passwords:
    """Who may come in. Safe to use from several threads."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._hashes = {name.encode(): value.encode() for name, value in users.items()}
        self._decoys = tuple(self._hashes.values())
        self._salt = os.urandom(16)
        self._verdicts = _Verdicts()

    @property
    def needed(self) -> bool:
        """Whether anybody has to say who they are."""
        return bool(self._hashes)

    def remembered(self, given: Credentials) -> bool | None:
        """The verdict on these credentials if it is known; at once."""
        return self._verdicts.get(self._key(given))

    def check(self, given: Credentials) -> bool:
        """Whether the password is this user's. For an unknown user the same work is done, so it takes as long."""
        key = self._key(given)
        verdict = self._verdicts.get(key)
        if verdict is None:
            matches = bcrypt.checkpw(given.password[:_LONGEST], self._hash_for(given.user))
            verdict = matches and given.user in self._hashes
            self._verdicts.put(key, verdict)
        return verdict

    def _hash_for(self, user: bytes) -> bytes:
        """The user's hash, or for an unknown one always the same of the others': costs may differ between them."""
        if user in self._hashes:
            return self._hashes[user]
        return self._decoys[self._digest(user)[0] % len(self._decoys)]

    def _key(self, given: Credentials) -> bytes:
        # A user's name holds no colon: `credentials` cuts at the first one.
        return self._digest(b"%b:%b" % (given.user, given.password))

    def _digest(self, content: bytes) -> bytes:
        return hashlib.blake2b(content, key=self._salt, digest_size=16).digest()
