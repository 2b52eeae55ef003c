"""The catalogue against docs/metrics.md, written down here a second time by hand: these names are promises."""

import pytest

from exporter.catalogue import SHARED

# Group and kind (V vitals, S storage, P snapshots, I inventory, - rendered by the parent; g gauge, c counter, i info),
# a star where the family is off by default, the name less its prefix, and its own labels.
SCHEMA = """
-g  target_up
-i  target_info address product version api_version
-g  target_last_success_timestamp_seconds group
-g  target_collection_duration_seconds group
-c  target_collections_total group outcome
-g  target_interval_seconds group
-g  target_problems group problem
-g  target_objects kind
-c  target_api_requests_total operation
-c  target_api_request_seconds_total operation
-c  target_api_received_bytes_total operation
-g  target_clock_offset_seconds
-g  target_tls_verified
-g  target_tls_not_after_timestamp_seconds
-g  target_breaker_state state

-i  exporter_build_info version python
-g  exporter_config_last_reload_successful
-g  exporter_config_last_reload_success_timestamp_seconds
-g  exporter_workers
-c  exporter_worker_restarts_total
-c  exporter_worker_cpu_seconds_total worker
-g  exporter_worker_resident_memory_bytes worker
-g  exporter_worker_targets worker
-g  exporter_abandoned_calls
-g  exporter_series
-c  exporter_series_dropped_total target reason
-c  exporter_labels_sanitised_total
-c  exporter_samples_rejected_total reason
-g  exporter_shard_index
-g  exporter_shards

Vi  host_info product version vendor model cpu_model compute_cluster compute_cluster_id compute_datacenter
Vg  host_up
Vg  host_state state
Vg  host_maintenance_mode
Vg  host_boot_timestamp_seconds
Vg  host_cpu_sockets
Vg  host_cpu_cores
Vg  host_cpu_threads
Vg  host_cpu_frequency_hertz
Vg  host_cpu_capacity_cpus
Vc  host_cpu_busy_seconds_total
Vg  host_memory_capacity_bytes
Vg  host_memory_used_bytes
Vg  host_memory_available_bytes
Vg  host_memory_swap_used_bytes
Vg  host_memory_ballooned_bytes
Vc  host_memory_swap_in_bytes_total
Vc  host_memory_swap_out_bytes_total
Vg  host_guests state
Vg  host_vcpus_allocated
Vg  host_memory_allocated_bytes
Vg  host_memory_assigned_bytes
Vc  host_network_receive_bytes_total
Vc  host_network_transmit_bytes_total
Vc  host_network_receive_errors_total
Vc  host_network_transmit_errors_total
Vc  host_network_receive_drops_total
Vc  host_network_transmit_drops_total
Vc  host_power_joules_total
Sg* host_numa_memory_free_bytes numa_node
Sg* host_hugepages_free page_size_bytes
Sg* host_migrations direction

Vi  guest_info host host_id compute_cluster compute_cluster_id compute_datacenter folder resource_pool os kind role native_id bios_uuid saved tags
Vg  guest_running
Vg  guest_state state
Vg  guest_migrating
Vg  guest_state_reason reason
Vg  guest_persistent
Ig  guest_autostart
Vg  guest_boot_timestamp_seconds
Vg  guest_vcpus
Vc  guest_cpu_seconds_total
Vc  guest_cpu_ready_seconds_total
Vc  guest_cpu_costop_seconds_total
Vg* guest_cpu_limit_cpus
Vg* guest_cpu_reservation_cpus
Vg* guest_memory_limit_bytes
Vg* guest_memory_reservation_bytes
Vg  guest_memory_configured_bytes
Vg  guest_memory_assigned_bytes
Vg  guest_memory_host_used_bytes
Vg  guest_memory_used_bytes
Vg  guest_memory_available_bytes
Vg  guest_memory_active_bytes
Vg  guest_memory_ballooned_bytes
Vg  guest_memory_swapped_bytes
Vg  guest_memory_demand_bytes
Vg  guest_memory_pressure_ratio
Vc  guest_memory_swap_in_bytes_total
Vc  guest_memory_swap_out_bytes_total
Vc  guest_os_swap_in_bytes_total
Vc  guest_os_swap_out_bytes_total
Vc  guest_disk_read_bytes_total
Vc  guest_disk_written_bytes_total
Vc  guest_disk_reads_total
Vc  guest_disk_writes_total
Vc  guest_disk_read_seconds_total
Vc  guest_disk_write_seconds_total
Vc* guest_disk_flushes_total
Vc* guest_disk_flush_seconds_total
Vc  guest_disk_errors_total
Vg  guest_disk_error error
Sg  guest_disk_capacity_bytes
Sg  guest_disk_allocated_bytes
Si  guest_disk_info storage storage_id path format
Sg* guest_disk_physical_bytes
Sg* guest_disk_chain_depth
Vc  guest_network_receive_bytes_total
Vc  guest_network_transmit_bytes_total
Vc  guest_network_receive_packets_total
Vc  guest_network_transmit_packets_total
Vc  guest_network_receive_drops_total
Vc  guest_network_transmit_drops_total
Vc  guest_network_receive_errors_total
Vc  guest_network_transmit_errors_total
Ii  guest_network_info mac network
Sg  guest_filesystem_size_bytes
Sg  guest_filesystem_free_bytes
Vg  guest_agent_up
Vg  guest_io_error
Pg  guest_last_backup_timestamp_seconds
Pg  guest_last_checkpoint_timestamp_seconds
Pg  guest_last_replication_timestamp_seconds
Pg  guest_replication_state state
Pg  guest_storage_data_timestamp_seconds
Vg  guest_stats_complete

Pg  guest_snapshots
Pg  guest_oldest_snapshot_timestamp_seconds
Pg  guest_oldest_snapshot_age_seconds
Pg  guest_snapshot_chain_depth
Pg  guest_snapshots_size_bytes
Pg  guest_backup_snapshots
Pg  guest_oldest_backup_snapshot_timestamp_seconds
Pg  guest_replication_snapshots
Pg  guest_consolidation_needed
Pg  guest_orphaned_overlays
Pg  storage_snapshots_size_bytes
Pg* snapshot_created_timestamp_seconds
Pg* snapshot_size_bytes
Pi* snapshot_info parent_id kind memory quiesced current state

Si  storage_info backing shared storage_key storage_cluster
Sg  storage_accessible
Sg  storage_hosts
Sg  storage_hosts_accessible
Sg  storage_capacity_bytes
Sg  storage_free_bytes
Sg  storage_provisioned_bytes
Sg  storage_data_timestamp_seconds

Vi  cluster_info ha drs
Vg  cluster_hosts
Vg  cluster_hosts_up
Vg  cluster_cpu_capacity_cpus
Vg  cluster_memory_capacity_bytes
Vg  cluster_cpu_effective_hertz
Vg  cluster_memory_effective_bytes
Vg  cluster_ha_enabled
Vg  cluster_admission_control_enabled
Vg  cluster_failover_hosts
Vg  cluster_quorate
"""  # noqa: E501

