"""A private libvirtd that listens with TLS on loopback, with certificates made for it."""

import datetime as dt
from pathlib import Path

import trustme

from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import find_binary, free_port, until

SETTINGS = """
listen_tls = 1
listen_tcp = 0
listen_addr = "127.0.0.1"
tls_port = "{port}"
key_file = "{pki}/server-key.pem"
cert_file = "{pki}/server-cert.pem"
ca_file = "{pki}/ca.pem"
tls_no_sanity_certificate = 1
"""


class TlsLab(LibvirtLab):
    """`lab.address` is its URI; `lab.client()` makes a certificate that it trusts, or trusted once."""

    def start_daemon(self) -> None:
        self.port = free_port()
        self.authority = trustme.CA()
        self.authority.cert_pem.write_to_path(self.pki("ca.pem"))
        server = self.authority.issue_cert("127.0.0.1", "localhost")
        server.private_key_pem.write_to_path(self.pki("server-key.pem"))
        server.cert_chain_pems[0].write_to_path(self.pki("server-cert.pem"))
        self.scratch.own(*self.scratch.directory("pki").iterdir())
        settings = SETTINGS.format(port=self.port, pki=self.scratch.directory("pki"))
        self.scratch.file("config/libvirt/libvirtd.conf", f'auth_unix_rw = "none"\n{settings}')
        self.daemon = self.scratch.start(
            "libvirtd", find_binary("libvirtd") or "libvirtd", "--timeout", "0", "--listen", env=self.env
        )
        until(self._answers, 30, "answering libvirtd", self.daemon)

    @property
    def address(self) -> str:
        return f"qemu+tls://localhost:{self.port}/session"

    def pki(self, name: str) -> Path:
        return self.scratch.directory("pki") / name

    def client(self, authority: trustme.CA | None = None, days: int = 30) -> tuple[str, str]:
        """Files of a client's certificate and key; days below 0: it has expired."""
        until_ = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
        issued = (authority or self.authority).issue_cert("monitor", not_after=until_)
        cert, key = self.pki(f"client-{days}.pem"), self.pki(f"client-{days}-key.pem")
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
        return str(cert), str(key)
