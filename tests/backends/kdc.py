"""A realm of its own: MIT's KDC on a loopback port, its database, configuration and key tables in a scratch directory.

    with Realm() as realm, monkeypatch.context() as m:
        for name, value in realm.environment.items():
            m.setenv(name, value)                       # libkrb5 reads these, in this process and in children
        realm.user                                      # monitor@LAB.EXAMPLE, realm.password
        realm.serve("HTTP/localhost")                   # a service, with keys for an acceptor
        realm.ticket(lifetime="5m")                     # what kinit leaves in a file

Nothing of the system is read or written, and no right of root is needed.
"""

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.backends.processes import BackendError, Scratch, find_binary, free_port, until

BINARIES = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
NAME = "LAB.EXAMPLE"

CLIENT = """
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    {more}
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
"""
SERVER = """
[kdcdefaults]
    kdc_listen = ""
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {path}/principal
        key_stash_file = {path}/stash
        acl_file = {path}/acl
        max_life = 1h
        master_key_type = aes128-cts-hmac-sha1-96
        supported_enctypes = aes256-cts-hmac-sha1-96:normal
    }}
[logging]
    kdc = STDERR
    default = STDERR
"""


class Realm:
    """A KDC with one user, whose password is needed before it says anything (as in a domain of Windows)."""

    def __init__(self, *, user: str = "monitor", password: str = "Not-a-secret-1") -> None:
        self.name, self.password = NAME, password
        self.user = f"{user}@{self.name}"
        self.port = free_port()
        self._scratch = Scratch("kdc", unprivileged=True)
        self.path = self._scratch.path
        self._services: set[str] = set()
        self._files = 0

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client, and an acceptor, of this realm have in their environment."""
        return {
            "KRB5_CONFIG": str(self.path / "krb5.conf"),
            "KRB5CCNAME": f"FILE:{self.path}/none",
            "KRB5_CLIENT_KTNAME": f"FILE:{self.path}/none",
            "KRB5_KTNAME": f"FILE:{self.path}/services.keytab",
            "KRB5RCACHENAME": "none:",
        }

    def start(self) -> Self:
        self.configure()
        self._scratch.file("kdc.conf", SERVER.format(realm=self.name, path=self.path, port=self.port))
        self._run("kdb5_util", "create", "-s", "-r", self.name, "-P", "not-a-secret")
        self.admin(f"addprinc -pw {self.password} +requires_preauth {self.user}")
        self._listen()
        return self

    def configure(self, *, port: int | None = None, more: str = "") -> None:
        """Write krb5.conf anew: another port is a KDC that nobody finds; `more` are lines of its [libdefaults]."""
        text = CLIENT.format(realm=self.name, port=port or self.port, more=more)
        self._scratch.file("krb5.conf", text).chmod(0o644)
        self.path.chmod(0o755)

    def _listen(self) -> None:
        command = [_binary("krb5kdc"), "-n", "-r", self.name]
        self._child = self._scratch.start("krb5kdc", *command, env={**os.environ, **self._own})
        until(self._answers, 10, "a KDC that listens", self._child)

    def stop(self) -> None:
        """No KDC any more; `again` starts it."""
        self._child.stop()

    def again(self) -> None:
        self._listen()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def _own(self) -> dict[str, str]:
        return {**self.environment, "KRB5_KDC_PROFILE": str(self.path / "kdc.conf")}

    def admin(self, *commands: str) -> None:
        """What kadmin.local does, as who owns the database."""
        for command in commands:
            self._run("kadmin.local", "-r", self.name, "-q", command)

    def serve(self, *services: str) -> None:
        """Let services such as HTTP/localhost be asked for; their keys come into the table of KRB5_KTNAME."""
        for service in services:
            if service not in self._services:
                self.admin(f"addprinc -randkey {service}", f"ktadd -k {self.path}/services.keytab {service}")
                self._services.add(service)

    def key_table(self) -> Path:
        """A key table of the user, as a service has it instead of a password."""
        path = self.path / "user.keytab"
        if not path.exists():
            self.admin(f"ktadd -norandkey -k {path} {self.user}")
        return path

    def ticket(self, *, lifetime: str = "1h") -> str:
        """A new cache with the user's ticket, for KRB5CCNAME."""
        self._files += 1
        cache = f"FILE:{self.path}/cache-{self._files}"
        self._run("kinit", "-c", cache, "-l", lifetime, self.user, given=f"{self.password}\n")
        return cache

    def log(self) -> str:
        return self._child.log.read_text(errors="replace")

    def _run(self, name: str, *arguments: str, given: str | None = None) -> None:
        owner = self._scratch.owner
        ran = subprocess.run(
            [_binary(name), *arguments],
            env={**os.environ, **self._own},
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
            text=True,
            timeout=30,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
        if ran.returncode or "while " in ran.stderr.lower():  # kadmin.local ends well whatever went wrong
            raise BackendError(f"{name} {' '.join(arguments)}: {ran.stderr.strip()}")

    def close(self) -> None:
        self._scratch.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.close()


def _binary(name: str) -> str:
    found = find_binary(name)
    assert found, f"not installed: {name}"
    return found
