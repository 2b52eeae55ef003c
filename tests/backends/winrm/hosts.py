"""The rows of a host: what it is made of, its logical processors, memory, volumes, adapters, switch."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.backends.winrm.cim import Ago, Counter
from tests.backends.winrm.estate import Estate

GIB = 1 << 30
VERSIONS = {2016: "14393", 2019: "17763", 2022: "20348", 2025: "26100"}
SWITCH = "External"
PERF = "Win32_PerfRawData_"
UP_SECONDS = 10 * 86_400


@dataclass(frozen=True)
class Hardware:
    """What a host is made of."""

    sockets: int = 2
    cores_per_socket: int = 4
    memory_bytes: int = 64 * GIB
    free_bytes: int = 16 * GIB
    domain: str = "lab.example"

    @property
    def threads(self) -> int:
        return self.sockets * self.cores_per_socket * 2


def stable_id(*of: object) -> str:
    """A GUID, always the same for the same words, in upper case as Hyper-V writes them."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, of)))).upper()


def stamps(estate: Estate) -> dict[str, Any]:
    """What every row of a performance class carries besides its counters."""
    ticks: Callable[[], int] = lambda: int((UP_SECONDS + estate.clock.elapsed) * 10**7)  # noqa: E731
    return {
        "Frequency_Object": 0,
        "Frequency_PerfTime": 10**7,
        "Frequency_Sys100NS": 10**7,
        "Timestamp_Object": 0,
        "Timestamp_PerfTime": ticks,
        "Timestamp_Sys100NS": ticks,
    }


def add_host(estate: Estate, hardware: Hardware) -> None:
    """Everything of a host but its guests."""
    _machine(estate, hardware)
    _processors(estate, hardware)
    _memory(estate, hardware)
    _volumes(estate)
    _network(estate)
    _virtualization(estate, hardware)


def _machine(estate: Estate, hardware: Hardware) -> None:
    name, build = estate.name, VERSIONS[estate.build]
    estate.add(
        "Win32_ComputerSystem",
        Name=name,
        DNSHostName=name,
        Domain=hardware.domain,
        Caption=name,
        CreationClassName="Win32_ComputerSystem",
        Manufacturer="Contoso",
        Model="Blade 7",
        NumberOfProcessors=hardware.sockets,
        NumberOfLogicalProcessors=hardware.threads,
        TotalPhysicalMemory=hardware.memory_bytes,
        HypervisorPresent=True,
        PartOfDomain=True,
        Roles=["LM_Workstation", "LM_Server", "NT", "Server_NT"],
        Status="OK",
    )
    estate.add(
        "Win32_ComputerSystemProduct",
        UUID=stable_id("host", name),
        Vendor="Contoso",
        Name="Blade 7",
        IdentifyingNumber="SN-" + name,
        Version="1",
    )
    estate.add(
        "Win32_OperatingSystem",
        Caption=f"Microsoft Windows Server {estate.build} Datacenter",
        Version=f"10.0.{build}",
        BuildNumber=build,
        CSName=name,
        Name=f"Microsoft Windows Server {estate.build} Datacenter|C:\\Windows|\\Device\\Harddisk0\\Partition4",
        CreationClassName="Win32_OperatingSystem",
        CurrentTimeZone=0,
        InstallDate=Ago(400 * 86_400),
        LastBootUpTime=estate.clock.start - timedelta(seconds=UP_SECONDS),
        LocalDateTime=estate.clock.now,
        TotalVisibleMemorySize=hardware.memory_bytes // 1024,
        FreePhysicalMemory=hardware.free_bytes // 1024,
        Status="OK",
    )
    for socket in range(hardware.sockets):
        estate.add(
            "Win32_Processor",
            DeviceID=f"CPU{socket}",
            Name="Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz",
            Manufacturer="GenuineIntel",
            MaxClockSpeed=2101,
            CurrentClockSpeed=2095,
            NumberOfCores=hardware.cores_per_socket,
            NumberOfLogicalProcessors=hardware.cores_per_socket * 2,
            SocketDesignation=f"Proc {socket}",
        )


def _processors(estate: Estate, hardware: Hardware) -> None:
    """Each logical processor runs guests for 20 % and the hypervisor for 1 % of the time."""
    every = {"PercentGuestRunTime": 2_000_000, "PercentHypervisorRunTime": 100_000,
             "PercentTotalRunTime": 2_100_000, "PercentIdleTime": 7_900_000}  # fmt: skip
    starts = {"PercentGuestRunTime": 20 * 10**10, "PercentHypervisorRunTime": 10**10,
              "PercentTotalRunTime": 21 * 10**10, "PercentIdleTime": 79 * 10**10}  # fmt: skip
    for number in [*range(hardware.threads), None]:
        many = hardware.threads if number is None else 1
        estate.add(
            PERF + "HvStats_HyperVHypervisorLogicalProcessor",
            Name="_Total" if number is None else f"Hv LP {number}",
            **{name: Counter(starts[name] * many, rate * many) for name, rate in every.items()},
            **stamps(estate),
        )
        estate.add(
            PERF + "HvStats_HyperVHypervisorRootVirtualProcessor",
            Name="_Total" if number is None else f"Root VP {number}",
            PercentGuestRunTime=Counter(4 * 10**10 * many, 400_000 * many),
            PercentHypervisorRunTime=Counter(10**10 * many, 100_000 * many),
            PercentTotalRunTime=Counter(5 * 10**10 * many, 500_000 * many),
            PercentRemoteRunTime=Counter(0),
            **stamps(estate),
        )


