"""What managers of the endpoint know: its licences, and the custom attributes that an operator has asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.groups.layouts import note
from collectors.vsphere.groups.optional import by_itself, of_manager
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import attributes, licenses
from collectors.vsphere.mapping.checked import Oddities
from collectors.vsphere.mapping.paths import GUEST, HOST
from exporter.model import Counter

_SERVICE = Ref("ServiceInstance", "ServiceInstance")
_LICENSES, _FIELDS = "content.licenseManager", "content.customFieldsManager"

Told = Mapping[str, Counter | None]


def read_licenses(around: Surroundings) -> tuple[Told, bool]:
    """What licences tell, and whether the right to see them is missing."""
    with by_itself(around, "licences"):
        manager = _managers(around).get(_LICENSES)
        if manager is None:
            return {}, False
        facts, forbidden = of_manager(around, manager, licenses.PATH, spared=True)
        odd: Oddities = []
        found = licenses.licenses_of(facts, around.now, odd)
        if len(found) > licenses.MOST:
            odd.append(f"only {licenses.MOST} of {len(found)} licences are told")
        note(around, manager, odd)
        upkeep = around.memory.upkeep
        ended = list(licenses.steadied(found[: licenses.MOST], upkeep.ends))
        upkeep.ends = {(each.name, each.id): end for each, end in ended if end is not None}
        return (licenses.told_of(ended) if found else {}), forbidden
    return {}, False


def read_attributes(around: Surroundings) -> None:
    """Bring the custom attributes of guests and hosts up to date, if any are wanted. An ESXi has none."""
    wanted, memory = around.options.custom_attributes, around.memory
    if not wanted or not around.lane.service.vcenter:
        return
    with by_itself(around, "custom attributes"):
        memory.upkeep.attributes = dict(_attributes(around, frozenset(wanted)))


def _attributes(around: Surroundings, wanted: frozenset[str]) -> Iterator[tuple[Ref, Mapping[str, str]]]:
    manager = _managers(around).get(_FIELDS)
    if manager is None:
        return
    odd: Oddities = []
    fields, _ = of_manager(around, manager, attributes.FIELDS)
    names = attributes.names_of(fields, wanted, odd)
    note(around, manager, odd)
    if not names:
        return
    for page in around.lane.every({GUEST: [attributes.PATH], HOST: [attributes.PATH]}):
        around.findings.lost(page.lost)
        for ref, facts in page.objects.items():
            odd = []
            found = attributes.attributes_of(facts, names, odd)
            note(around, ref, odd)
            if found:
                yield ref, found


def _managers(around: Surroundings) -> Mapping[str, Ref]:
    """The managers by the property that names them, asked for once in a session."""
    upkeep = around.memory.upkeep
    if upkeep.managers_of != around.lane.generation:
        found: dict[str, Ref] = {}
        for page in around.lane.these([_SERVICE], {_SERVICE.kind: [_LICENSES, _FIELDS]}):
            held = page.objects.get(_SERVICE, {})
            found |= {path: ref for path, ref in held.items() if isinstance(ref, Ref)}
        upkeep.managers, upkeep.managers_of = found, around.lane.generation
    return upkeep.managers
