"""The performance counters of a guest."""

from typing import Any

from tests.backends.winrm.cim import Counter
from tests.backends.winrm.estate import Estate
from tests.backends.winrm.guest import PERF_CLASSES, Guest, instance_name
from tests.backends.winrm.hosts import stamps


def add_counters(estate: Estate, guest: Guest) -> None:
    """The performance counters of a running guest, new from the start as after each start or move.

    Per second: each virtual CPU runs 0.25 s of its own and 0.01 s in the hypervisor and waits 0.005 s over 1,000
    dispatches; each disk reads 1 MiB in 100 and writes 0.5 MiB in 50 operations, and flushes once; each adapter gets
    125,000 bytes in 100 packets and sends 62,500 in 50.
    """
    held = stamps(estate)
    for number in range(guest.vcpus):
        estate.add(
            PERF_CLASSES[0],
            Name=f"{guest.name}:Hv VP {number}",
            PercentGuestRunTime=Counter(10**10, 2_500_000),
            PercentHypervisorRunTime=Counter(10**8, 100_000),
            PercentRemoteRunTime=Counter(0),
            PercentTotalRunTime=Counter(10**10 + 10**8, 2_600_000),
            CPUWaitTimePerDispatch=Counter(10**7, 50_000),
            CPUWaitTimePerDispatch_Base=Counter(10**6, 1000),
            **held,
        )
    pressure = {"CurrentPressure": 80, "AveragePressure": 75, "MinimumPressure": 60, "MaximumPressure": 90}
    estate.add(PERF_CLASSES[1], Name=guest.name, PhysicalMemory=guest.startup_mb,
               GuestVisiblePhysicalMemory=guest.startup_mb, GuestAvailableMemory=guest.startup_mb // 4,
               AddedMemory=Counter(0), RemovedMemory=Counter(0), **pressure, **held)  # fmt: skip
    estate.add(PERF_CLASSES[2], Name=guest.name, PhysicalPagesAllocated=guest.startup_mb * 256,
               RemotePhysicalPages=128, PreferredNUMANodeIndex=0, **held)  # fmt: skip
    for number in range(guest.disks):
        estate.add(PERF_CLASSES[3], Name=instance_name(guest.disk(number)), **DISK_COUNTERS, **held)
    for number in range(guest.nics):
        estate.add(PERF_CLASSES[4], Name=_nic_name(guest, number), **NIC_COUNTERS, **held)


DISK_COUNTERS: dict[str, Any] = {
    "ReadBytesPersec": Counter(10**9, 1 << 20),
    "WriteBytesPersec": Counter(5 * 10**8, 1 << 19),
    "ReadCount": Counter(10**6, 100),
    "WriteCount": Counter(5 * 10**5, 50),
    "ReadOperationsPerSec": Counter(10**6, 100),
    "WriteOperationsPerSec": Counter(5 * 10**5, 50),
    "FlushCount": Counter(1000, 1),
    "ErrorCount": Counter(0),
    "QueueLength": Counter(0),
    "Latency": Counter(10**8, 1_000_000),
    "Latency_Base": Counter(15 * 10**5, 150),
    "NormalizedThroughput": Counter(10**6, 200),
}
NIC_COUNTERS: dict[str, Any] = {
    "BytesReceivedPersec": Counter(10**9, 125_000),
    "BytesSentPersec": Counter(5 * 10**8, 62_500),
    "PacketsReceivedPersec": Counter(10**6, 100),
    "PacketsSentPersec": Counter(5 * 10**5, 50),
    "DroppedPacketsIncomingPersec": Counter(1),
    "DroppedPacketsOutgoingPersec": Counter(2),
}


def _nic_name(guest: Guest, number: int) -> str:
    return f"{guest.name}_Network Adapter_{guest.guid}--{guest.adapter(number)}"
