"""The rows of a guest's parts: settings of memory, processors, disks and adapters, files, integration services."""

from tests.backends.winrm.estate import Estate
from tests.backends.winrm.guest import RUNNING, STORAGE, SYSTEM, Guest
from tests.backends.winrm.hosts import GIB, SWITCH, stable_id
from tests.backends.winrm.methods import VHD_FILES
from tests.backends.winrm.shapes import cim_xml

MEMORY_ID = "4764334d-e001-4176-82ee-5594ec9b530e"
PROCESSOR_ID = "b637f346-6a0e-4dec-af52-bd70cb80a21d"
SCSI_ID = "00000000-0000-8899-0000-000000000000"


def add_devices(estate: Estate, guest: Guest, owner: str = "") -> None:
    """Settings of memory, processors, disks and adapters, of the guest itself or of its checkpoint `owner`."""
    path = owner or guest.path
    mine = {"Caption": "Settings", "PoolID": ""}
    estate.add("Msvm_MemorySettingData", InstanceID=f"{path}\\{MEMORY_ID}", VirtualQuantity=guest.startup_mb,
               Reservation=guest.minimum_mb if guest.dynamic else guest.startup_mb,
               Limit=guest.maximum_mb if guest.dynamic else guest.startup_mb, DynamicMemoryEnabled=guest.dynamic,
               TargetMemoryBuffer=20, Weight=5000, AllocationUnits="byte * 2^20", ResourceType=4, **mine)  # fmt: skip
    estate.add("Msvm_ProcessorSettingData", InstanceID=f"{path}\\{PROCESSOR_ID}\\0", VirtualQuantity=guest.vcpus,
               Reservation=0, Limit=100_000, Weight=100, ResourceType=3, **mine)  # fmt: skip
    for number in range(guest.disks):
        _disk(estate, path, number, guest.disk(number))
        add_file(estate, guest, guest.disk(number))
    for number in range(guest.nics):
        adapter = f"{path}\\{guest.adapter(number)}"
        estate.add("Msvm_SyntheticEthernetPortSettingData", InstanceID=adapter, ElementName="Network Adapter",
                   Address=_mac(guest, number), ResourceType=10,
                   ResourceSubType="Microsoft:Hyper-V:Synthetic Ethernet Port", **mine)  # fmt: skip
        switch = stable_id("switch", estate.name)
        estate.add("Msvm_EthernetPortAllocationSettingData", InstanceID=f"{adapter}\\C", EnabledState=2,
                   Parent=object_path(estate, "Msvm_SyntheticEthernetPortSettingData", adapter),
                   HostResource=[object_path(estate, "Msvm_VirtualEthernetSwitch", switch, "Name")],
                   LastKnownSwitchName=SWITCH, ResourceType=33, **mine)  # fmt: skip
    if not owner:
        _services(estate, guest)


def _disk(estate: Estate, path: str, number: int, file: str) -> None:
    controller, drive = f"{path}\\{SCSI_ID}\\0", f"{path}\\{SCSI_ID}\\0\\{number}\\D"
    if number == 0:
        estate.add("Msvm_ResourceAllocationSettingData", InstanceID=controller, ElementName="SCSI Controller",
                   ResourceType=6, ResourceSubType="Microsoft:Hyper-V:Synthetic SCSI Controller")  # fmt: skip
    estate.add("Msvm_ResourceAllocationSettingData", InstanceID=drive, ElementName="Hard Drive", ResourceType=17,
               ResourceSubType="Microsoft:Hyper-V:Synthetic Disk Drive", AddressOnParent=str(number),
               Parent=object_path(estate, "Msvm_ResourceAllocationSettingData", controller))  # fmt: skip
    estate.add(STORAGE, InstanceID=f"{path}\\{SCSI_ID}\\0\\{number}\\L", ElementName="Hard Disk Image",
               HostResource=[file], ResourceType=31, ResourceSubType="Microsoft:Hyper-V:Virtual Hard Disk", Access=3,
               Parent=object_path(estate, "Msvm_ResourceAllocationSettingData", drive))  # fmt: skip


def object_path(estate: Estate, class_name: str, instance_id: str, key: str = "InstanceID") -> str:
    quoted = instance_id.replace("\\", "\\\\")
    return f'\\\\{estate.name}\\root\\virtualization\\v2:{class_name}.{key}="{quoted}"'


def _mac(guest: Guest, number: int) -> str:
    return "00155D" + guest.adapter(number)[-6:]


def add_file(estate: Estate, guest: Guest, path: str, parent: str = "", size: int = 0) -> None:
    if any(row["Path"] == path for row in estate.instances.get(VHD_FILES, ())):
        return
    estate.add(VHD_FILES, Path=path, ParentPath=parent or None, Type=4 if parent else 3, Format=3, BlockSize=33_554_432,
               MaxInternalSize=guest.disk_bytes, FileSize=size or guest.file_bytes, MinInternalSize=GIB,
               FragmentationPercentage=3, InUse=True, LogicalSectorSize=512, PhysicalSectorSize=4096, Alignment=1,
               VirtualDiskId=stable_id("vhd", path))  # fmt: skip
    estate.add("CIM_DataFile", Name=path.lower(), FileSize=size or guest.file_bytes, Status="OK")


def _services(estate: Estate, guest: Guest) -> None:
    running = guest.state == RUNNING
    for service, name in (("HeartbeatComponent", "Heartbeat"), ("KvpExchangeComponent", "Key-Value Pair Exchange")):
        row = {
            "CreationClassName": f"Msvm_{service}",
            "SystemCreationClassName": SYSTEM,
            "SystemName": guest.guid,
            "DeviceID": f"{guest.path}\\{stable_id(service)}",
            "ElementName": name,
            "EnabledState": 2,
            "OperationalStatus": [2] if running else [12],
        }
        if service.startswith("Kvp") and running:
            facts = {
                "OSName": "Windows Server 2022 Datacenter",
                "FullyQualifiedDomainName": f"{guest.name}.lab.example",
            }
            row["GuestIntrinsicExchangeItems"] = [
                cim_xml("Msvm_KvpExchangeDataItem", {"Name": key, "Data": data, "Source": 2})
                for key, data in facts.items()
            ]
        estate.add(f"Msvm_{service}", **row)
