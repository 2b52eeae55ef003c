"""Which version of the API an endpoint and pyVmomi have in common, and which properties that version knows."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from collectors.vsphere.client.calls import DESCRIPTION
from collectors.vsphere.client.xml import read
from exporter.errors import Malformed, SdkMissing

NAMESPACE = "vim25"


@functools.cache
def support() -> ModuleType:
    """PyVmomi's knowledge of types and versions. Raises `SdkMissing`."""
    try:
        from pyVmomi import VmomiSupport, vim  # noqa: F401, PLC0415  vim loads the types
    except ImportError as error:
        raise SdkMissing(f"pyVmomi is not installed ({error}): pip install pyvmomi") from error
    return VmomiSupport


def negotiate(description: bytes, where: str) -> str:
    """The newest version that both sides know, as pyVmomi names it ("vim.version.v8_0_3_0").

    `description` is the endpoint's vimServiceVersions.xml. Raises `Malformed` where it is none or nothing is in common.
    """
    offered = _offered(description, where)
    for version in support().GetServiceVersions(NAMESPACE):
        if support().versionIdMap[version] in offered:
            return str(version)
    some = ", ".join(sorted(offered)[-5:])
    raise Malformed(f"{where} offers the API versions {some[:200]} and none that is known here: is pyvmomi too old?")


def action(version: str) -> str:
    """The SOAPAction header of calls in a version of the API."""
    return f'"urn:{support().GetVersionNamespace(version)}"'


def _offered(description: bytes, where: str) -> set[str]:
    try:
        root = read(description, DESCRIPTION)
    except Malformed as error:
        raise Malformed(f"{where} describes no vSphere API: is it a vCenter or ESXi?", where=str(error)) from error
    for namespace in root.iter("namespace"):
        if namespace.findtext("name") == f"urn:{NAMESPACE}":
            found = [namespace.findtext("version"), *(each.text for each in namespace.findall("priorVersions/version"))]
            return {version for version in found if version}
    raise Malformed(f"{where} describes no vSphere API: is it a vCenter or ESXi?", where=DESCRIPTION)


@functools.lru_cache(maxsize=4096)
def known(kind: str, path: str, version: str) -> bool:
    """Whether a type of managed object has this property path in a version of the API.

    A real vCenter refuses the whole call for one path it does not know.
    """
    types = support()
    try:
        holder: Any = types.GuessWsdlType(kind)
        for name in path.split("."):
            found = holder._GetPropertyInfo(name)  # noqa: SLF001  pyVmomi has no other way
            if not types.IsChildVersion(version, found.version):
                return False
            holder = found.type
    except (KeyError, AttributeError):
        return False
    return True
