"""Families about hosts and their physical adapters."""

from __future__ import annotations

from collections.abc import Iterable

from exporter.catalogue.family import STORAGE, VITALS, Entity, Family, Priority, Row, Section, mapping_of, one_of
from exporter.model import Host

_host = Section(Entity.HOST, VITALS, Priority.HOST)
_rare = Section(Entity.HOST, STORAGE, Priority.DETAIL)
_nic = Section(Entity.HOST_NIC, VITALS, Priority.PART)


def _guests(host: Host) -> Iterable[Row]:
    return () if host.allocation is None else [((state,), count) for state, count in host.allocation.guests.items()]


FAMILIES: tuple[Family, ...] = (
    _host.info(
        "hypervisor_host_info",
        "What the host is: product and version of the hypervisor, hardware, cluster.",
        labels=(
            "product",
            "version",
            "vendor",
            "model",
            "cpu_model",
            "compute_cluster",
            "compute_cluster_id",
            "compute_datacenter",
        ),
        describe=lambda h: (
            h.product,
            h.version,
            h.vendor,
            h.model,
            h.cpu_model,
            h.compute_cluster,
            h.compute_cluster_id,
            h.compute_datacenter,
        ),
    ),
    _host.gauge("hypervisor_host_up", "1 if the host is connected to its management endpoint.", value=lambda h: h.up),
    _host.gauge(
        "hypervisor_host_state",
        "Current state of the host, value 1.",
        labels=("state",),
        each=one_of(lambda h: h.state),
    ),
    _host.gauge(
        "hypervisor_host_maintenance_mode", "1 while the host is in maintenance.", value=lambda h: h.maintenance_mode
    ),
    _host.gauge(
        "hypervisor_host_boot_timestamp_seconds",
        "When the host booted, Unix time.",
        value=lambda h: h.boot_timestamp_seconds,
    ),
    _host.gauge("hypervisor_host_cpu_sockets", "Processor packages.", value=lambda h: h.cpu.sockets),
    _host.gauge("hypervisor_host_cpu_cores", "Physical processor cores.", value=lambda h: h.cpu.cores),
    _host.gauge("hypervisor_host_cpu_threads", "Hardware threads.", value=lambda h: h.cpu.threads),
    _host.gauge("hypervisor_host_cpu_frequency_hertz", "Nominal frequency.", value=lambda h: h.cpu.frequency_hertz),
    _host.gauge(
        "hypervisor_host_cpu_capacity_cpus",
        "Logical processors that can run guests; what busy seconds are measured against.",
        value=lambda h: h.cpu.capacity_cpus,
    ),
    _host.counter(
        "hypervisor_host_cpu_busy_seconds_total",
        "Processor time not idle, summed over logical processors.",
        value=lambda h: h.cpu.busy_seconds,
    ),
    _host.gauge("hypervisor_host_memory_capacity_bytes", "Physical memory.", value=lambda h: h.memory.capacity_bytes),
    _host.gauge(
        "hypervisor_host_memory_used_bytes",
        "Memory in use; on vSphere consumed memory, which stays high after guests stop using it.",
        value=lambda h: h.memory.used_bytes,
    ),
    _host.gauge(
        "hypervisor_host_memory_available_bytes",
        "Memory that new work can have without swapping.",
        value=lambda h: h.memory.available_bytes,
    ),
    _host.gauge(
        "hypervisor_host_memory_swap_used_bytes",
        "Guest memory the host keeps in its swap.",
        value=lambda h: h.memory.swap_used_bytes,
    ),
    _host.gauge(
        "hypervisor_host_memory_ballooned_bytes",
        "Guest memory reclaimed by balloon drivers.",
        value=lambda h: h.memory.ballooned_bytes,
    ),
    _host.counter(
        "hypervisor_host_memory_swap_in_bytes_total",
        "Memory read back from host swap.",
        value=lambda h: h.memory.swap_in_bytes,
    ),
    _host.counter(
        "hypervisor_host_memory_swap_out_bytes_total",
        "Memory written to host swap.",
        value=lambda h: h.memory.swap_out_bytes,
    ),
    _host.gauge(
        "hypervisor_host_guests",
        "Guests of the host by state, templates left out; counted before filters.",
        labels=("state",),
        each=_guests,
        cost=3,
    ),
    _host.gauge(
        "hypervisor_host_vcpus_allocated",
        "Virtual CPUs of the guests that hold memory; counted before filters.",
        value=lambda h: h.allocation and h.allocation.vcpus,
    ),
    _host.gauge(
        "hypervisor_host_memory_allocated_bytes",
        "Memory that the guests that hold memory may get at most; counted before filters.",
        value=lambda h: h.allocation and h.allocation.memory_bytes,
    ),
    _host.gauge(
        "hypervisor_host_memory_assigned_bytes",
        "Memory that the guests that hold memory have now; counted before filters.",
        value=lambda h: h.allocation and h.allocation.memory_assigned_bytes,
    ),
    _nic.counter(
        "hypervisor_host_network_receive_bytes_total", "Bytes received.", value=lambda n: n.traffic.receive_bytes
    ),
    _nic.counter(
        "hypervisor_host_network_transmit_bytes_total", "Bytes sent.", value=lambda n: n.traffic.transmit_bytes
    ),
    _nic.counter(
        "hypervisor_host_network_receive_errors_total", "Receive errors.", value=lambda n: n.traffic.receive_errors
    ),
    _nic.counter(
        "hypervisor_host_network_transmit_errors_total", "Send errors.", value=lambda n: n.traffic.transmit_errors
    ),
    _nic.counter(
        "hypervisor_host_network_receive_drops_total",
        "Packets dropped on receive.",
        value=lambda n: n.traffic.receive_drops,
    ),
    _nic.counter(
        "hypervisor_host_network_transmit_drops_total",
        "Packets dropped on send.",
        value=lambda n: n.traffic.transmit_drops,
    ),
    _host.counter("hypervisor_host_power_joules_total", "Energy consumed.", value=lambda h: h.power_joules),
    _rare.gauge(
        "hypervisor_host_numa_memory_free_bytes",
        "Free memory of a NUMA node.",
        labels=("numa_node",),
        each=mapping_of(lambda h: h.numa_memory_free_bytes),
        cost=2,
        default=False,
    ),
    _rare.gauge(
        "hypervisor_host_hugepages_free",
        "Free huge pages by size.",
        labels=("page_size_bytes",),
        each=mapping_of(lambda h: h.hugepages_free),
        cost=2,
        default=False,
    ),
    _rare.gauge(
        "hypervisor_host_migrations",
        "Live migrations under way.",
        labels=("direction",),
        each=mapping_of(lambda h: h.migrations),
        cost=2,
        default=False,
    ),
)
