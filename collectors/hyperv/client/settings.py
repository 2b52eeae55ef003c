"""Where a host answers WS-Management, and as whom it is asked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from exporter.config.model import Auth, Tls

PATH = "/wsman"
PORTS = {"http": 5985, "https": 5986}
Transport = Literal["ntlm", "negotiate", "kerberos", "credssp", "certificate", "basic"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a host answers."""

    host: str
    port: int = PORTS["https"]
    scheme: str = "https"
    path: str = PATH

    @classmethod
    def of(cls, text: str) -> Address:
        """The parts of an address in which no mistake was found: a host, `host:port` or a URL; https where not said.

        A port 5985 without a scheme is HTTP: nothing else is ever there.
        """
        parts = urlsplit(text if "://" in text else f"//{text}")
        scheme = parts.scheme or ("http" if parts.port == PORTS["http"] else "https")
        return cls(parts.hostname or "", parts.port or PORTS[scheme], scheme, parts.path.rstrip("/") or PATH)

    def at(self, host: str) -> Address:
        """The same door of another host: a cluster's node."""
        return dataclasses.replace(self, host=host)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Settings:
    """One endpoint and how to enter it."""

    address: Address
    auth: Auth | None = None
    tls: Tls = field(default_factory=Tls)
    transport: Transport = "ntlm"
    """NTLM and Kerberos seal every message, over http and https alike. `negotiate` is Kerberos where that works, and
    NTLM elsewhere; it and `kerberos` with a password need pypsrp."""
    allow_unencrypted: bool = False
    """Whether `basic` may go over http, where everybody on the way reads the password."""
