"""Storage by the key that is the same whoever sees it: space, promises, and when it is full."""

from __future__ import annotations

from dashboards.rules.expressions import STORAGE, held
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_KEYED = """topk by (target, storage_id) (1,
  max by (target, platform, storage, storage_id, storage_key) (hypervisor_storage_info))"""
_NAMED = """topk by (platform, storage_key) (1,
  max by (platform, storage_key, storage) (storage:hypervisor_info:keyed))"""
_KEY = "platform, storage_key"
FREE, CAPACITY = "storage:hypervisor_free:bytes", "storage:hypervisor_capacity:bytes"


def _by_key(aggregate: str, inner: str) -> str:
    """One series for each key, with one of the names that targets give it."""
    return (
        f"{aggregate} by ({_KEY}) (\n({inner})\n"
        "* on (target, storage_id) group_left (platform, storage_key) storage:hypervisor_info:keyed)\n"
        f"* on ({_KEY}) group_left (storage) storage:hypervisor_info:named"
    )


def _held(family: str, settings: Settings) -> str:
    return held(f"max by (target, {STORAGE}_id) ({{}})", family, "storage", settings)


def records(settings: Settings) -> tuple[Record, ...]:
    """One series for each storage."""
    info = held("{}", "hypervisor_storage_info", "storage", settings)
    promised, growth = "storage:hypervisor_provisioned:bytes", "storage:hypervisor_snapshots_growth:bytes_per_second6h"
    return (
        Record("storage:hypervisor_info:keyed", _KEYED.replace("(hypervisor_storage_info)", f"(\n{info})")),
        Record("storage:hypervisor_info:named", _NAMED),
        Record(CAPACITY, _by_key("max", _held("hypervisor_storage_capacity_bytes", settings))),
        Record(FREE, _by_key("min", _held("hypervisor_storage_free_bytes", settings))),
        Record(promised, _by_key("max", _held("hypervisor_storage_provisioned_bytes", settings))),
        Record("storage:hypervisor_used:ratio", f"1 - {FREE} / ({CAPACITY} > 0)"),
        Record("storage:hypervisor_overcommit:ratio", f"{promised} / ({CAPACITY} > 0)"),
        Record("storage:hypervisor_until_full:seconds", f"{FREE} / (-deriv({FREE}[6h]) > 0)"),
        Record(
            "storage:hypervisor_snapshots_size:bytes",
            _by_key("max", _held("hypervisor_storage_snapshots_size_bytes", settings)),
        ),
        Record(
            growth,
            _by_key("max", "max by (target, storage_id) (deriv(hypervisor_storage_snapshots_size_bytes[6h]))"),
        ),
    )
