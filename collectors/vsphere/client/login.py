"""From an address and an account to a session: version, content of the service, login, logout."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.address import Address
from collectors.vsphere.client.faults import Fault, connection_error, error_of
from collectors.vsphere.client.tls import Context
from collectors.vsphere.client.versions import moid, negotiate, support
from collectors.vsphere.client.wire import Wire
from exporter.config.model import Auth
from exporter.errors import AuthenticationFailed, CollectorError, Malformed

_CONNECT_SECONDS = 10.0
_LARGEST_DESCRIPTION_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Service:
    """What an endpoint says of itself, and the ids of its managers ("" where it has none)."""

    product: str
    version: str
    api_version: str
    instance: str
    vcenter: bool
    root: str
    collector: str
    views: str
    performance: str


def api_version(address: Address, context: Context, seconds: float) -> str:
    """The version to speak, as pyVmomi names it. Asked without an account. Raises the core's errors."""
    timeout = min(_CONNECT_SECONDS, seconds)
    connection: http.client.HTTPConnection
    if address.scheme == "http":
        connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout)
    else:
        connection = http.client.HTTPSConnection(address.host, address.port, timeout=timeout, context=context)
    try:
        connection.request("GET", f"{address.path}/vimServiceVersions.xml")
        response = connection.getresponse()
        description = response.read(_LARGEST_DESCRIPTION_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise connection_error(error, str(address)) from error
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise Malformed(f"{address} answers {response.status}: is it a vCenter or ESXi, and has it started?")
    return negotiate(description, str(address))


@contextmanager
def speaking(wire: Wire, operation: str, *, session_objects: bool = False) -> Iterator[None]:
    """Turn what pyVmomi raises during a call into the core's errors, and count the call."""
    types = support()
    with wire.counted(operation):
        try:
            yield
        except CollectorError:
            raise
        except types.types.vmodl.MethodFault as error:
            name = type(error).__name__.rpartition(".")[2]
            details = {"privilegeId": str(getattr(error, "privilegeId", "") or "")}
            raise error_of(operation, Fault(name, str(error.msg or ""), details), session_objects) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # pyVmomi's way of saying that an answer holds what it does not know.
            raise Malformed(
                f"{wire.address}: {operation} was answered with what is not understood", where=repr(error)
            ) from error


def content(wire: Wire) -> Service:
    """What the endpoint is; asked without an account."""
    with speaking(wire, "RetrieveServiceContent"):
        found = _vim().ServiceInstance("ServiceInstance", wire.stub).RetrieveContent()
    about = found.about
    return Service(
        product=about.name or "",
        version=about.version or "",
        api_version=about.apiVersion or "",
        instance=about.instanceUuid or "",
        vcenter=about.apiType == "VirtualCenter",
        root=_id(found.rootFolder),
        collector=_id(found.propertyCollector),
        views=_id(found.viewManager),
        performance=_id(found.perfManager),
    )


def _vim() -> Any:
    return support().types.vim


def _id(managed: Any) -> str:
    return "" if managed is None else moid(managed)


def log_in(wire: Wire, auth: Auth | None) -> None:
    """Begin a session; its cookie is the wire's from now on. The password is read now."""
    if auth is None or auth.username is None or auth.password is None:
        raise AuthenticationFailed(f"{wire.address} wants an account: name one under auths: and refer to it with auth:")
    secret = auth.password.read()
    with speaking(wire, "Login"):
        _vim().SessionManager("SessionManager", wire.stub).Login(auth.username, secret.reveal(), None)


def log_out(wire: Wire) -> None:
    """End the session."""
    with speaking(wire, "Logout"):
        _vim().SessionManager("SessionManager", wire.stub).Logout()
    wire.cookie = ""


def current_time(wire: Wire) -> float:
    """The endpoint's clock, Unix seconds; a session that has ended shows here."""
    with speaking(wire, "CurrentTime"):
        return float(_vim().ServiceInstance("ServiceInstance", wire.stub).CurrentTime().timestamp())
