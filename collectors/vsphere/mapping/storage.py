"""Datastores: what they are, who sees them, how full they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.checked import Facts, Oddities, flag, number, part, parts, text
from collectors.vsphere.mapping.places import plain
from exporter.model import Storage

PATHS = (
    "name",
    "parent",
    "summary.accessible",
    "summary.capacity",
    "summary.freeSpace",
    "summary.uncommitted",
    "summary.maintenanceMode",
    "summary.multipleHostAccess",
    "summary.type",
    "summary.url",
    # Whole: what belongs to NFS or VMFS alone is no path of the type that all datastores have in common.
    "info",
    "host",
)
DRS_ENABLED = "podStorageDrsEntry.storageDrsConfig.podConfig.enabled"
POD_PATHS = ("name", DRS_ENABLED)

MAINTENANCE = "maintenance"
AUTOMATED = "automated"
_VOLUME = re.compile(r"/vmfs/volumes/([^/]+)/?$")
_NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class StorageView:
    """A datastore with what is known beside its own properties. `endpoint` makes ids unique among endpoints."""

    ref: Ref
    endpoint: str
    cluster: str = ""
    automated: bool | None = None
    """Whether its datastore cluster places and moves disks by itself; None outside of one."""


def storage(view: StorageView, facts: Facts, odd: Oddities) -> Storage:
    """A datastore (DatastoreSummary, DatastoreInfo, DatastoreHostMount; bytes).

    Of one that no host can reach only that is told: its sizes are what they were.
    """
    accessible = flag(facts, "summary.accessible", odd)
    hosts = None if "host" not in facts else [part(each, "mountInfo", odd) for each in parts(facts, "host", odd)]
    usable = accessible is not False
    capacity = number(facts, "summary.capacity", odd) if usable else None
    free = number(facts, "summary.freeSpace", odd) if usable else None
    uncommitted = number(facts, "summary.uncommitted", odd) if usable else None
    maintenance = text(facts, "summary.maintenanceMode", odd)
    return Storage(
        id=view.ref.id,
        name=plain(text(facts, "name", odd)),
        backing=text(facts, "summary.type", odd),
        shared=flag(facts, "summary.multipleHostAccess", odd),
        key=storage_key(view, facts, odd),
        storage_cluster=view.cluster,
        accessible=accessible,
        hosts=None if hosts is None else len(hosts),
        hosts_accessible=None if hosts is None else sum(flag(each, "accessible", odd) is True for each in hosts),
        capacity_bytes=capacity,
        free_bytes=free,
        provisioned_bytes=_provisioned(capacity, free, uncommitted),
        data_timestamp_seconds=number(part(facts, "info", odd), "timestamp", odd) or None,
        extra={MAINTENANCE: None if not maintenance else int(maintenance != _NORMAL), AUTOMATED: view.automated},
    )


def _provisioned(capacity: float | None, free: float | None, uncommitted: float | None) -> float | None:
    """Space in use and what thin disks may still grow by."""
    if capacity is None or free is None or uncommitted is None:
        return None
    return capacity - free + uncommitted


def storage_key(view: StorageView, facts: Facts, odd: Oddities) -> str:
    """A name that every endpoint has for the same storage: the NFS export, else the volume's UUID in the URL.

    vCenter's URL of an NFS datastore holds a hash of what one host calls the server: the export is surer.
    """
    found = part(facts, "info", odd)
    nas = part(found, "nas", odd)
    server, path = _server(nas, odd), text(nas, "remotePath", odd)
    if server and path:
        return f"nfs:{server}:{path}"
    volume = _VOLUME.search(text(facts, "summary.url", odd))
    uuid = text(part(found, "vmfs", odd), "uuid", odd) or (volume[1] if volume else "")
    return uuid.lower() or f"{view.endpoint}/{view.ref.id}"


def _server(nas: Facts, odd: Oddities) -> str:
    """The server of an export. NFS 4.1 has several, in no order: the smallest name is the same for everybody."""
    several = nas.get("remoteHostNames")
    names = [each for each in several if isinstance(each, str) and each] if isinstance(several, list) else []
    return (min(names) if names else text(nas, "remoteHost", odd)).lower()
