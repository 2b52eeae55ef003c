"""Clusters: can they lose their largest host, and is anything of them missing.

A cluster may be seen by several targets, and a host of it by two: each host counts once. Of a cluster whose targets all
tell nothing new, what was recorded last counts; where one of several libvirt hosts is silent, the others go on, and it
is missed.
"""

from __future__ import annotations

from dashboards.rules.expressions import ASLEEP, HELD, HOST, PLACES
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_KEY = "platform, compute_cluster_id"
_SOME = '{compute_cluster_id!=""}'
_PLACE = f"{PLACES[HOST]}{_SOME}"
_NAMED = "cluster:hypervisor_info:named"
_HELD = "cluster:hypervisor_data_held:bool"
"""1 where no target that shows the cluster tells anything new."""
_UP = "max by (target, host_id) (hypervisor_host_up)"
MISSING, HEADROOM = "cluster:hypervisor_hosts_missing:count", "cluster:hypervisor_memory_n1_headroom:bytes"
QUORATE, HA, VERSIONS = (
    "cluster:hypervisor_quorate:bool",
    "cluster:hypervisor_ha_enabled:bool",
    "cluster:hypervisor_versions:count",
)
FAILED = "cluster:hypervisor_hyperv_groups_failed:count"


def _hosts(aggregate: str, series: str) -> str:
    """One number for each cluster, of each of its hosts once."""
    return f"{aggregate} by ({_KEY}) (max by ({_KEY}, host_id) ({series}))"


def _named(expr: str) -> str:
    """With one of the names that targets give the cluster: in a rename they disagree for minutes."""
    return f"({expr})\n* on ({_KEY}) group_left (compute_cluster) {_NAMED}"


def _one_name() -> str:
    """The name that was recorded last, as long as a target tells it: which of equals topk takes differs each time."""
    name = f"{_KEY}, compute_cluster"
    names = f"(max by ({name}) ({_PLACE}) or on ({_KEY}) max by ({name}) (hypervisor_cluster_info))"
    return f"topk by ({_KEY}) (1, {names} and on ({name}) {_NAMED}\n  or on ({_KEY}) {names})"


def _told(family: str, selector: str = "") -> str:
    """What platforms tell of a cluster as such."""
    return f"max by ({_KEY}) ({family}{selector})"


def _kept(name: str, expr: str) -> Record:
    return Record(name, f"{_named(expr)}\nor on ({_KEY}) ({name} and on ({_KEY}) {_HELD} == 1)")


def _headroom(usable: str, allocated: str) -> str:
    """Hosts that are down or in maintenance count for nothing, but a cluster of two that has lost one has no spare."""
    usable, allocated = usable + _SOME, allocated + _SOME
    return (
        f"({_hosts('sum', usable)}\n - {_hosts('max', usable)}\n - {_hosts('sum', allocated)})\n"
        f"and on ({_KEY}) {_hosts('count', _PLACE)} > 1"
    )


def _missing() -> str:
    """Where nobody counts the cluster's hosts, those that were there within the time that targets are held."""
    up = f"{_PLACE} and on (target, host_id) ({_UP} == 1)"
    known = _hosts("count", _PLACE)
    asleep = f"{_PLACE} and on (target, host_id) ({ASLEEP} == 1) unless on (target, host_id) ({_UP} == 1)"
    counted = _told("hypervisor_cluster_hosts")
    return (
        f"{counted} - {_told('hypervisor_cluster_hosts_up')}"
        f" - ({_hosts('count', asleep)} or on ({_KEY}) 0 * {counted})\n"
        f"or on ({_KEY}) ({known} - ({_hosts('count', up)} or on ({_KEY}) 0 * {known})\n"
        f"  unless on ({_KEY}) {_HELD} == 1)"
    )


def records(_settings: Settings) -> tuple[Record, ...]:
    """One series for each cluster."""
    return (
        Record(_NAMED, _one_name()),
        Record(
            _HELD, f'min by ({_KEY}) ({_PLACE} * on (target) group_left () {HELD}{{group="vitals"}} or 0 * {_PLACE})'
        ),
        _kept(HEADROOM, _headroom("host:hypervisor_memory_usable:bytes", "host:hypervisor_memory_allocated:bytes")),
        *(
            Record(
                f"cluster:hypervisor_{what}_overcommit:ratio",
                _named(f"{_hosts('sum', allocated + _SOME)}\n/ {_hosts('sum', usable + _SOME)}"),
            )
            for what, allocated, usable in (
                ("memory", "host:hypervisor_memory_allocated:bytes", "host:hypervisor_memory_usable:bytes"),
                ("cpu", "host:hypervisor_vcpus_allocated:cpus", "host:hypervisor_cpu_usable:cores"),
            )
        ),
        _kept(MISSING, _missing()),
        _kept(QUORATE, _told("hypervisor_cluster_quorate")),
        _kept(HA, f"{_told('hypervisor_cluster_ha_enabled')}\nand on ({_KEY}) {_told('hypervisor_cluster_hosts')} > 1"),
        _kept(VERSIONS, f"count by ({_KEY}) (max by ({_KEY}, version) (hypervisor_host_info{_SOME}))"),
        _kept(FAILED, _told("hypervisor_hyperv_cluster_groups", '{state="failed"}')),
    )
