"""Secrets: where they are (`SecretSource`), what they are (`Secret`), and a logging filter that keeps them out of logs.

A source is plain data that goes to worker processes; a secret is read by whoever logs in, and leaves it only through
`reveal()`.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import logging
import os
import stat
import time
import urllib.parse
import xml.sax.saxutils
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

from exporter.errors import SecretUnreadable

HIDDEN = "<secret>"

_LARGEST_BYTES = 64 * 1024
_SHORTEST_SCRUBBED = 4
_RACY_SECONDS = 2.0
_SALT = os.urandom(16)

# The one piece of state of a whole process: a secret read by any part of it may turn up in a log line of any other.
# Two values per source are kept: after a rotation an old connection may still complain about the old one.
_read_so_far: dict[SecretSource, tuple[str, ...]] = {}


class Secret:
    """A value that shows itself to nobody but the caller of `reveal()`: not printed, not formatted, not pickled."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value itself, for the call that logs in."""
        return self.__value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, _spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of a short value gives it away

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied; send its SecretSource")


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is found: a file's path, a variable of the environment, a systemd credential, or here."""

    kind: Literal["file", "env", "credential", "literal"]
    locator: str = field(repr=False)

    def __repr__(self) -> str:
        return f"SecretSource(kind={self.kind!r}, locator={HIDDEN if self.kind == 'literal' else self.locator!r})"

    def read(self) -> Secret:
        """The secret as it is now, less one line end; raises `SecretUnreadable`, whose sentence names the source."""
        value = self._content().removesuffix("\n").removesuffix("\r")
        if not value:
            raise SecretUnreadable(f"{self._description()} is empty")
        older = [known for known in _read_so_far.get(self, ()) if known != value]
        _read_so_far[self] = (*older[-1:], value)
        return Secret(value)

    def fingerprint(self) -> str:
        """Changes when the secret changes, is equal while it does not, and tells nothing about it.

        Comparable within one process only. A file is read again only if its inode, size or time of change differ.
        A secret that cannot be read has a fingerprint too: that it appears or disappears is a change.
        """
        try:
            if self.kind not in ("file", "credential"):
                return _digest(self._content())
            path = self._path()
            status = path.stat()
            signature = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if abs(time.time() - status.st_ctime) < _RACY_SECONDS:
                # Two changes within one tick of the file system's clock look like one: not yet to be remembered.
                return _digest(self._content())
            return _file_digest(self, signature)
        except (OSError, ValueError, SecretUnreadable):
            return "unreadable"

    def _content(self) -> str:
        if self.kind == "literal":
            return self.locator
        if self.kind == "env":
            return self._from_environment()
        return self._from_file(self._path())

    def _from_environment(self) -> str:
        value = os.environ.get(self.locator)
        if value is None:
            raise SecretUnreadable(f"{self._description()} is not set")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise SecretUnreadable(f"{self._description()} is not UTF-8") from None
        return value

    def _path(self) -> Path:
        if self.kind == "file":
            return Path(self.locator)
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise SecretUnreadable(
                f"{self._description()} cannot be read: CREDENTIALS_DIRECTORY is not set; "
                f"the systemd unit needs LoadCredential={self.locator}:PATH"
            )
        return Path(folder) / self.locator

    def _from_file(self, path: Path) -> str:
        try:
            # Non-blocking: opening a named pipe by mistake must not hang the collection for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise SecretUnreadable(f"{self._description()} is not a regular file")
                content = os.read(descriptor, _LARGEST_BYTES + 1)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SecretUnreadable(f"{self._description()} cannot be read: {error.strerror}") from None
        except ValueError:  # a path with a NUL
            raise SecretUnreadable(f"{self._description()} has an impossible path") from None
        if len(content) > _LARGEST_BYTES:
            raise SecretUnreadable(f"{self._description()} is larger than {_LARGEST_BYTES} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise SecretUnreadable(f"{self._description()} is not UTF-8") from None

    def _description(self) -> str:
        named = {"file": "the secret file", "env": "the environment variable", "credential": "the credential"}
        return f"{named[self.kind]} {self.locator}" if self.kind in named else "the password in the configuration"


class Scrubber(logging.Filter):
    """Replaces every secret that this process has read in the message, the arguments and the traceback of a record.

    Add it to handlers: filters of a logger do not see the records of its children. Values shorter than four
    characters stay, they would tear holes into every line.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass, cleaned in place."""
        forms = _forms_to_hide()
        if not forms:
            return True
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001  (wrong arguments are the handler's to report, but not with a secret in them)
            message = f"{record.msg} {record.args}"
        if (clean := _scrubbed(message, forms)) != message:
            record.msg, record.args = clean, ()
        if record.exc_info:
            text = record.exc_text or logging.Formatter().formatException(record.exc_info)
            if (clean := _scrubbed(text, forms)) != text:
                record.exc_text, record.exc_info = clean, None
        for name, value in vars(record).items():  # also stack_info and what came with `extra`
            if isinstance(value, str):
                setattr(record, name, _scrubbed(value, forms))
        return True


def scrubbed(text: str) -> str:
    """The text with every secret that this process has read replaced."""
    return _scrubbed(text, _forms_to_hide())


def _forms_to_hide() -> list[str]:
    values = {value for known in tuple(_read_so_far.values()) for value in known}
    forms = {form for value in values if len(value) >= _SHORTEST_SCRUBBED for form in _forms(value)}
    return sorted(forms, key=len, reverse=True)  # a secret may contain another one


@functools.lru_cache(maxsize=4096)
def _forms(value: str) -> frozenset[str]:
    """The value as it stands in text, in Python and JSON strings, in addresses and in SOAP messages."""
    escaped = xml.sax.saxutils.escape(value)
    return frozenset({
        value,
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
        escaped,
        xml.sax.saxutils.escape(value, {'"': "&quot;", "'": "&#39;"}),
    })  # fmt: skip


def _scrubbed(text: str, forms: list[str]) -> str:
    for form in forms:
        text = text.replace(form, HIDDEN)
    return text


def _digest(content: str) -> str:
    return hashlib.blake2b(content.encode(errors="surrogateescape"), key=_SALT, digest_size=16).hexdigest()


@functools.lru_cache(maxsize=4096)
def _file_digest(source: SecretSource, _signature: tuple[int, ...]) -> str:
    return _digest(source._content())  # noqa: SLF001  (half of `fingerprint`, out here for the cache)
