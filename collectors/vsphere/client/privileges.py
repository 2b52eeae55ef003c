"""Which privileges an account has on objects, asked in portions; one object that is gone or hidden hides no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from xml.sax.saxutils import escape

from collectors.vsphere.client.decode import Ref, value
from collectors.vsphere.client.faults import Refused
from collectors.vsphere.client.versions import support
from collectors.vsphere.client.wire import Wire
from collectors.vsphere.client.xml import VIM, read
from exporter.errors import Forbidden, Malformed, Unsupported

OPERATION = "HasUserPrivilegeOnEntities"
PORTION = 250
_GONE = "ManagedObjectNotFound"


def missing(
    wire: Wire, manager: str, user: str, objects: Sequence[Ref], wanted: Sequence[str]
) -> Iterator[tuple[Ref, str]]:
    """The pairs of an object and a privilege that the user lacks on it.

    `manager`: the id of the endpoint's authorization manager. Raises `Unsupported` where the endpoint does not tell.
    """
    if not manager or not _known(wire.version):
        raise Unsupported(f"{wire.address} has no {OPERATION}, which vSphere 6.5 brought")
    for start in range(0, len(objects), PORTION):
        yield from _asked(wire, manager, user, objects[start : start + PORTION], wanted)


def _asked(
    wire: Wire, manager: str, user: str, objects: Sequence[Ref], wanted: Sequence[str]
) -> Iterator[tuple[Ref, str]]:
    try:
        answer = wire.post(OPERATION, _request(manager, user, objects, wanted))
    except Forbidden as error:
        if len(objects) == 1:
            yield objects[0], error.right or wanted[0]
            return
    except Refused as error:
        if error.fault.name != _GONE:
            raise Unsupported(f"{wire.address} does not answer {OPERATION}: {error.fault}") from error
        if len(objects) == 1:
            return
    else:
        yield from _parsed(answer)
        return
    half = len(objects) // 2
    yield from chain.from_iterable(
        _asked(wire, manager, user, part, wanted) for part in (objects[:half], objects[half:])
    )


def _request(manager: str, user: str, objects: Sequence[Ref], wanted: Sequence[str]) -> str:
    entities = "".join(f'<entities type="{each.kind}">{escape(each.id)}</entities>' for each in objects)
    privileges = "".join(f"<privId>{escape(each)}</privId>" for each in wanted)
    return (
        f'<{OPERATION} xmlns="urn:vim25"><_this type="AuthorizationManager">{escape(manager)}</_this>{entities}'
        f"<userName>{escape(user)}</userName>{privileges}</{OPERATION}>"
    )


def _parsed(body: bytes) -> Iterator[tuple[Ref, str]]:
    for each in read(body, OPERATION).iter(f"{VIM}returnval"):
        try:
            told = value(each, "EntityPrivilege")
            for one in told["privAvailability"]:
                if one["isGranted"] is False:
                    yield told["entity"], one["privId"]
        except (ValueError, KeyError, TypeError) as error:
            raise Malformed(f"the answer to {OPERATION} makes no sense: {error}", where=OPERATION) from error


def _known(version: str) -> bool:
    types = support()
    method = types.GuessWsdlType("AuthorizationManager")._GetMethodInfo(OPERATION)  # noqa: SLF001  as properties'
    return bool(types.IsChildVersion(version, method.version))
