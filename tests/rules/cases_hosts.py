"""Alerts on hosts and clusters."""

from tests.rules.story import CLUSTER, HOST, OF_HOST, Story

_CAPACITY = {"hypervisor_host_memory_capacity_bytes": "100x*"}
_OVER = {**OF_HOST, **_CAPACITY, "hypervisor_host_memory_allocated_bytes": "126x*"}
_HURTS = "HypervisorHostMemoryOvercommitHurts"
_OTHER = 'host_id="<host_id>-2",host="<host>-2"'
_INFO = "hypervisor_cluster_info"
_PLACE = 'compute_cluster="<compute_cluster>",compute_cluster_id="<compute_cluster_id>"'
_TWO_HOSTS = {**OF_HOST, f'hypervisor_host_info{{{_OTHER},{_PLACE},version="8"}}': "1x*"}

STORIES = (
    Story(
        "HypervisorHostDown",
        {**OF_HOST, "hypervisor_host_up": "1x4 0x20 1x*", "hypervisor_target_up": "1x*"},
        {"hypervisor_target_up": "0x*"},  # then the target is what is down
        fires=5 + 5,
        resolves=26 + 5,
        labels=HOST,
    ),
    # Power management has sent it to sleep.
    Story(
        "HypervisorHostDown",
        {**OF_HOST, "hypervisor_host_up": "1x4 0x20 1x*", "hypervisor_target_up": "1x*"},
        {'hypervisor_host_state{state="standby"}': "0x4 1x20 0x*"},
        fires=5 + 5,
        resolves=26 + 5,
        labels=HOST,
    ),
    # In maintenance from minute 60; for a whole hour from 120; for 3 days (4320 minutes) from 4440. Ends at 4461.
    Story(
        "HypervisorHostMaintenanceForgotten",
        {**OF_HOST, "hypervisor_host_maintenance_mode": "0x59 1x4400 0x*"},
        {"hypervisor_host_maintenance_mode": "0x59 1x4300 0x*"},
        fires=120 + 4320,
        resolves=4461 + 15,
        labels=HOST,
    ),
    # Booted at minute 12; 15 minutes later, at 27, that is no news any more.
    Story(
        "HypervisorHostRebooted",
        {**OF_HOST, "hypervisor_host_boot_timestamp_seconds": "-86400x11 720x*"},
        {"hypervisor_host_boot_timestamp_seconds": "-900x*"},
        fires=12,
        resolves=27 + 5,
        labels=HOST,
        value="0s",
        last="14m 0s",
    ),
    *(
        Story(
            "HypervisorHostHardwareFailing",
            {**OF_HOST, f'{family}{{{part}state="red"}}': "0x4 2x40 0x*"},
            {f'{family}{{{part}state="red"}}': "0x*", f'{family}{{{part}state="yellow"}}': "2x*"},
            fires=5 + 15,
            resolves=46 + 15,
            labels=HOST,
            value="2",
        )
        for family, part in (
            ("hypervisor_vsphere_host_sensors", ""),
            ("hypervisor_vsphere_host_hardware_elements", 'part="memory",'),
        )
    ),
    # 21 days are 1814400 s: at minute 10 exactly these are left. At 71: 20 d 82740 s, at 80: 82200 s. Renewed at 81.
    Story(
        "HypervisorHostCertificateEnds",
        {**OF_HOST, "hypervisor_vsphere_host_certificate_not_after_timestamp_seconds": "1815000x80 99999999x*"},
        {"hypervisor_vsphere_host_certificate_not_after_timestamp_seconds": "1814400+60x*"},
        fires=11 + 60,
        resolves=81 + 10,
        labels=HOST,
        value="20d 22h 59m 0s",
        last="20d 22h 50m 0s",
    ),
    # 546 s a minute are 9.1 of 10 CPUs, seen from minute 4 (with 4 of 5 minutes) to 50; at 51 the rate is 7.28.
    Story(
        "HypervisorHostCpuSaturated",
        {
            **OF_HOST,
            "hypervisor_host_cpu_capacity_cpus": "10x*",
            "hypervisor_host_cpu_busy_seconds_total": "1000000+546x50 1027300x*",
        },
        {"hypervisor_host_cpu_busy_seconds_total": "1000000+539x*"},
        fires=4 + 30,
        resolves=51 + 10,
        labels=HOST,
        value="91%",
    ),
    Story(
        "HypervisorHostMemoryFull",
        {
            **OF_HOST,
            "hypervisor_host_memory_capacity_bytes": "1000x*",
            "hypervisor_host_memory_available_bytes": "100x4 49x30 100x*",
        },
        {"hypervisor_host_memory_available_bytes": "51x*"},
        fires=5 + 15,
        resolves=36 + 10,
        labels=HOST,
        value="95.1%",
    ),
    # Where only the used memory is told.
    Story(
        "HypervisorHostMemoryFull",
        {
            **OF_HOST,
            "hypervisor_host_memory_capacity_bytes": "1000x*",
            "hypervisor_host_memory_used_bytes": "900x4 951x30 900x*",
        },
        {"hypervisor_host_memory_used_bytes": "949x*"},
        fires=5 + 15,
        resolves=36 + 10,
        labels=HOST,
        value="95.1%",
    ),
    # 2 MiB/s from minute 10 to 41. Of a window of 5 minutes at 13 three, at 43 three, at 44 two: 1.2, 1.2, 0.8 MiB/s.
    Story(
        "HypervisorHostSwapping",
        {
            **OF_HOST,
            "hypervisor_host_memory_swap_in_bytes_total": "5x10 125829125+125829120x30 3900702725x*",
        },
        {"hypervisor_host_memory_swap_in_bytes_total": "5+62000000x*"},
        fires=13 + 10,
        resolves=44 + 10,
        labels=HOST,
        value="2Mi",
        last="1.2Mi",
    ),
    # 1 + 0.5 a second from minute 10 to 51: four minutes of five make 1.2, three 0.9.
    Story(
        "HypervisorHostNetworkErrors",
        {
            **OF_HOST,
            'hypervisor_host_network_receive_errors_total{nic="<nic>"}': "0x10 60+60x40 2460x*",
            'hypervisor_host_network_transmit_errors_total{nic="<nic>"}': "0x10 30+30x40 1230x*",
        },
        {
            'hypervisor_host_network_receive_errors_total{nic="<nic>"}': "0+30x*",
            'hypervisor_host_network_transmit_errors_total{nic="<nic>"}': "0+29x*",
        },
        fires=14 + 15,
        resolves=53 + 10,
        labels=HOST,
        value="1.5",
        last="1.2",
    ),
    Story(
        "HypervisorHostMemoryOvercommitted",
        {**OF_HOST, **_CAPACITY, "hypervisor_host_memory_allocated_bytes": "100x4 126x40 100x*"},
        {"hypervisor_host_memory_allocated_bytes": "125x*"},
        fires=5 + 30,
        resolves=46 + 15,
        labels=HOST,
        value="126%",
    ),
    # What the account does not see is not judged.
    Story(
        "HypervisorHostMemoryOvercommitted",
        {**OF_HOST, **_CAPACITY, "hypervisor_host_memory_allocated_bytes": "100x4 126x40 100x*"},
        {'hypervisor_target_problems{group="vitals",problem="blind_spot"}': "1x*"},
        fires=5 + 30,
        resolves=46 + 15,
        labels=HOST,
        value="126%",
    ),
    *(
        Story(
            _HURTS, {**_OVER, family: "0x4 1x30 0x*"}, below, fires=5 + 10, resolves=36 + 15, labels=HOST, value="126%"
        )
        for family, below in (
            ("hypervisor_host_memory_ballooned_bytes", {"hypervisor_host_memory_ballooned_bytes": "0x*"}),
            ("hypervisor_host_memory_ballooned_bytes", {"hypervisor_host_memory_allocated_bytes": "125x*"}),
        )
    ),
    # Swapped in from minute 10 to 41; of that, a window of 5 minutes still knows at 45 and not at 46.
    Story(
        _HURTS,
        {**_OVER, "hypervisor_host_memory_swap_in_bytes_total": "5x10 5+5x31 160x*"},
        {"hypervisor_host_memory_swap_in_bytes_total": "160x*"},
        fires=12 + 10,
        resolves=47 + 15,
        labels=HOST,
        value="126%",
    ),
    Story(
        _HURTS,
        {**_OVER, "hypervisor_host_memory_available_bytes": "50x4 4x30 50x*"},
        {"hypervisor_host_memory_available_bytes": "6x*"},
        fires=5 + 10,
        resolves=36 + 15,
        labels=HOST,
        value="126%",
    ),
    Story(
        "HypervisorHostCpuOvercommitted",
        {
            **OF_HOST,
            "hypervisor_host_cpu_cores": "8x*",
            "hypervisor_host_vcpus_allocated": "32x4 33x40 32x*",
        },
        {"hypervisor_host_vcpus_allocated": "32x*"},
        fires=5 + 30,
        resolves=46 + 15,
        labels=HOST,
        value="4.125",
    ),
    Story(
        "HypervisorHostCpuOvercommitted",
        {
            **OF_HOST,
            "hypervisor_host_cpu_cores": "8x*",
            "hypervisor_host_vcpus_allocated": "32x4 33x40 32x*",
        },
        {'hypervisor_target_problems{group="vitals",problem="blind_spot"}': "1x*"},
        fires=5 + 30,
        resolves=46 + 15,
        labels=HOST,
        value="4.125",
    ),
    # Two hosts of 100: without one of them 100 for 60 + 50.
    Story(
        "HypervisorClusterMemoryNPlusOneLost",
        {
            **_TWO_HOSTS,
            "hypervisor_host_up": "1x*",
            f"hypervisor_host_up{{{_OTHER}}}": "1x*",
            **_CAPACITY,
            f"hypervisor_host_memory_capacity_bytes{{{_OTHER}}}": "100x*",
            "hypervisor_host_memory_allocated_bytes": "50x4 60x40 50x*",
            f"hypervisor_host_memory_allocated_bytes{{{_OTHER}}}": "50x*",
        },
        {"hypervisor_host_memory_allocated_bytes": "50x*"},
        fires=5 + 30,
        resolves=46 + 10,
        labels=CLUSTER,
        value="10",
    ),
    # The same, as the third host is in maintenance.
    Story(
        "HypervisorClusterMemoryNPlusOneLost",
        {
            **_TWO_HOSTS,
            f'hypervisor_host_info{{host_id="<host_id>-3",host="<host>-3",{_PLACE},version="8"}}': "1x*",
            **{
                f'hypervisor_host_{what}{{host_id="<host_id>{host}",host="<host>{host}"}}': value
                for host in ("", "-2", "-3")
                for what, value in (("up", "1x*"), ("memory_capacity_bytes", "100x*"))
            },
            'hypervisor_host_maintenance_mode{host_id="<host_id>-3",host="<host>-3"}': "0x4 1x40 0x*",
            "hypervisor_host_memory_allocated_bytes": "110x*",
            f"hypervisor_host_memory_allocated_bytes{{{_OTHER}}}": "0x*",
        },
        {'hypervisor_host_maintenance_mode{host_id="<host_id>-3",host="<host>-3"}': "0x*"},
        fires=5 + 30,
        resolves=46 + 10,
        labels=CLUSTER,
        value="10",
    ),
    # Of two hosts one is down: what is left cannot be lost.
    Story(
        "HypervisorClusterMemoryNPlusOneLost",
        {
            **_TWO_HOSTS,
            "hypervisor_host_up": "1x*",
            f"hypervisor_host_up{{{_OTHER}}}": "1x4 0x40 1x*",
            **_CAPACITY,
            f"hypervisor_host_memory_capacity_bytes{{{_OTHER}}}": "100x*",
            "hypervisor_host_memory_allocated_bytes": "30x*",
            f"hypervisor_host_memory_allocated_bytes{{{_OTHER}}}": "20x*",
        },
        {f"hypervisor_host_up{{{_OTHER}}}": "1x*"},
        fires=5 + 30,
        resolves=46 + 10,
        labels=CLUSTER,
        value="50",
    ),
    Story(
        "HypervisorClusterHostsMissing",
        {**OF_HOST, "hypervisor_cluster_hosts": "4x*", "hypervisor_cluster_hosts_up": "4x4 3x40 4x*"},
        {"hypervisor_cluster_hosts_up": "4x*"},
        fires=5 + 30,
        resolves=46 + 10,
        labels=CLUSTER,
        value="1",
    ),
    # Where the platform does not count them.
    Story(
        "HypervisorClusterHostsMissing",
        {**_TWO_HOSTS, "hypervisor_host_up": "1x*", f"hypervisor_host_up{{{_OTHER}}}": "1x4 0x40 1x*"},
        {f"hypervisor_host_up{{{_OTHER}}}": "1x*"},
        fires=5 + 30,
        resolves=46 + 10,
        labels=CLUSTER,
        value="1",
    ),
    Story(
        "HypervisorClusterGroupsFailed",
        {**OF_HOST, _INFO: "1x*", 'hypervisor_hyperv_cluster_groups{state="failed"}': "0x4 2x40 0x*"},
        {
            'hypervisor_hyperv_cluster_groups{state="failed"}': "0x*",
            'hypervisor_hyperv_cluster_groups{state="offline"}': "2x*",
        },
        fires=5 + 15,
        resolves=46 + 10,
        labels=CLUSTER,
        value="2",
    ),
    Story(
        "HypervisorClusterQuorumLost",
        {**OF_HOST, "hypervisor_cluster_quorate": "1x4 0x20 1x*"},
        {"hypervisor_cluster_quorate": "1x*"},
        fires=5 + 2,
        resolves=26 + 10,
        labels=CLUSTER,
    ),
    Story(
        "HypervisorClusterHaDisabled",
        {**OF_HOST, "hypervisor_cluster_hosts": "2x*", "hypervisor_cluster_ha_enabled": "1x4 0x70 1x*"},
        {"hypervisor_cluster_hosts": "1x*"},
        fires=5 + 60,
        resolves=76 + 10,
        labels=CLUSTER,
    ),
    # A day has 1440 minutes; the last host is upgraded at 1451.
    Story(
        "HypervisorClusterVersionsDiffer",
        {**OF_HOST, f'hypervisor_host_info{{{_OTHER},{_PLACE},version="7"}}': "1x1450 stale"},
        {
            f'hypervisor_host_info{{{_OTHER},{_PLACE},version="7"}}': None,
            f'hypervisor_host_info{{{_OTHER},{_PLACE},version="8"}}': "1x*",
        },
        fires=1440,
        resolves=1451 + 10,
        labels=CLUSTER,
        value="2",
    ),
)
