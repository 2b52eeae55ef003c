"""Where things are: names of vSphere decoded, and the way from an object up to its folder, cluster and datacenter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.paths import CLUSTER, DATACENTER, DATASTORE, FOLDER, NETWORK, OPAQUE, PORTGROUP

_ESCAPED = re.compile(r"%(2f|5c|25)", re.IGNORECASE)
_MOST_STEPS = 100


def plain(name: str) -> str:
    """A name as people wrote it: vSphere keeps slash, backslash and percent as %2f, %5c and %25."""
    return name if "%" not in name else _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)


def network_names(facts: Mapping[Ref, Mapping[str, Any]]) -> dict[str, str]:
    """Names of networks by what adapters hold of them: a network's id, a port group's key, an id of NSX."""
    names: dict[str, str] = {}
    for ref, of_ref in facts.items():
        if ref.kind in {NETWORK, PORTGROUP, OPAQUE}:
            name = plain(str(of_ref.get("name", "")))
            names[ref.id] = name
            names[str(of_ref.get("key", ref.id))] = name
            summary = of_ref.get("summary")
            if isinstance(summary, Mapping) and summary.get("opaqueNetworkId"):
                names[str(summary["opaqueNetworkId"])] = name
    return names


def storage_ids(facts: Mapping[Ref, Mapping[str, Any]]) -> dict[str, str]:
    """Ids of datastores by the name under which hosts count them: the last part of their URL."""
    urls = ((ref.id, str(of_ref.get("summary.url", ""))) for ref, of_ref in facts.items() if ref.kind == DATASTORE)
    return {url.rstrip("/").rpartition("/")[2]: identity for identity, url in urls if url}


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of a host or guest, "" outside of one."""

    name: str = ""
    id: str = ""


class Places:
    """The tree of an inventory. `instance` is the endpoint's own UUID, which makes ids of clusters unique."""

    def __init__(self, facts: Mapping[Ref, Mapping[str, Any]], instance: str) -> None:
        self._facts = facts
        self._instance = instance
        self._datacenters: dict[Ref, str] = {}
        self._folders: dict[Ref, str] = {}
        self._clusters: dict[Ref, Cluster] = {}

    def name(self, ref: Ref | None) -> str:
        """The name of an object, "" for one that is not known."""
        return plain(str(self._facts.get(ref, {}).get("name", ""))) if ref is not None else ""

    def up(self, ref: Ref | None) -> Iterator[Ref]:
        """The object and what it lies in, up to the root."""
        for _ in range(_MOST_STEPS):  # an inventory that is changing may contradict itself
            if ref is None:
                return
            yield ref
            ref = self._facts.get(ref, {}).get("parent")

    def datacenter(self, ref: Ref | None) -> str:
        """Name of the datacenter it lies in."""
        within = self._within(ref)
        return self._remembered(self._datacenters, within, lambda: self._first(within, DATACENTER))

    def folder(self, ref: Ref | None) -> str:
        """Path of folders below the datacenter's own, "/web/prod"; "" at the top."""
        within = self._within(ref)
        return self._remembered(self._folders, within, lambda: self._path(within))

    def cluster(self, host: Ref | None) -> Cluster:
        """The cluster of a host."""
        if host is None:
            return Cluster()
        if host not in self._clusters:
            found = next((each for each in self.up(host) if each.kind == CLUSTER), None)
            self._clusters[host] = Cluster() if found is None else Cluster(self.name(found), self.cluster_id(found))
        return self._clusters[host]

    def cluster_id(self, ref: Ref) -> str:
        """The id of a cluster, unique among endpoints."""
        return f"{self._instance}:{ref.id}"

    def _within(self, ref: Ref | None) -> Ref | None:
        """What is asked for in place of an object: its parent, as thousands of guests lie in one folder."""
        if ref is None or ref.kind in {FOLDER, DATACENTER}:
            return ref
        parent: Ref | None = self._facts.get(ref, {}).get("parent")
        return parent

    def _remembered(self, known: dict[Ref, str], ref: Ref | None, find: Callable[[], str]) -> str:
        if ref is None:
            return ""
        if ref not in known:
            known[ref] = find()
        return known[ref]

    def _first(self, ref: Ref | None, kind: str) -> str:
        return next((self.name(each) for each in self.up(ref) if each.kind == kind), "")

    def _path(self, ref: Ref | None) -> str:
        folders: list[str] = []
        for each in self.up(ref):
            if each.kind == DATACENTER:
                # The outermost is the datacenter's own folder, which nobody sees.
                return "".join(f"/{name}" for name in reversed(folders[:-1]))
            if each.kind == FOLDER:
                folders.append(self.name(each))
        return ""