def _memory(estate: Estate, hardware: Hardware) -> None:
    estate.add(
        PERF + "BalancerStats_HyperVDynamicMemoryBalancer",
        Name="System Balancer",
        AvailableMemory=hardware.free_bytes >> 20,
        AvailableMemoryForBalancing=(hardware.free_bytes >> 20) // 2,
        AveragePressure=61,
        SystemCurrentPressure=57,
        **stamps(estate),
    )


def _volumes(estate: Estate) -> None:
    for number, (letter, size, free) in enumerate((("C", 200, 80), ("D", 2000, 600))):
        device = "\\\\?\\Volume{" + stable_id("volume", estate.name, letter).lower() + "}\\"
        estate.add(
            "Win32_Volume",
            DeviceID=device,
            Name=f"{letter}:\\",
            DriveLetter=f"{letter}:",
            DriveType=3,
            FileSystem="NTFS",
            Label="System" if letter == "C" else "Guests",
            Capacity=size * GIB,
            FreeSpace=free * GIB,
            BlockSize=4096,
            SerialNumber=1_000_000 + number,
            BootVolume=letter == "C",
        )


def _network(estate: Estate) -> None:
    for number, name in enumerate(("Intel[R] Ethernet 10G X550", "Intel[R] Ethernet 10G X550 _2")):
        counters = {
            "BytesReceivedPersec": Counter(10**12 + number, 1_250_000),
            "BytesSentPersec": Counter(5 * 10**11 + number, 625_000),
            "PacketsReceivedErrors": Counter(3),
            "PacketsOutboundErrors": Counter(4),
            "PacketsReceivedDiscarded": Counter(5),
            "PacketsOutboundDiscarded": Counter(6),
            "CurrentBandwidth": 10**10,
        }
        for group in ("Tcpip_NetworkInterface", "Tcpip_NetworkAdapter"):
            estate.add(PERF + group, Name=name, **counters, **stamps(estate))
        estate.add(
            "Win32_NetworkAdapter",
            DeviceID=str(number),
            Index=number,
            Name=name.replace("[R]", "(R)").replace("_2", "#2"),
            NetConnectionID=f"Ethernet {number}",
            PhysicalAdapter=True,
            MACAddress=f"00:15:5D:00:00:{number:02X}",
            NetEnabled=True,
            Speed=10**10,
        )
    estate.add("Msvm_VirtualEthernetSwitch", Name=stable_id("switch", estate.name), ElementName=SWITCH,
               CreationClassName="Msvm_VirtualEthernetSwitch", EnabledState=5, HealthState=5,
               OperationalStatus=[2])  # fmt: skip
    estate.add(
        PERF + "NvspSwitchStats_HyperVVirtualSwitch",
        Name=SWITCH,
        BytesReceivedPersec=Counter(7 * 10**11, 900_000),
        BytesSentPersec=Counter(6 * 10**11, 800_000),
        DroppedPacketsIncomingPersec=Counter(7),
        DroppedPacketsOutgoingPersec=Counter(8),
        **stamps(estate),
    )


def _virtualization(estate: Estate, hardware: Hardware) -> None:
    running: Callable[[], int] = lambda: len(estate.rows(PERF + "BalancerStats_HyperVDynamicMemoryVM"))  # noqa: E731
    guests: Callable[[], int] = lambda: len(estate.rows("Msvm_ComputerSystem")) - 1  # noqa: E731
    estate.add(
        "Msvm_ComputerSystem",
        Name=estate.name,
        ElementName=estate.name,
        Caption="Hosting Computer System",
        Description="Microsoft Hosting Computer System",
        CreationClassName="Msvm_ComputerSystem",
        EnabledState=2,
        HealthState=5,
        OperationalStatus=[2],
    )
    estate.add(
        PERF + "HvStats_HyperVHypervisor",
        Name="_Total",
        LogicalProcessors=hardware.threads,
        Partitions=lambda: running() + 1,
        VirtualProcessors=lambda: (
            hardware.threads + len(estate.rows(PERF + "HvStats_HyperVHypervisorVirtualProcessor"))
        ),
        **stamps(estate),
    )
    estate.add(
        PERF + "VmmsVirtualMachineStats_HyperVVirtualMachineHealthSummary",
        Name="_Total",
        HealthOk=lambda: guests() - len(estate.rows("Msvm_ComputerSystem", HealthState=25)),
        HealthCritical=lambda: len(estate.rows("Msvm_ComputerSystem", HealthState=25)),
        **stamps(estate),
    )
    for service in ("VirtualSystemManagementService", "ImageManagementService", "ReplicationService"):
        estate.add(
            f"Msvm_{service}",
            CreationClassName=f"Msvm_{service}",
            SystemCreationClassName="Msvm_ComputerSystem",
            SystemName=estate.name,
            Name="vmms" if service.startswith("VirtualSystem") else service,
            EnabledState=2,
            HealthState=5,
            OperationalStatus=[2],
        )
