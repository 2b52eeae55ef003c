"""Where every shared family comes from on libvirt, or why it is absent."""

from __future__ import annotations

from exporter.contract import Absent, Derived, Native, Support

_BULK = "virDomainListGetStats"
_XML = "virDomainGetXMLDesc"
_NOT_TOLD = Absent("libvirt does not tell")

_HOST: dict[str, Support] = {
    "hypervisor_host_info": Native("virConnectGetType, GetVersion, GetCapabilities, GetSysinfo"),
    "hypervisor_host_up": Derived("equals hypervisor_target_up"),
    "hypervisor_host_state": Derived("connected, as long as the daemon answers"),
    "hypervisor_host_maintenance_mode": Absent("libvirt knows no maintenance"),
    "hypervisor_host_boot_timestamp_seconds": _NOT_TOLD,
    "hypervisor_host_cpu_sockets": Derived("distinct sockets of the capabilities' topology, else virNodeGetInfo"),
    "hypervisor_host_cpu_cores": Derived("distinct cores of the capabilities' topology, else virNodeGetInfo"),
    "hypervisor_host_cpu_threads": Derived("processors of the capabilities' topology, else virNodeGetInfo"),
    "hypervisor_host_cpu_frequency_hertz": Native("virNodeGetInfo mhz"),
    "hypervisor_host_cpu_capacity_cpus": Native("virNodeGetCPUMap, processors online"),
    "hypervisor_host_cpu_busy_seconds_total": Derived("virNodeGetCPUStats, ns: kernel + user + intr"),
    "hypervisor_host_memory_capacity_bytes": Native("virNodeGetMemoryStats total, KiB"),
    "hypervisor_host_memory_used_bytes": Derived("capacity less available"),
    "hypervisor_host_memory_available_bytes": Derived(
        "virNodeGetMemoryStats available (libvirt 12.3), before free + buffers + cached, KiB"
    ),
    "hypervisor_host_memory_swap_used_bytes": _NOT_TOLD,
    "hypervisor_host_memory_ballooned_bytes": Absent("maximum less current is configuration, not a balloon"),
    "hypervisor_host_memory_swap_in_bytes_total": _NOT_TOLD,
    "hypervisor_host_memory_swap_out_bytes_total": _NOT_TOLD,
    "hypervisor_host_guests": Derived("counted"),
    "hypervisor_host_vcpus_allocated": Derived("sum of vcpu.current over guests that hold memory"),
    "hypervisor_host_memory_allocated_bytes": Derived("sum of balloon.maximum over guests that hold memory"),
    "hypervisor_host_memory_assigned_bytes": Derived("sum of balloon.current over guests that hold memory"),
    "hypervisor_host_network_receive_bytes_total": _NOT_TOLD,
    "hypervisor_host_network_transmit_bytes_total": _NOT_TOLD,
    "hypervisor_host_network_receive_errors_total": _NOT_TOLD,
    "hypervisor_host_network_transmit_errors_total": _NOT_TOLD,
    "hypervisor_host_network_receive_drops_total": _NOT_TOLD,
    "hypervisor_host_network_transmit_drops_total": _NOT_TOLD,
    "hypervisor_host_power_joules_total": _NOT_TOLD,
    "hypervisor_host_numa_memory_free_bytes": Native("virNodeGetCellsFreeMemory"),
    "hypervisor_host_hugepages_free": Derived("virNodeGetFreePages, summed over NUMA cells"),
    "hypervisor_host_migrations": Derived(
        "incoming: paused for migration; outgoing: virDomainGetJobStats of guests whose monitor is free"
    ),
}

