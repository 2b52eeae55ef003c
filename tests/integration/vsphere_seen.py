"""What tests of the vSphere client share: an endpoint at an address, and questions."""

import itertools
import logging
import ssl
from pathlib import Path

import pytest
import trustme

from collectors.vsphere.client.endpoint import Endpoint
from exporter.config.model import Auth, Target, Tls
from exporter.contract import Context, Deadline, Meter
from exporter.secrets import SecretSource

USER, PASSWORD = "monitor@vsphere.local", "secret"
PATHS = {"VirtualMachine": ["name", "summary.config.numCpu"]}
TRUSTING = Tls(insecure_skip_verify=True)


def target(address: str, *, password: str | SecretSource = PASSWORD, tls: Tls = TRUSTING) -> Target:
    source = password if isinstance(password, SecretSource) else SecretSource("literal", password)
    return Target("under-test", "vsphere", address, auth=Auth("a", USER, source), tls=tls)


def endpoint(address: str, **settings) -> Endpoint:
    return Endpoint(target(address, **settings), Meter())


def context() -> Context:
    return Context(Meter(), logging.getLogger("vsphere-test"))


def names(asked: Endpoint, lane: str = "fast", seconds: float = 20) -> list[str]:
    """The names of all guests, over a lane."""
    return asked.ask(lane, Deadline.after(seconds), lambda found: sorted(listed(found)))


def failed(kind: type[Exception], *arguments) -> Exception:
    """What asking for the names raises; it has to be of this kind."""
    with pytest.raises(kind) as raised:
        names(*arguments)
    return raised.value


def listed(lane) -> list[str]:
    pages = lane.every(PATHS)
    return list(itertools.chain.from_iterable([each["name"] for each in page.objects.values()] for page in pages))


def served(authority: trustme.CA, *names: str, **when) -> ssl.SSLContext:
    """A server's context with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost")), **when).configure_cert(context)
    return context


def written(folder: Path, authority: trustme.CA, name: str = "ca.pem") -> str:
    path = folder / name
    authority.cert_pem.write_to_path(path)
    return str(path)
