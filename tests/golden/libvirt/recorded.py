"""Recorded answers of a libvirt daemon in the place of a live one, and observations as readable JSON."""

import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from collectors.libvirt.answers import Domain, Node, Pool, Record, SnapshotName
from collectors.libvirt.client.endpoint import How, Listing, Stats

PREFIXES = {Stats.STATE: "state.", Stats.BALLOON: "balloon.", Stats.VCPU: "vcpu.", Stats.INTERFACE: "net."}


class Recorded:
    """Answers `Questions` from a file that `record.py` wrote."""

    def __init__(self, file: Path) -> None:
        self.world: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.guests: Mapping[str, dict[str, Any]] = {guest["uuid"]: guest for guest in self.world["domains"]}

    def driver(self):
        return self.world["node"]["product"].casefold()

    def node(self):
        node = self.world["node"]
        return Node(**node | {"info": tuple(node["info"]), "capabilities": "\n".join(node["capabilities"])})

    def online_cpus(self):
        return self.world["online_cpus"]

    def node_cpu(self):
        return self.world["node_cpu"]

    def node_memory(self):
        return self.world["node_memory"]

    def free_memory(self):
        raise AssertionError("memory statistics are there")

    def domains(self, which=Listing.ALL):
        wanted = self.world["filters"].get(which.name, () if which else self.guests)
        return [Domain(uuid, guest["name"], guest["id"]) for uuid, guest in self.guests.items() if uuid in wanted]

    def bulk(self, domains: Collection[Domain], groups: Stats, how: How = How.PLAIN):
        if How.BACKING in how:
            assert groups == Stats.BLOCK
            return [Record(domain, self.guests[domain.uuid]["layers"]) for domain in domains]
        prefixes = tuple(prefix for group, prefix in PREFIXES.items() if group in groups)
        prefixes += ("block.",) if Stats.BLOCK in groups else ()
        return [
            Record(
                domain,
                {key: value for key, value in self.guests[domain.uuid]["stats"].items() if key.startswith(prefixes)},
            )
            for domain in domains
        ]

    def control(self, _domain):
        return [0, 0, 0]

    def disk_errors(self, domain):
        return self.guests[domain.uuid]["disk_errors"]

    def xml(self, domain):
        return "\n".join(self.guests[domain.uuid]["xml"])

    def snapshots(self, domain):
        return [SnapshotName(name, "\n".join(xml)) for name, xml in self.guests[domain.uuid]["snapshots"].items()]

    def snapshot_xml(self, snapshot):
        return snapshot.handle

    def current_snapshot(self, domain):
        return self.guests[domain.uuid]["current_snapshot"]

    def newest_checkpoints(self, domain):
        return ["\n".join(xml) for xml in self.guests[domain.uuid].get("checkpoints", ())]

    def volumes(self, pool):
        return pool.handle.get("volumes", [])

    def pools(self):
        return [Pool(pool["uuid"], pool["name"], pool) for pool in self.world["pools"]]

    def pool_info(self, pool):
        return pool.handle["info"]

    def pool_xml(self, pool):
        return "\n".join(pool.handle["xml"])


def plain(value: Any) -> Any:
    """A model value as JSON: what is unknown or as by default is left out."""
    if is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name))
            for field in fields(value)
            if field.default is MISSING or getattr(value, field.name) != field.default
            if getattr(value, field.name) not in ({}, ())
        }
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value
