"""Volumes of hosts and shared volumes of clusters: sizes, whether they can be used, what they have promised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.hyperv.client.rows import Row
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.joins import instances
from collectors.hyperv.mapping.values import Field, Oddities, guid, whole, word
from collectors.hyperv.mapping.vhd import key_of
from exporter.model import Parts, Storage

NO_DIRECT_IO = "no_direct_io"
IN_MAINTENANCE = "in_maintenance"
_CSVFS = "csvfs"
_UNMOUNTED = "\\\\?\\"
_NO_DIRECT_IO, _NO_ACCESS, _MAINTENANCE, _DISMOUNTED = 1, 2, 4, 8
"""Bits of MSCluster_ClusterSharedVolume.FaultState."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A storage with the paths under which files lie on it, as `key_of` writes them."""

    storage: Storage
    mounts: tuple[str, ...]
    host_id: str = ""
    """The host whose volume it is; "" for one that every node sees."""


def local_volumes(
    rows: Iterable[Row], odd: Oddities, *, host_id: str, host: str, target: str, now: float
) -> list[Volume]:
    """Volumes of one host that are mounted somewhere, those of its cluster left out. `host` goes before the name."""
    found = []
    for row in rows:
        name, identity = word(row, "Name"), guid(word(row, "DeviceID"))
        if not identity or not name or name.startswith(_UNMOUNTED) or word(row, "FileSystem").lower() == _CSVFS:
            continue
        capacity, free = tables.CAPACITY(row, odd), tables.FREE_SPACE(row, odd)
        known = bool(capacity) and free is not None
        storage = Storage(
            id=identity,
            name=f"{host} {name.rstrip(chr(92))}".strip(),
            backing=word(row, "FileSystem"),
            shared=False,
            key=f"{target}/{identity}",
            accessible=known,
            capacity_bytes=capacity if known else None,
            free_bytes=free if known else None,
            data_timestamp_seconds=now,
        )
        found.append(Volume(storage, (key_of(name),), host_id))
    return found


def seen_by(rows: Iterable[Row]) -> set[str]:
    """Cluster shared volumes that a node lists among its volumes, by GUID."""
    return {guid(word(row, "DeviceID")) for row in rows if word(row, "FileSystem").lower() == _CSVFS}


def shared_volumes(
    volumes: Sequence[Row], partitions: Sequence[Row], odd: Oddities, *, nodes: int, now: float
) -> list[Volume]:
    """The cluster shared volumes, once for the whole cluster."""
    by_guid = {guid(word(row, "VolumeGuid")) or guid(word(row, "Path")): row for row in partitions}
    by_path = {key_of(word(row, "Path")).rstrip("\\"): row for row in partitions if word(row, "Path")}
    found = []
    for row in volumes:
        mount = key_of(word(row, "Name")).rstrip("\\")
        identity = guid(word(row, "VolumeName"))
        partition = by_guid.get(identity) if identity else None
        partition = partition if partition is not None else by_path.get(mount, {})
        identity = identity or guid(word(partition, "VolumeGuid")) or mount
        found.append(Volume(_shared(row, partition, identity, odd, nodes=nodes, now=now), (f"{mount}\\",)))
    return found


def _shared(row: Row, partition: Row, identity: str, odd: Oddities, *, nodes: int, now: float) -> Storage:
    path = word(row, "Name")
    faults = whole(row, "FaultState", odd)
    size, free = tables.PARTITION_SIZE(partition, odd), tables.PARTITION_FREE(partition, odd)
    usable = None if faults is None else not faults & (_NO_ACCESS | _DISMOUNTED)
    return Storage(
        id=identity,
        name=path.rstrip("\\").rpartition("\\")[2] or identity,
        backing="CSVFS",
        shared=True,
        key=identity,
        accessible=usable,
        hosts=nodes or None,
        capacity_bytes=size or None,
        free_bytes=free if size else None,
        data_timestamp_seconds=now,
        extra={}
        if faults is None
        else {NO_DIRECT_IO: int(bool(faults & _NO_DIRECT_IO)), IN_MAINTENANCE: int(bool(faults & _MAINTENANCE))},
    )


def redirected(by_node: Mapping[str, Sequence[Row]], volume: str, odd: Oddities) -> dict[str, Parts]:
    """Bytes of a shared volume that took the way over another node, as every node counts them."""
    found = {}
    for way, counter in (("read", tables.REDIRECTED_READ), ("write", tables.REDIRECTED_WRITTEN)):
        values = _of_volume(by_node, volume, counter, odd)
        if values:
            found[way] = Parts(values)
    return found


def _of_volume(by_node: Mapping[str, Sequence[Row]], volume: str, counter: Field, odd: Oddities) -> dict[str, float]:
    values = {}
    for node, rows in sorted(by_node.items()):
        for name, row in instances(rows):
            if name.lower() == volume.lower() and (value := counter(row, odd)) is not None:
                values[node] = value
    return values


class Places:
    """Finds the storage of a path: the longest mount that it lies under."""

    def __init__(self, volumes: Iterable[Volume]) -> None:
        self._mounts = sorted(
            ((mount, each.host_id, each.storage) for each in volumes for mount in each.mounts),
            key=lambda entry: -len(entry[0]),
        )

    def storage(self, path: str, host_id: str) -> Storage | None:
        """The storage that a file of a guest on this host lies on; None for a share, or where it is unknown."""
        wanted = key_of(path)
        return next(
            (storage for mount, owner, storage in self._mounts if owner in {"", host_id} and wanted.startswith(mount)),
            None,
        )


def provisioned(storage: Storage, growth: Sequence[float | None]) -> Storage:
    """With the space in use and the growth still promised to the disks there; absent where one is unknown."""
    if storage.capacity_bytes is None or storage.free_bytes is None or None in growth:
        return storage
    promised = sum(each for each in growth if each is not None)
    return replace(storage, provisioned_bytes=storage.capacity_bytes - storage.free_bytes + promised)
