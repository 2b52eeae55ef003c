"""From an address and an account to a session: version, content of the service, login, logout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from collectors.vsphere.client.calls import DESCRIPTION
from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.stub import stub
from collectors.vsphere.client.versions import negotiate, support
from collectors.vsphere.client.wire import Wire
from exporter.config.model import Auth
from exporter.errors import AuthenticationFailed, Malformed
from exporter.secrets import Secret


class Credentials(NamedTuple):
    """An account as it is now."""

    user: str
    password: Secret


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
    sessions: str = "SessionManager"
    rights: str = ""


def credentials(where: object, auth: Auth | None) -> Credentials:
    """The account; the password is read now. Raises `SecretUnreadable`, and `AuthenticationFailed` without one."""
    if auth is None or auth.username is None or auth.password is None:
        raise AuthenticationFailed(f"{where} wants an account: name one under auths: and refer to it with auth:")
    return Credentials(auth.username, auth.password.read())


def api_version(wire: Wire) -> str:
    """The version to speak, as pyVmomi names it. Asked without an account."""
    return negotiate(wire.get(DESCRIPTION.partition(".")[0], f"{wire.address.path}/{DESCRIPTION}"), str(wire.address))


def content(wire: Wire) -> Service:
    """What the endpoint is; asked without an account."""
    found = _vim().ServiceInstance("ServiceInstance", stub(wire)).RetrieveContent()
    about = found.get("about") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or not isinstance(about, Mapping):
        raise Malformed(f"{wire.address} does not tell what it is: is it a vCenter or ESXi?", "RetrieveServiceContent")
    service = Service(
        product=_text(about, "name"),
        version=_text(about, "version"),
        api_version=_text(about, "apiVersion"),
        instance=_text(about, "instanceUuid"),
        vcenter=about.get("apiType") == "VirtualCenter",
        root=_id(found, "rootFolder"),
        collector=_id(found, "propertyCollector"),
        views=_id(found, "viewManager"),
        performance=_id(found, "perfManager"),
        sessions=_id(found, "sessionManager"),
        rights=_id(found, "authorizationManager"),
    )
    if not service.root or not service.collector:
        raise Malformed(f"{wire.address} has no inventory: is it a vCenter or ESXi?", where="RetrieveServiceContent")
    return service


def log_in(wire: Wire, manager: str, account: Credentials) -> None:
    """Begin a session; its cookie is the wire's from now on. `manager`: the id of the endpoint's session manager."""
    _sessions(wire, manager).Login(account.user, account.password.reveal(), None)
    if not wire.cookies.session:
        raise Malformed(f"{wire.address} lets us in without a session's cookie: does a proxy take it away?", "Login")


def log_out(wire: Wire, manager: str) -> None:
    """End the session."""
    _sessions(wire, manager).Logout()


def current_time(wire: Wire) -> float:
    """The endpoint's clock, Unix seconds; a session that has ended shows here."""
    found = _vim().ServiceInstance("ServiceInstance", stub(wire)).CurrentTime()
    if not isinstance(found, float):
        raise Malformed(f"{wire.address} does not tell the time", where="CurrentTime")
    return found


def created(found: Any, operation: str) -> str:
    """The id of what a call has made. Raises `Malformed`."""
    if not isinstance(found, Ref):
        raise Malformed(f"the answer to {operation} names nothing that was made", where=operation)
    return found.id


def _sessions(wire: Wire, manager: str) -> Any:
    """Its id is another one on an ESXi than on a vCenter."""
    return _vim().SessionManager(manager, stub(wire))


def _vim() -> Any:
    return support().types.vim


def _text(about: Mapping[str, Any], name: str) -> str:
    found = about.get(name)
    return found if isinstance(found, str) else ""


def _id(found: Mapping[str, Any], name: str) -> str:
    held = found.get(name)
    return held.id if isinstance(held, Ref) else ""