_GUEST: dict[str, Support] = {
    "hypervisor_guest_info": Native(f"{_XML}; lists of libvirt; with the group agent os.pretty-name of its answer"),
    "hypervisor_guest_running": Derived("from the state"),
    "hypervisor_guest_state": Native(f"{_BULK} state.state"),
    "hypervisor_guest_state_reason": Native(f"{_BULK} state.reason"),
    "hypervisor_guest_migrating": Derived(
        "from the state's reason; absent for guests that run: an outgoing copy does not show in their state"
    ),
    "hypervisor_guest_persistent": Native("virConnectListAllDomains, transient"),
    "hypervisor_guest_autostart": Native("virConnectListAllDomains, autostart"),
    "hypervisor_guest_boot_timestamp_seconds": _NOT_TOLD,
    "hypervisor_guest_agent_up": Native(f"{_XML} channel org.qemu.guest_agent.0 state, as of the last inventory"),
    "hypervisor_guest_io_error": Derived("paused with reason I/O error"),
    "hypervisor_guest_stats_complete": Derived("0 where balloon.rss and all block counters are missing"),
    "hypervisor_guest_vcpus": Native(f"{_BULK} vcpu.current"),
    "hypervisor_guest_cpu_seconds_total": Native(f"{_BULK} vcpu.N.time, ns"),
    "hypervisor_guest_cpu_ready_seconds_total": Native(f"{_BULK} vcpu.N.delay, ns (libvirt 7.2)"),
    "hypervisor_guest_cpu_costop_seconds_total": Absent("virtual CPUs are not co-scheduled"),
    "hypervisor_guest_cpu_limit_cpus": Derived(f"{_XML} cputune: virtual CPUs x quota / period, or the global quota"),
    "hypervisor_guest_cpu_reservation_cpus": Absent("libvirt reserves no CPU"),
    "hypervisor_guest_memory_configured_bytes": Native(f"{_BULK} balloon.maximum, KiB"),
    "hypervisor_guest_memory_assigned_bytes": Native(f"{_BULK} balloon.current, KiB"),
    "hypervisor_guest_memory_host_used_bytes": Native(f"{_BULK} balloon.rss, KiB"),
    "hypervisor_guest_memory_used_bytes": Derived(
        f"{_BULK} balloon.available less usable, else less unused, KiB; while the guest reports (stats period)"
    ),
    "hypervisor_guest_memory_available_bytes": Native(
        f"{_BULK} balloon.usable, else unused, KiB; while the guest reports (stats period)"
    ),
    "hypervisor_guest_memory_active_bytes": _NOT_TOLD,
    "hypervisor_guest_memory_ballooned_bytes": Absent("maximum less current is configuration, not a balloon"),
    "hypervisor_guest_memory_swapped_bytes": _NOT_TOLD,
    "hypervisor_guest_memory_demand_bytes": _NOT_TOLD,
    "hypervisor_guest_memory_pressure_ratio": _NOT_TOLD,
    "hypervisor_guest_memory_limit_bytes": Native(f"{_XML} memtune hard_limit"),
    "hypervisor_guest_memory_reservation_bytes": Native(f"{_XML} memtune min_guarantee"),
    "hypervisor_guest_memory_swap_in_bytes_total": _NOT_TOLD,
    "hypervisor_guest_memory_swap_out_bytes_total": _NOT_TOLD,
    "hypervisor_guest_os_swap_in_bytes_total": Native(f"{_BULK} balloon.swap_in, KiB; while the guest reports"),
    "hypervisor_guest_os_swap_out_bytes_total": Native(f"{_BULK} balloon.swap_out, KiB; while the guest reports"),
    "hypervisor_guest_last_backup_timestamp_seconds": Absent("libvirt keeps no record of backups"),
    "hypervisor_guest_last_checkpoint_timestamp_seconds": Derived(
        "largest creationTime of virDomainCheckpointGetXMLDesc (libvirt 5.6, QEMU)"
    ),
    "hypervisor_guest_last_replication_timestamp_seconds": Absent("libvirt does not replicate"),
    "hypervisor_guest_replication_state": Absent("libvirt does not replicate"),
    "hypervisor_guest_storage_data_timestamp_seconds": Absent("sizes are read when they are collected"),
}

