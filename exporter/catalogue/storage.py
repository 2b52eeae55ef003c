"""Families about storage: pools, datastores, volumes."""

from __future__ import annotations

from exporter.catalogue.family import STORAGE, Entity, Family, Priority, Section
from exporter.model import Storage

_storage = Section(Entity.STORAGE, STORAGE, Priority.STORAGE)


def _describe(storage: Storage) -> tuple[str, ...]:
    shared = "" if storage.shared is None else str(int(storage.shared))
    return (storage.backing, shared, storage.key, storage.storage_cluster)


FAMILIES: tuple[Family, ...] = (
    _storage.info(
        "hypervisor_storage_info",
        "What the storage is; storage_key is equal on every target that sees the same storage.",
        labels=("backing", "shared", "storage_key", "storage_cluster"),
        describe=_describe,
    ),
    _storage.gauge("hypervisor_storage_accessible", "1 if the storage can be used.", value=lambda s: s.accessible),
    _storage.gauge("hypervisor_storage_hosts", "Hosts that are to see the storage.", value=lambda s: s.hosts),
    _storage.gauge(
        "hypervisor_storage_hosts_accessible", "Hosts that see the storage.", value=lambda s: s.hosts_accessible
    ),
    _storage.gauge("hypervisor_storage_capacity_bytes", "Size of the storage.", value=lambda s: s.capacity_bytes),
    _storage.gauge("hypervisor_storage_free_bytes", "Free space.", value=lambda s: s.free_bytes),
    _storage.gauge(
        "hypervisor_storage_provisioned_bytes",
        "Space in use plus the growth that thin disks are still promised.",
        value=lambda s: s.provisioned_bytes,
    ),
    _storage.gauge(
        "hypervisor_storage_data_timestamp_seconds",
        "When the platform itself last measured the storage, Unix time.",
        value=lambda s: s.data_timestamp_seconds,
    ),
)
