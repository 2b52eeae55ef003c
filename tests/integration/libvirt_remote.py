"""Private libvirtds that listen on loopback: TLS with certificates made for it, TCP and TLS with SASL accounts."""

import datetime as dt
from pathlib import Path
from urllib.parse import quote

import trustme

from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import find_binary, free_port, until
from tests.backends.sasl import Accounts

SETTINGS = """
auth_unix_rw = "none"
listen_addr = "127.0.0.1"
listen_tls = 1
tls_port = "{tls_port}"
key_file = "{pki}/server-key.pem"
cert_file = "{pki}/server-cert.pem"
ca_file = "{pki}/ca.pem"
tls_no_sanity_certificate = 1
"""
SASL = """
listen_tcp = 1
tcp_port = "{tcp_port}"
auth_tcp = "sasl"
auth_tls = "sasl"
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
        self.scratch.file("config/libvirt/libvirtd.conf", self.listening())
        self.daemon = self.scratch.start(
            "libvirtd", find_binary("libvirtd") or "libvirtd", "--timeout", "0", "--listen", env=self.env
        )
        until(self._answers, 30, "answering libvirtd", self.daemon)

    def listening(self) -> str:
        """Its libvirtd.conf."""
        return SETTINGS.format(tls_port=self.port, pki=self.scratch.directory("pki"))

    @property
    def address(self) -> str:
        return f"qemu+tls://localhost:{self.port}/session"

    @property
    def authority_file(self) -> str:
        return str(self.pki("ca.pem"))

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


class SaslLab(TlsLab):
    """As well by TCP; both doors want one of `accounts`. `SaslLab("scram-sha-256")` offers only that."""

    def __init__(self, *mechanisms: str) -> None:
        super().__init__()
        self.mechanisms = mechanisms or ("digest-md5", "scram-sha-256")

    def start_daemon(self) -> None:
        self.tcp_port = free_port()
        self.accounts = Accounts(self.scratch, self.mechanisms)
        self.env |= self.accounts.env
        super().start_daemon()

    def listening(self) -> str:
        return super().listening() + SASL.format(tcp_port=self.tcp_port)

    @property
    def tcp_address(self) -> str:
        return f"qemu+tcp://localhost:{self.tcp_port}/session"

    def refusals(self) -> int:
        """How many logins it has refused so far."""
        return self.daemon.log.read_text(errors="replace").count("remoteDispatchAuthSasl")


class BlankLab(LibvirtLab):
    """Its socket lies in a folder with blanks and a plus sign."""

    def start_daemon(self) -> None:
        folder = self.scratch.directory("run/my sockets+more")
        self.settings = f'unix_sock_dir = "{folder}"'
        self.scratch.file("config/libvirt/libvirtd.conf", f'auth_unix_rw = "none"\n{self.settings}\n')
        super().start_daemon()

    @property
    def socket(self) -> Path:
        return self.scratch.path / "run/my sockets+more/libvirt-sock"

    @property
    def uri(self) -> str:
        return f"qemu+unix:///session?socket={quote(str(self.socket), safe='/+')}"
