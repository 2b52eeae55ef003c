"""Calls that pyVmomi makes of our arguments: it writes the request, our wire carries it, our decoder reads the answer.

pyVmomi's own adapter has no deadline over a whole answer and no largest answer, and its decoder gives up the answer for
one value that it does not know.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from collectors.vsphere.client.decode import value
from collectors.vsphere.client.versions import support
from collectors.vsphere.client.wire import Wire
from collectors.vsphere.client.xml import VIM, read
from exporter.errors import Malformed, SdkMissing


@functools.cache
def _adapters() -> ModuleType:
    try:
        from pyVmomi import SoapAdapter  # noqa: PLC0415  an installation without it runs everything else
    except ImportError as error:
        raise SdkMissing(f"pyVmomi is not installed ({error}): pip install pyvmomi") from error
    return SoapAdapter


@functools.cache
def _stub_class() -> Any:
    base: Any = _adapters().SoapStubAdapterBase

    class Stub(base):  # type: ignore[misc]
        requestContext = None  # noqa: N815  pyVmomi's name

        def __init__(self, wire: Wire) -> None:
            super().__init__(wire.version)
            self._wire = wire

        def InvokeMethod(self, managed: Any, method: Any, arguments: Any) -> Any:  # noqa: N802  pyVmomi's name
            envelope = self.SerializeRequest(managed, method, arguments)
            own = isinstance(managed, support().types.vmodl.query.PropertyCollector)
            body = self._wire.send(method.wsdlName, envelope, session_objects=own)
            return answered(method.wsdlName, body, support().GetWsdlName(method.result))

    return Stub


def stub(wire: Wire) -> Any:
    """What managed objects of pyVmomi call through; their calls return plain data."""
    return _stub_class()(wire)


def answered(operation: str, body: bytes, kind: str) -> Any:
    """What a call returned, as plain data; None where it returned nothing. Raises `Malformed`."""
    root = read(body, operation)
    found = root.find(f"{{*}}Body/{{*}}{operation}Response")
    if found is None:
        raise Malformed(f"the answer to {operation} is none: is it a vCenter or ESXi?", where=operation)
    returned = found.find(f"{VIM}returnval")
    try:
        return None if returned is None else value(returned, kind)
    except ValueError as error:
        raise Malformed(f"the answer to {operation} makes no sense: {error}", where=operation) from error
