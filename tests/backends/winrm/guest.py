"""What a guest is made of: the words by which rows are made and found again."""

from dataclasses import dataclass

from tests.backends.winrm.hosts import GIB, PERF, stable_id

RUNNING, OFF, PAUSED, SAVED = 2, 3, 32768, 32769
SYSTEM, SETTINGS = "Msvm_ComputerSystem", "Msvm_VirtualSystemSettingData"
STORAGE = "Msvm_StorageAllocationSettingData"
PERF_CLASSES = tuple(
    PERF + name
    for name in (
        "HvStats_HyperVHypervisorVirtualProcessor",
        "BalancerStats_HyperVDynamicMemoryVM",
        "VidPerfProvider_HyperVVMVidPartition",
        "Counters_HyperVVirtualStorageDevice",
        "NvspNicStats_HyperVVirtualNetworkAdapter",
    )
)


@dataclass(frozen=True)
class Guest:
    """What a guest is made of. Sizes of memory are MB, as Hyper-V has them, those of disks are bytes."""

    name: str
    guid: str
    state: int = RUNNING
    vcpus: int = 2
    startup_mb: int = 2048
    dynamic: bool = False
    minimum_mb: int = 512
    maximum_mb: int = 8192
    disks: int = 1
    nics: int = 1
    folder: str = "D:\\Guests"
    disk_bytes: int = 40 * GIB
    file_bytes: int = 10 * GIB

    @property
    def path(self) -> str:
        return f"Microsoft:{self.guid}"

    def disk(self, number: int) -> str:
        return f"{self.folder}\\{self.name}\\disk{number}.vhdx"

    def adapter(self, number: int) -> str:
        return stable_id("adapter", self.guid, number)


def instance_name(path: str) -> str:
    """The instance of a file's counters: the path with `-` for its separators."""
    return path.replace("\\", "-")
