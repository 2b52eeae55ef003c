"""What managers of guests write into descriptions: title, OpenStack's and oVirt's metadata, as a label's words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from xml.etree.ElementTree import Element

from collectors.libvirt.mapping.xml import attribute, text_of

LONGEST = 256
_NOVA = ("{http://openstack.org/xmlns/libvirt/nova/1.1}", "{http://openstack.org/xmlns/libvirt/nova/1.0}")
_OVIRT = "{http://ovirt.org/vm/1.0}"

Pairs = Iterator[tuple[str, str]]


def tags(domain: Element, wanted: Collection[str]) -> str:
    """The wanted annotations of a domain's XML as `,key=value,key=value,` in alphabetical order; "" where none is.

    A comma within a value would look like the next pair and becomes a blank. What would make the label longer than
    256 characters is left out as a whole.
    """
    pairs = (pair for name in wanted for pair in _READERS[name](domain))
    label = ""
    for tag in sorted({f"{key}={plain}" for key, value in pairs if (plain := _plain(value))}):
        if len(label) + len(tag) + 2 <= LONGEST:
            label = f"{label or ','}{tag},"
    return label


def _plain(value: str) -> str:
    return " ".join(value.replace(",", " ").split())


def _title(domain: Element) -> Pairs:
    yield "title", text_of(domain, "title")


def _openstack(domain: Element) -> Pairs:
    """Nova's: name of the server, flavor, user, project with its id."""
    for nova in _NOVA:
        instance = domain.find(f"metadata/{nova}instance")
        if instance is not None:
            yield "openstack.name", text_of(instance, f"{nova}name")
            yield "openstack.flavor", attribute(instance, f"{nova}flavor", "name")
            yield "openstack.user", text_of(instance, f"{nova}owner/{nova}user")
            yield "openstack.project", text_of(instance, f"{nova}owner/{nova}project")
            yield "openstack.project_id", attribute(instance, f"{nova}owner/{nova}project", "uuid")
            return


def _ovirt(domain: Element) -> Pairs:
    """oVirt's: version of the cluster and the custom properties that an administrator gave the machine."""
    machine = domain.find(f"metadata/{_OVIRT}vm")
    if machine is not None:
        yield "ovirt.cluster_version", text_of(machine, f"{_OVIRT}clusterVersion")
        for each in machine.iterfind(f"{_OVIRT}custom/*"):
            yield f"ovirt.{each.tag.removeprefix(_OVIRT)}", each.text or ""


_READERS: Mapping[str, Callable[[Element], Pairs]] = {"title": _title, "openstack": _openstack, "ovirt": _ovirt}
