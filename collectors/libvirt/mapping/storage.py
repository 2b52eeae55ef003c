"""Storage pools, and which of them holds a disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from collectors.libvirt.mapping.description import DiskSource
from collectors.libvirt.mapping.disks import Place
from collectors.libvirt.mapping.xml import attribute, number_of, parse, shortened, text_of
from exporter.errors import Malformed
from exporter.model import Storage

RUNNING, DEGRADED = 2, 3
_SHARED = {"netfs": True, "gluster": True, "rbd": True, "sheepdog": True, "iscsi": True, "iscsi-direct": True}
_LOCAL = {"dir", "fs", "logical", "disk", "zfs"}


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """A pool as its XML describes it. `path` is where its volumes appear on the host."""

    uuid: str
    name: str
    kind: str
    path: str = ""
    source_name: str = ""
    key: str = ""

    @property
    def shared(self) -> bool | None:
        """Whether other hosts can see the same storage; None for kinds that may be either (SCSI, multipath)."""
        return True if self.kind in _SHARED else False if self.kind in _LOCAL else None


def pool_facts(text: str, uuid: str, name: str, target: str) -> PoolFacts:
    """Facts of a pool's XML (virStoragePoolGetXMLDesc). Raises `Malformed`."""
    root = parse(text, f"pool {name!r}", root="pool")
    kind = root.get("type", "")
    return PoolFacts(
        uuid=uuid.lower(),
        name=name,
        kind=kind,
        path=text_of(root, "target/path"),
        source_name=text_of(root, "source/name"),
        key=_key(root, kind) or f"{target}/{uuid.lower()}",
    )


def _key(root: Element, kind: str) -> str:
    """What every host that mounts the same storage agrees on; "" where it is nobody else's.

    libvirt does not tell the `fsid` of a Ceph cluster, so the monitors' names stand for it.
    """
    hosts = ",".join(sorted(host.get("name", "") for host in root.iterfind("source/host")))
    device, folder = attribute(root, "source/device", "path"), attribute(root, "source/dir", "path")
    name = text_of(root, "source/name")
    if kind == "netfs" and hosts and folder:
        protocol = attribute(root, "source/format", "type")
        return f"{'nfs' if protocol in {'', 'auto'} else protocol}:{hosts}:{folder}"
    if kind in {"iscsi", "iscsi-direct"} and device:
        return f"iscsi:{device}"
    if kind in {"rbd", "gluster", "sheepdog"} and name:
        return f"{kind}:{hosts}/{name}"
    return ""


def usable(info: Sequence[int]) -> bool:
    """Whether a pool can be used, by the state of virStoragePoolGetInfo."""
    return info[0] in (RUNNING, DEGRADED)


def promised_bytes(volumes: Iterable[str], pool: str) -> float:
    """Sum over volumes that back no other of what each may still grow by: capacity less allocation, at least 0.

    From the volumes' XML (virStorageVolGetXMLDesc; bytes). Raises `Malformed`.
    """
    what = f"a volume of pool {pool!r}"
    roots = [parse(text, what) for text in volumes]
    backing = {text_of(root, "backingStore/path") for root in roots}
    return float(sum(_growth(root, what) for root in roots if text_of(root, "target/path") not in backing))


def _growth(volume: Element, what: str) -> int:
    """A sum without this volume would be too small, so one that does not tell its sizes is `Malformed`."""
    capacity, allocation = number_of(volume, "capacity"), number_of(volume, "allocation")
    if capacity is None or allocation is None:
        raise Malformed(f"{what}: {shortened(text_of(volume, 'name'))} does not tell its sizes", where=what)
    return max(0, capacity - allocation)


def storage(pool: PoolFacts, info: Sequence[int], promised: float | None = None) -> Storage:
    """A pool with the numbers of virStoragePoolGetInfo: state, capacity, allocation, available (bytes).

    The numbers are those of libvirt's last refresh of the pool; asking for one needs more rights and can hang. A pool
    that is not active has none: its zeros mean nothing; nor has one of 0 bytes, which libvirt cannot measure.
    """
    active = usable(info)
    capacity = info[1] if active and info[1] > 0 else None
    free = info[3] if capacity and 0 <= info[3] <= capacity else None
    taken = None if capacity is None or free is None else capacity - free
    return Storage(
        id=pool.uuid,
        name=pool.name,
        backing=pool.kind,
        shared=pool.shared,
        key=pool.key,
        accessible=active,
        capacity_bytes=capacity,
        free_bytes=free,
        provisioned_bytes=None if promised is None or taken is None else taken + promised,
    )


def place_of(source: DiskSource, pools: Iterable[PoolFacts]) -> Place:
    """The pool that holds a disk: named by it, with the nearest folder above it, or of its network pool's name."""
    held = max((pool for pool in pools if _holds(pool, source)), key=lambda pool: len(pool.path), default=None)
    return Place() if held is None else Place(held.name, held.uuid)


def _holds(pool: PoolFacts, source: DiskSource) -> bool:
    if source.kind == "volume":
        return source.pool == pool.name
    if source.kind == "network":
        return bool(pool.source_name) and source.path.startswith(f"{pool.kind}:{pool.source_name}/")
    return bool(pool.path) and PurePosixPath(source.path).is_relative_to(pool.path)
