"""The double's face: `with WinRM(estate) as server:`, one listener per host of the estate."""

import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import trustme

from tests.backends.winrm.clusters import Cluster
from tests.backends.winrm.door import Accounts, end_point_hash
from tests.backends.winrm.estate import Estate
from tests.backends.winrm.listener import Listener
from tests.backends.winrm.messages import Asked
from tests.backends.winrm.misbehaviour import Order, Orders
from tests.backends.winrm.service import Service

TRANSPORTS = ("ntlm", "negotiate", "kerberos", "credssp", "basic", "certificate")


class Site:
    """One host: its estate, its service, its listener."""

    def __init__(self, server: "WinRM", estate: Estate, host: str) -> None:
        self._server, self.estate, self.host = server, estate, host
        self.port = 0
        self.transports, self.accounts = server.transports, server.accounts
        self.idle_seconds = server.idle_seconds
        self.allows_unencrypted = server.allow_unencrypted or server.tls
        self.bindings: bytes | None = None
        self.counts: Counter[str] = Counter()
        self.orders = Orders()
        self.requests: list[bytes] = []
        self.service = Service(estate, self.counts)
        self.stopping = threading.Event()
        self._listener: Listener | None = None

    @property
    def name(self) -> str:
        return self.estate.name

    @property
    def url(self) -> str:
        return f"{'https' if self._server.tls else 'http'}://{self.host}:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"{self.url}/wsman"

    def start(self) -> None:
        """Listen; after a stop at the same port again."""
        if self._listener is not None:
            return
        self.stopping.clear()
        self._listener = Listener(self, (self.host, self.port), self._server.context)
        self.port = self._listener.server_address[1]
        threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, name=f"winrm {self.name}", daemon=True
        ).start()

    def stop(self) -> None:
        """As a host that is down: connections end, new ones are refused."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self.stopping.set()
        self.orders.clear()
        listener.shutdown()
        listener.cut()
        listener.server_close()

    def cut(self) -> None:
        """End every connection, as an idle time-out of a firewall or of http.sys does."""
        if self._listener:
            self._listener.cut()

    def misbehave(self, kind: str, **details: Any) -> Order:
        return self.orders.give(kind, **details)

    @property
    def asked(self) -> list[Asked]:
        """Every message so far."""
        return self.service.asked

    @property
    def open_enumerations(self) -> int:
        """Enumerations that were neither drained nor released."""
        return len(self.service.open)


class WinRM:
    """A WinRM server for an estate, or for several (nodes of a cluster: one address each, the same port).

    `transport`: ntlm and negotiate (both let in either), kerberos (with the keys that KRB5_KTNAME names, as negotiate
    does too), credssp, basic, certificate, or several of them; certificate comes with TLS, basic wants `tls` or
    `allow_unencrypted`. `channel_bindings` makes it insist on the binding to its TLS
    certificate.
    """

    def __init__(
        self,
        estate: Estate | Cluster,
        *,
        transport: str | Sequence[str] = "ntlm",
        tls: bool = False,
        user: str = "LAB\\monitor",
        password: str = "Not-a-secret-1",
        idle_seconds: float = 120,
        allow_unencrypted: bool = False,
        channel_bindings: bool = False,
        hosts: list[str] | None = None,
        port: int = 0,
    ) -> None:
        self.transports = (transport,) if isinstance(transport, str) else tuple(transport)
        self.transport = self.transports[0]
        if {*self.transports} - {*TRANSPORTS}:
            raise ValueError(f"no transport {transport!r}; there are: {', '.join(TRANSPORTS)}")
        estates = estate.nodes if isinstance(estate, Cluster) else [estate]
        self.tls = tls or "certificate" in self.transports
        self.user, self.idle_seconds = user, idle_seconds
        self.allow_unencrypted, self.channel_bindings = allow_unencrypted, channel_bindings
        self.accounts = Accounts(user, password)
        self.context: ssl.SSLContext | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="winrm-")
        hosts = hosts or [f"127.0.0.{number}" for number in range(1, len(estates) + 1)]
        self.sites = [Site(self, each, host) for each, host in zip(estates, hosts, strict=True)]
        self.sites[0].port = port

    @property
    def password(self) -> str:
        return self.accounts.password

    @password.setter
    def password(self, new: str) -> None:
        self.accounts.password = new

    def start(self) -> Self:
        if self.tls:
            self._certificates()
        given = self.sites[0].port
        for attempts_left in reversed(range(10)):
            try:
                self._listen(given)
            except OSError:  # the port of the first node is taken at another's address
                self._end()
                if given or not attempts_left:
                    self.stop()
                    raise
            else:
                break
        return self

    def _listen(self, port: int) -> None:
        self.sites[0].port = port
        for site in self.sites:
            site.port = self.sites[0].port
            site.start()

    def _certificates(self) -> None:
        folder = Path(self._directory.name)
        ca = trustme.CA()
        ca.cert_pem.write_to_path(self._path("ca.pem"))
        names = {"localhost", *(site.host for site in self.sites), *(site.name for site in self.sites)}
        certificate = ca.issue_cert(*sorted(names))
        certificate.cert_chain_pems[0].write_to_path(self._path("server.pem"))
        client = ca.issue_cert(f"{self.user.rpartition(chr(92))[2]}@lab.example")
        client.cert_chain_pems[0].write_to_path(self._path("client.pem"))
        client.private_key_pem.write_to_path(self._path("client.key"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.context)
        if "certificate" in self.transports:
            ca.configure_trust(self.context)
            self.context.verify_mode = ssl.CERT_OPTIONAL
        if self.channel_bindings:
            for site in self.sites:
                site.bindings = end_point_hash((folder / "server.pem").read_bytes())

    def _path(self, name: str) -> str:
        return str(Path(self._directory.name) / name)

    def _end(self) -> None:
        for site in self.sites:
            site.stop()

    def stop(self) -> None:
        self._end()
        self.accounts.close()
        self._directory.cleanup()

    @property
    def ca_file(self) -> str:
        """The authority of the server's and the client's certificate."""
        return self._path("ca.pem")

    @property
    def cert_file(self) -> str:
        """The client's certificate."""
        return self._path("client.pem")

    @property
    def key_file(self) -> str:
        return self._path("client.key")

    def node(self, name: str) -> Site:
        """The host of this name."""
        return next(site for site in self.sites if site.name.lower() == name.lower())

    @property
    def address(self) -> str:
        """The first host's, without port."""
        return self.sites[0].host

    @property
    def port(self) -> int:
        return self.sites[0].port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:4711`, as a target's address."""
        return self.sites[0].url

    @property
    def endpoint(self) -> str:
        """The URL that requests go to, with `/wsman`."""
        return self.sites[0].endpoint

    @property
    def estate(self) -> Estate:
        return self.sites[0].estate

    def misbehave(self, kind: str, **details: Any) -> Order:
        """The first host misbehaves until the order ends: see misbehaviour.KINDS."""
        return self.sites[0].misbehave(kind, **details)

    def clear(self) -> None:
        """No more misbehaviour anywhere."""
        for site in self.sites:
            site.orders.clear()

    def cut(self) -> None:
        for site in self.sites:
            site.cut()

    @property
    def counts(self) -> Counter[str]:
        """What happened so far, over all hosts: connections, logins, refused, requests, each operation, bytes."""
        return sum((site.counts for site in self.sites), Counter())

    @property
    def asked(self) -> list[Asked]:
        """Every message that any host was asked."""
        return [asked for site in self.sites for asked in site.asked]

    @property
    def open_enumerations(self) -> int:
        return sum(site.open_enumerations for site in self.sites)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()
