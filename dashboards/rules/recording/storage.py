"""Storage by the key that is the same whoever sees it: space, promises, and when it is full."""

from __future__ import annotations

from dashboards.rules.expressions import HELD, PLACES, STORAGE, held
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_PLACE = PLACES[STORAGE]
_KEYED = """topk by (target, storage_id) (1,
  max by (target, platform, storage, storage_id, storage_key) (hypervisor_storage_info))"""
_NAMED = """topk by (platform, storage_key) (1,
  max by (platform, storage_key, storage) (storage:hypervisor_info:keyed))"""
_KEY = "platform, storage_key"
FREE, CAPACITY = "storage:hypervisor_free:bytes", "storage:hypervisor_capacity:bytes"
_HELD = "storage:hypervisor_data_held:bool"
"""1 where no target that sees the storage tells anything new."""


def _by_key(aggregate: str, family: str) -> str:
    """One series for each key, with one of the names that targets give it."""
    inner = f"max by (target, storage_id) ({family})"
    return (
        f"{aggregate} by ({_KEY}) (\n({inner})\n"
        "* on (target, storage_id) group_left (platform, storage_key) storage:hypervisor_info:keyed)\n"
        f"* on ({_KEY}) group_left (storage) storage:hypervisor_info:named"
    )


def _kept(name: str, expr: str) -> Record:
    """The same; where no target that sees the storage answers, what was recorded last."""
    return Record(name, f"{expr}\nor on ({_KEY}) ({name} and on ({_KEY}) {_HELD} == 1)")


def records(_settings: Settings) -> tuple[Record, ...]:
    """One series for each storage."""
    promised, growth = "storage:hypervisor_provisioned:bytes", "storage:hypervisor_snapshots_growth:bytes_per_second6h"
    snapshots = "storage:hypervisor_snapshots_size:bytes"
    return (
        Record(_PLACE, held(_PLACE, _KEYED, STORAGE, "storage")),
        Record(
            _HELD, f'min by ({_KEY}) ({_PLACE} * on (target) group_left () {HELD}{{group="storage"}} or 0 * {_PLACE})'
        ),
        Record("storage:hypervisor_info:named", _NAMED),
        _kept(CAPACITY, _by_key("max", "hypervisor_storage_capacity_bytes")),
        _kept(FREE, _by_key("min", "hypervisor_storage_free_bytes")),
        _kept(promised, _by_key("max", "hypervisor_storage_provisioned_bytes")),
        Record("storage:hypervisor_used:ratio", f"1 - {FREE} / ({CAPACITY} > 0)"),
        Record("storage:hypervisor_overcommit:ratio", f"{promised} / ({CAPACITY} > 0)"),
        Record("storage:hypervisor_until_full:seconds", f"{FREE} / (-deriv({FREE}[6h]) > 0)"),
        _kept(snapshots, _by_key("max", "hypervisor_storage_snapshots_size_bytes")),
        Record(growth, _by_key("max", "deriv(hypervisor_storage_snapshots_size_bytes[6h])")),
    )
