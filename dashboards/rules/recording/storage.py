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
UNTIL_FULL, REACHED = "storage:hypervisor_until_full:seconds", "storage:hypervisor_accessible:bool"
CUT_OFF, REDIRECTED = "storage:hypervisor_hosts_cut_off:count", "storage:hypervisor_hyperv_csv_no_direct_io:bool"
_JOIN = f"* on (target, storage_id) group_left (platform, storage_key) {_PLACE}"
_HELD = "storage:hypervisor_data_held:bool"
"""1 where no target that sees the storage tells anything new."""


def _keyed(family: str, selector: str = "") -> str:
    """One series for each target that sees the storage, with its key."""
    return f"(max by (target, storage_id) ({family}))\n{_JOIN}{selector}"


def _named(expr: str) -> str:
    """With one of the names that targets give the storage."""
    return f"{expr}\n* on ({_KEY}) group_left (storage) storage:hypervisor_info:named"


def _by_key(aggregate: str, family: str) -> str:
    """One series for each key."""
    return _named(f"{aggregate} by ({_KEY}) (\n{_keyed(family)})")


def _of_snapshots(family: str) -> str:
    """Each libvirt daemon knows the snapshots of its own guests, so they add up; other endpoints know those of all."""
    apart = _keyed(family, '{platform="libvirt"}')
    return _named(
        f"(sum by ({_KEY}) (max by (target, {_KEY}) (\n{apart}))\nor on ({_KEY}) max by ({_KEY}) (\n{_keyed(family)}))"
    )


def _cut_off() -> str:
    """Hosts that do not reach it; where each host is a target of its own, those that cannot use it are counted."""
    hosts, accessible = (
        f"max by (target, storage_id) (hypervisor_storage_{what})" for what in ("hosts", "hosts_accessible")
    )
    reached = "max by (target, storage_id) (hypervisor_storage_accessible)"
    missing = f"max by ({_KEY}) (({hosts}\n- {accessible})\n{_JOIN}) > 0"
    alone = f"count by ({_KEY}) (({reached} == 0)\n{_JOIN})"
    return _named(f"({missing}\nor {alone} and on ({_KEY}) {REACHED} == 1)")


def _kept(name: str, expr: str) -> Record:
    """The same; where no target that sees the storage answers, what was recorded last."""
    return Record(name, f"{expr}\nor on ({_KEY}) ({name} and on ({_KEY}) {_HELD} == 1)")


def records(_settings: Settings) -> tuple[Record, ...]:
    """One series for each storage."""
    promised, growth = "storage:hypervisor_provisioned:bytes", "storage:hypervisor_snapshots_growth:bytes_per_second6h"
    snapshots = "storage:hypervisor_snapshots_size:bytes"
    fall = _keyed("deriv(hypervisor_storage_free_bytes[6h])")
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
        # Of the raw series: what is held stands still, and would count as slow for hours after an outage.
        _kept(
            UNTIL_FULL,
            f"{FREE}\n/ on ({_KEY}) group_left () (-min by ({_KEY}) (\n{fall}) > 0)",
        ),
        _kept(snapshots, _of_snapshots("hypervisor_storage_snapshots_size_bytes")),
        _kept(growth, _of_snapshots("deriv(hypervisor_storage_snapshots_size_bytes[6h])")),
        _kept(REACHED, _by_key("max", "hypervisor_storage_accessible")),
        _kept(CUT_OFF, _cut_off()),
        _kept(REDIRECTED, _by_key("max", "hypervisor_hyperv_csv_no_direct_io")),
    )
