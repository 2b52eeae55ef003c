"""Hosts: where they are, how busy, how full and how much is promised."""

from __future__ import annotations

from dashboards.rules.expressions import HOST, held, identity, one, placed, rate
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_USABLE = """
  and on (target, host_id) (max by (target, host_id) (hypervisor_host_up) == 1)
  unless on (target, host_id) (max by (target, host_id) (hypervisor_host_maintenance_mode) == 1)"""


def records(settings: Settings) -> tuple[Record, ...]:
    """One series for each host."""
    capacity = one("hypervisor_host_memory_capacity_bytes", HOST)
    return (
        Record(
            "host:hypervisor_info:placed",
            "topk by (target, host_id) (1,\n"
            "  max by (target, platform, host_id, host, compute_cluster_id, compute_cluster) (\n"
            f"{held('{}', 'hypervisor_host_info', 'vitals', settings)}))",
        ),
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
        Record(
            "host:hypervisor_cpu_overcommit:ratio",
            placed(f"({_known('vcpus_allocated', settings)})\n/ ({_known('cpu_cores', settings)})", HOST),
        ),
        Record(
            "host:hypervisor_memory_overcommit:ratio",
            placed(
                f"({_known('memory_allocated_bytes', settings)})\n/ ({_known('memory_capacity_bytes', settings)})", HOST
            ),
        ),
    )


def _known(family: str, settings: Settings) -> str:
    """One series for each host, also of a target that does not answer now."""
    return held(f"max by ({identity(HOST)}) ({{}})", f"hypervisor_host_{family}", "vitals", settings)
