"""Hosts: where they are, how busy, how full and how much is promised."""

from __future__ import annotations

from dashboards.rules.expressions import HOST, PLACES, held, one, placed, rate
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_PLACE = PLACES[HOST]
_PLACED = """topk by (target, host_id) (1,
  max by (target, platform, host_id, host, compute_cluster_id, compute_cluster) (hypervisor_host_info))"""
_USABLE = """
  and on (target, host_id) (max by (target, host_id) (hypervisor_host_up) == 1)
  unless on (target, host_id) (max by (target, host_id) (hypervisor_host_maintenance_mode) == 1)"""


def records(settings: Settings) -> tuple[Record, ...]:
    """One series for each host."""
    capacity = one("hypervisor_host_memory_capacity_bytes", HOST)
    return (
        Record(_PLACE, held(_PLACE, _PLACED, HOST, "vitals")),
        Record(
            "host:hypervisor_cpu_busy:ratio_rate",
            placed(
                f"{rate('hypervisor_host_cpu_busy_seconds_total', HOST, settings)}\n"
                f"/ {one('hypervisor_host_cpu_capacity_cpus', HOST)}",
                HOST,
            ),
        ),
        Record(
            "host:hypervisor_memory_used:ratio",
            placed(
                f"1 - {one('hypervisor_host_memory_available_bytes', HOST)} / {capacity}\n"
                f"or {one('hypervisor_host_memory_used_bytes', HOST)} / {capacity}",
                HOST,
            ),
        ),
        Record("host:hypervisor_memory_usable:bytes", placed(f"{capacity}{_USABLE}", HOST)),
        Record("host:hypervisor_cpu_usable:cores", placed(f"{one('hypervisor_host_cpu_cores', HOST)}{_USABLE}", HOST)),
        Record(
            "host:hypervisor_memory_allocated:bytes", placed(one("hypervisor_host_memory_allocated_bytes", HOST), HOST)
        ),
        Record("host:hypervisor_vcpus_allocated:cpus", placed(one("hypervisor_host_vcpus_allocated", HOST), HOST)),
        _overcommit("cpu", "vcpus_allocated", "cpu_cores"),
        _overcommit("memory", "memory_allocated_bytes", "memory_capacity_bytes"),
    )


def _overcommit(what: str, promised: str, there: str) -> Record:
    """What is promised over what is there, also of a target that does not answer now."""
    name = f"host:hypervisor_{what}_overcommit:ratio"
    ratio = f"{one(f'hypervisor_host_{promised}', HOST)}\n/ {one(f'hypervisor_host_{there}', HOST)}"
    return Record(name, held(name, placed(ratio, HOST), HOST, "vitals"))
