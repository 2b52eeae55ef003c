"""Who the exporter is to a daemon: SASL's name and password, certificates of its own. Read anew at each connection."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from collectors.libvirt.address import parameters
from exporter.config.model import Auth, Tls
from exporter.errors import SecretUnreadable, Unreachable

_READ_ONLY = 1
_NAMES, _PASSWORDS = {1, 2, 6}, {5, 7}
"""VIR_CRED_USERNAME, AUTHNAME, ECHOPROMPT; PASSPHRASE, NOECHOPROMPT. Others (a realm, a nonce) are left as they are."""
_DEFAULT_AUTHORITY = "/etc/pki/CA/cacert.pem"
_ANSWER = 4
_PREFIX = "hypervisor-exporter-pki-"
_WITH_KEYS = ("+ssh", "+libssh2")
_WITH_COMMANDS = ("+ssh", "+ext")


@dataclass(frozen=True, slots=True)
class Access:
    """The account and the certificates of a target; nothing of it is kept in memory."""

    auth: Auth | None = None
    tls: Tls = Tls()  # noqa: RUF009  it is frozen

    def operation(self, *, writing: bool) -> str:
        """The C function that opens, under which it is counted."""
        if self._asks:
            return "virConnectOpenAuth"
        return "virConnectOpen" if writing else "virConnectOpenReadOnly"

    def open(self, libvirt: ModuleType, uri: str, *, writing: bool) -> Any:
        """A virConnect. Raises libvirt's errors, and `SecretUnreadable` for a password or file that is not there."""
        look_for_files(uri)
        with certified(uri, self.tls) as address:
            if not self._asks:
                return libvirt.open(address) if writing else libvirt.openReadOnly(address)
            return libvirt.openAuth(
                address, [sorted(_NAMES | _PASSWORDS), self.answerer(), None], 0 if writing else _READ_ONLY
            )

    @property
    def _asks(self) -> bool:
        return self.auth is not None and self.auth.password is not None

    def answerer(self) -> Callable[[list[list[Any]], object], int]:
        """What libvirt calls for credentials: entries of type, prompt, challenge, default, answer."""
        auth = self.auth
        password = auth.password.read() if auth is not None and auth.password is not None else None
        username = auth.username if auth is not None else None

        def answer(asked: list[list[Any]], _opaque: object) -> int:
            for entry in asked:
                if entry[0] in _NAMES:
                    entry[_ANSWER] = username
                elif entry[0] in _PASSWORDS and password is not None:
                    entry[_ANSWER] = password.reveal()
                if entry[_ANSWER] is None:
                    return -1
            return 0

        return answer


def look_for_files(uri: str) -> None:
    """Raises for an SSH key that is not there (`SecretUnreadable`) and an ssh of one's own that is not (`Unreachable`).

    OpenSSH would try other keys and in the end say only that they were refused; of a command that cannot be started
    libvirt often tells no more than a broken pipe.
    """
    parts = urlsplit(uri)
    given = parameters(parts.query)
    if parts.scheme.endswith(_WITH_KEYS) and (keyfile := given.get("keyfile")):
        try:
            with Path(keyfile).open("rb"):
                pass
        except OSError as error:
            hint = "is the path after keyfile= right, and may the exporter's user read it?"
            raise SecretUnreadable(f"the SSH key {keyfile} cannot be read: {error.strerror} ({hint})") from error
    if parts.scheme.endswith(_WITH_COMMANDS) and (command := given.get("command")) and not os.access(command, os.X_OK):
        hint = "is the path after command= right, and may the exporter's user execute it?"
        raise Unreachable(f"the command {command} cannot be started ({hint})")


def named(message: str, tls: Tls) -> str:
    """The message with the operator's files instead of those under libvirt's fixed names."""
    for name, file in _files(tls).items():
        message = re.sub(rf"\S*/{_PREFIX}\w+/{re.escape(name)}", (file or name).replace("\\", r"\\"), message)
    return message


@contextmanager
def certified(uri: str, tls: Tls) -> Iterator[str]:
    """The URI with the target's certificates: libvirt wants them under fixed names in one folder (`pkipath`).

    The folder lives while the connection is being opened; libvirt reads it then only. A `pkipath` or `no_verify` in the
    URI itself is left alone.
    """
    parts = urlsplit(uri)
    if not parts.scheme.endswith("+tls") or tls == Tls():
        yield uri
        return
    if tls.pin_sha256 or tls.server_name:
        raise Unreachable(
            "libvirt verifies the host name of the URI by an authority and cannot do otherwise: "
            "leave out tls.server_name and tls.pin_sha256"
        )
    given = parameters(parts.query)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        extra = ["no_verify=1"] if tls.insecure_skip_verify and "no_verify" not in given else []
        if "pkipath" not in given and (tls.ca_file or tls.cert_file or tls.key_file):
            _link(Path(folder), tls)
            extra.append(f"pkipath={folder}")
        yield parts._replace(query="&".join(filter(None, (parts.query, *extra)))).geturl()


def _files(tls: Tls) -> dict[str, str | None]:
    return {
        "cacert.pem": tls.ca_file or _DEFAULT_AUTHORITY,
        "clientcert.pem": tls.cert_file,
        "clientkey.pem": tls.key_file,
    }


def _link(folder: Path, tls: Tls) -> None:
    for name, file in _files(tls).items():
        if file is None:
            continue
        try:
            with Path(file).open("rb"):
                (folder / name).symlink_to(Path(file).resolve())
        except OSError as error:
            raise SecretUnreadable(f"{file} cannot be read: {error.strerror}") from error