_PARTS: dict[str, Support] = {
    "hypervisor_guest_disk_read_bytes_total": Native(f"{_BULK} block.N.rd.bytes"),
    "hypervisor_guest_disk_written_bytes_total": Native(f"{_BULK} block.N.wr.bytes"),
    "hypervisor_guest_disk_reads_total": Native(f"{_BULK} block.N.rd.reqs"),
    "hypervisor_guest_disk_writes_total": Native(f"{_BULK} block.N.wr.reqs"),
    "hypervisor_guest_disk_read_seconds_total": Native(f"{_BULK} block.N.rd.times, ns"),
    "hypervisor_guest_disk_write_seconds_total": Native(f"{_BULK} block.N.wr.times, ns"),
    "hypervisor_guest_disk_flushes_total": Native(f"{_BULK} block.N.fl.reqs"),
    "hypervisor_guest_disk_flush_seconds_total": Native(f"{_BULK} block.N.fl.times, ns"),
    "hypervisor_guest_disk_errors_total": Absent("libvirt counts no failed operations"),
    "hypervisor_guest_disk_error": Native("virDomainGetDiskErrors, of guests paused by an I/O error"),
    "hypervisor_guest_disk_capacity_bytes": Native(f"{_BULK} block.N.capacity, of guests that run"),
    "hypervisor_guest_disk_allocated_bytes": Derived(
        f"{_BULK} of guests that run: block.N.physical of a file; of a device or network it is not told"
    ),
    "hypervisor_guest_disk_physical_bytes": Native(f"{_BULK} block.N.physical, of guests that run"),
    "hypervisor_guest_disk_chain_depth": Derived(f"{_BULK} backing layers of a disk, of guests that run"),
    "hypervisor_guest_disk_info": Derived(f"{_XML} source and driver; the pool by the path"),
    "hypervisor_guest_network_receive_bytes_total": Native(f"{_BULK} net.N.rx.bytes"),
    "hypervisor_guest_network_transmit_bytes_total": Native(f"{_BULK} net.N.tx.bytes"),
    "hypervisor_guest_network_receive_packets_total": Native(f"{_BULK} net.N.rx.pkts"),
    "hypervisor_guest_network_transmit_packets_total": Native(f"{_BULK} net.N.tx.pkts"),
    "hypervisor_guest_network_receive_drops_total": Native(f"{_BULK} net.N.rx.drop"),
    "hypervisor_guest_network_transmit_drops_total": Native(f"{_BULK} net.N.tx.drop"),
    "hypervisor_guest_network_receive_errors_total": Native(f"{_BULK} net.N.rx.errs"),
    "hypervisor_guest_network_transmit_errors_total": Native(f"{_BULK} net.N.tx.errs"),
    "hypervisor_guest_network_info": Native(f"{_XML} interface"),
    "hypervisor_guest_filesystem_size_bytes": Native("virDomainGetGuestInfo fs.N.total-bytes; opt-in group agent"),
    "hypervisor_guest_filesystem_free_bytes": Derived(
        "virDomainGetGuestInfo fs.N.total-bytes less used-bytes; opt-in group agent"
    ),
}

_SNAPSHOTS: dict[str, Support] = {
    "hypervisor_guest_snapshots": Derived("counted from virDomainListAllSnapshots"),
    "hypervisor_guest_oldest_snapshot_timestamp_seconds": Derived("smallest creationTime"),
    "hypervisor_guest_oldest_snapshot_age_seconds": Derived("the exporter's clock less the smallest creationTime"),
    "hypervisor_guest_snapshot_chain_depth": Derived("longest path over the snapshots' parents"),
    "hypervisor_guest_snapshots_size_bytes": Derived(
        f"overlays of external snapshots of a guest that runs: {_BULK} block.N.physical with BACKING; internal "
        "snapshots lie inside their image and are absent"
    ),
    "hypervisor_guest_backup_snapshots": Derived("by the configured patterns of names"),
    "hypervisor_guest_oldest_backup_snapshot_timestamp_seconds": Derived("by the configured patterns of names"),
    "hypervisor_guest_replication_snapshots": Derived("by the configured patterns of names"),
    "hypervisor_guest_consolidation_needed": _NOT_TOLD,
    "hypervisor_guest_orphaned_overlays": Derived(
        f"{_XML} backing chain of guests that run, less overlays that a snapshot names, shared bases and images"
    ),
    "hypervisor_storage_snapshots_size_bytes": Absent("what internal snapshots take is not known"),
    "hypervisor_snapshot_created_timestamp_seconds": Native("virDomainSnapshotGetXMLDesc creationTime"),
    "hypervisor_snapshot_size_bytes": Derived("as hypervisor_guest_snapshots_size_bytes, per snapshot"),
    "hypervisor_snapshot_info": Native("virDomainSnapshotGetXMLDesc, virDomainSnapshotCurrent"),
}

_STORAGE: dict[str, Support] = {
    "hypervisor_storage_info": Derived("virStoragePoolGetXMLDesc type and source"),
    "hypervisor_storage_accessible": Derived("virStoragePoolGetInfo state: running or degraded"),
    "hypervisor_storage_hosts": _NOT_TOLD,
    "hypervisor_storage_hosts_accessible": _NOT_TOLD,
    "hypervisor_storage_capacity_bytes": Native("virStoragePoolGetInfo capacity, as of libvirt's last refresh"),
    "hypervisor_storage_free_bytes": Native("virStoragePoolGetInfo available, as of libvirt's last refresh"),
    "hypervisor_storage_provisioned_bytes": Derived(
        "capacity less available, and capacity less allocation of volumes that back no other; with the option volumes"
    ),
    "hypervisor_storage_data_timestamp_seconds": Absent("libvirt does not tell when it last looked at a pool"),
}

_TARGET: dict[str, Support] = {
    "hypervisor_target_clock_offset_seconds": Absent("libvirt does not tell the host's time"),
}

SUPPORT: dict[str, Support] = {**_HOST, **_GUEST, **_PARTS, **_SNAPSHOTS, **_STORAGE, **_TARGET}