GROUPS = {"V": "vitals", "S": "storage", "P": "snapshots", "I": "inventory", "-": ""}
KINDS = {"g": "gauge", "c": "counter", "i": "info"}
IDENTITY = {
    "target": ("target", "platform"),
    "exporter": (),
    "host": ("target", "platform", "host", "host_id"),
    "host_network": ("target", "platform", "host", "host_id", "nic"),
    "guest": ("target", "platform", "guest", "guest_id"),
    "guest_disk": ("target", "platform", "guest", "guest_id", "disk"),
    "guest_network": ("target", "platform", "guest", "guest_id", "nic"),
    "guest_filesystem": ("target", "platform", "guest", "guest_id", "mountpoint"),
    "snapshot": ("target", "platform", "guest", "guest_id", "snapshot", "snapshot_id"),
    "storage": ("target", "platform", "storage", "storage_id"),
    "cluster": ("target", "platform", "compute_cluster", "compute_cluster_id"),
}


def promised():
    for line in filter(None, SCHEMA.splitlines()):
        marks, name, *labels = line.split()
        yield pytest.param(marks, f"hypervisor_{name}", tuple(labels), id=name)


@pytest.mark.parametrize(("marks", "name", "labels"), list(promised()))
def test_a_promised_family_is_as_promised(marks, name, labels):
    family = next(family for family in SHARED if family.name == name)
    about = name.removeprefix("hypervisor_")
    subject = max((subject for subject in IDENTITY if about.startswith(subject + "_")), key=len)

    assert family.group == GROUPS[marks[0]]
    assert family.kind == KINDS[marks[1]]
    assert family.default == (not marks.endswith("*"))
    assert family.labels == labels
    assert family.entity.identity == IDENTITY[subject]


def test_nothing_is_in_the_catalogue_that_was_not_promised():
    assert [family.name for family in SHARED if family.name not in {param.values[1] for param in promised()}] == []
