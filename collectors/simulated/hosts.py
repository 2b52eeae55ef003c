"""Vitals of hosts and clusters at one moment."""

from __future__ import annotations

from collectors.simulated import names
from collectors.simulated.curves import Moment, wave
from collectors.simulated.dice import Dice
from collectors.simulated.fleet import OVERHEAD_CPU, OVERHEAD_MEMORY
from collectors.simulated.life import floored, host_boot, host_seen, host_state
from collectors.simulated.looks.look import Look
from collectors.simulated.plans import ClusterPlan, HostPlan
from exporter.model import Cluster, Host, HostCpu, HostMemory, HostNic, HostState, Traffic

HERTZ = 2.1e9
WATTS_IDLE, WATTS_PER_CPU = 120.0, 6.0


class HostVitals:
    """Makes the vitals of hosts and clusters in one look."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._has = frozenset(name.removeprefix("hypervisor_") for name in look.support if look.delivers(name))

    def observe(self, host: HostPlan, moment: Moment, busy_seconds: float, guests_bytes: float) -> Host:
        """One host, with the processor time and the memory that are in use on it."""
        at, has, look = moment.at, self._has, self._look
        state, seen = host_state(host, at), host_seen(host, at)
        boot = host_boot(host, at)
        vendor, model = Dice(host.cluster.id, "hardware").one_of(names.VENDORS)
        alone = look.single_host
        return Host(
            id=host.id,
            name=host.name,
            product=look.product,
            version=look.version,
            vendor=vendor,
            model=model,
            cpu_model=names.CPU,
            compute_cluster="" if alone else host.cluster.name,
            compute_cluster_id="" if alone else look.words.cluster_id(host.cluster),
            compute_datacenter="" if alone else host.cluster.datacenter,
            up=seen,
            state=state,
            maintenance_mode=state is HostState.MAINTENANCE if "host_maintenance_mode" in has and seen else None,
            boot_timestamp_seconds=float(int(boot)) if "host_boot_timestamp_seconds" in has and seen else None,
            cpu=HostCpu(
                host.sockets, host.cores, host.threads, HERTZ, host.threads, floored(busy_seconds) if seen else None
            ),
            memory=self._memory(host, guests_bytes, at - boot) if seen else HostMemory(host.memory),
            nics=self._nics(host, moment, boot) if seen else (),
            power_joules=self._joules(at - boot, busy_seconds) if seen else None,
            extra=look.host_extra(host, busy_seconds) if look.host_extra is not None and seen else {},
        )

    def _memory(self, host: HostPlan, guests_bytes: float, up_seconds: float) -> HostMemory:
        has = self._has
        used = float(int(OVERHEAD_MEMORY * host.memory + guests_bytes))
        lacking = host.pressure * host.memory
        swaps = int(lacking / 1e6 * up_seconds)
        return HostMemory(
            capacity_bytes=host.memory,
            used_bytes=used,
            available_bytes=host.memory - used,
            swap_used_bytes=float(int(lacking / 8)) if "host_memory_swap_used_bytes" in has else None,
            ballooned_bytes=float(int(lacking / 2)) if "host_memory_ballooned_bytes" in has else None,
            swap_in_bytes=swaps // 2 if "host_memory_swap_in_bytes_total" in has else None,
            swap_out_bytes=swaps if "host_memory_swap_out_bytes_total" in has else None,
        )

    def _nics(self, host: HostPlan, moment: Moment, boot: float) -> tuple[HostNic, ...]:
        has = self._has
        if "host_network_receive_bytes_total" not in has:
            return ()
        day = host.rhythm.day
        active = 0.3 * (moment.at - boot) + 0.7 * (moment.days[day] - wave(86_400.0, day, boot))
        errors = 0 if "host_network_receive_errors_total" in has else None
        drops = 0 if "host_network_receive_drops_total" in has else None
        return tuple(
            HostNic(
                f"nic{number}",
                Traffic(
                    receive_bytes=int(active * (3e7 + 1e6 * host.index) / (1 + number)),
                    transmit_bytes=int(active * (2e7 + 1e6 * host.index) / (1 + number)),
                    receive_errors=errors,
                    transmit_errors=errors,
                    receive_drops=drops,
                    transmit_drops=drops,
                ),
            )
            for number in range(2)
        )

    def _joules(self, up_seconds: float, busy_seconds: float) -> float | None:
        if "host_power_joules_total" not in self._has:
            return None
        return float(int(WATTS_IDLE * up_seconds + WATTS_PER_CPU * busy_seconds))

    def cluster(self, cluster: ClusterPlan, moment: Moment) -> Cluster:
        """One cluster."""
        has = self._has
        up = [host for host in cluster.hosts if host_state(host, moment.at) is HostState.CONNECTED]
        always = self._look.ha
        available = bool(always) or len(cluster.hosts) > 2

        def where(family: str, value: float) -> float | None:
            return value if f"cluster_{family}" in has else None

        return Cluster(
            id=self._look.words.cluster_id(cluster),
            name=cluster.name,
            ha=always or ("on" if available else "off"),
            drs="fullyAutomated" if self._look.name == "vsphere" else "",
            hosts=len(cluster.hosts),
            hosts_up=len(up),
            cpu_capacity_cpus=float(sum(host.threads for host in cluster.hosts)),
            memory_capacity_bytes=sum(host.memory for host in cluster.hosts),
            cpu_effective_hertz=where(
                "cpu_effective_hertz", sum(HERTZ * host.cores for host in up) * (1 - OVERHEAD_CPU)
            ),
            memory_effective_bytes=where(
                "memory_effective_bytes", float(int(sum(host.memory for host in up) * (1 - OVERHEAD_MEMORY)))
            ),
            ha_enabled=available if "cluster_ha_enabled" in has else None,
            admission_control_enabled=available if "cluster_admission_control_enabled" in has else None,
            failover_hosts=max(0, len(up) - 2) if "cluster_failover_hosts" in has else None,
            quorate=2 * len(up) > len(cluster.hosts) if "cluster_quorate" in has else None,
        )

    def rare(self, host: HostPlan, guests: int, arriving: int) -> Host:
        """What is told on request only: NUMA nodes, huge pages, migrations."""
        free = float(int(host.memory * (1 - min(0.95, 0.1 + guests / 40)) / host.sockets))
        return Host(
            id=host.id,
            name=host.name,
            numa_memory_free_bytes={str(node): free for node in range(host.sockets)},
            hugepages_free={"2097152": float(512 - guests % 512), "1073741824": 0.0},
            migrations={"incoming": float(arriving), "outgoing": float(arriving)},
        )
