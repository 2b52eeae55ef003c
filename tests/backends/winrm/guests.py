"""Guests made, changed and taken away with everything that Windows tells about them."""

from dataclasses import replace

from tests.backends.winrm.cim import Ago, Counter
from tests.backends.winrm.counters import add_counters
from tests.backends.winrm.devices import add_devices
from tests.backends.winrm.estate import Estate, Row
from tests.backends.winrm.guest import PAUSED, PERF_CLASSES, RUNNING, SETTINGS, SYSTEM, Guest, instance_name
from tests.backends.winrm.hosts import SWITCH, stable_id


def add_guest(estate: Estate, guest: Guest) -> Guest:
    """A guest with everything that Windows tells about it."""
    with estate.lock:
        estate.add(SYSTEM, **_system(guest))
        estate.add("Msvm_SummaryInformation", **_summary(guest))
        estate.add(SETTINGS, **settings(guest))
        add_devices(estate, guest)
        if guest.state in (RUNNING, PAUSED):
            add_counters(estate, guest)
    return guest


def _system(guest: Guest) -> Row:
    running = guest.state == RUNNING
    return {
        "Caption": "Virtual Machine",
        "Description": "Microsoft Virtual Machine",
        "CreationClassName": SYSTEM,
        "Name": guest.guid,
        "ElementName": guest.name,
        "EnabledState": guest.state,
        "EnhancedSessionModeState": 3,
        "HealthState": 5,
        "OperationalStatus": [2],
        "StatusDescriptions": ["Operating normally"],
        "Status": "OK",
        "OnTimeInMilliseconds": Counter(3_600_000, 1000) if running else 0,
        "ProcessID": 4000 if running else None,
        "InstallDate": Ago(90 * 86_400),
        "TimeOfLastStateChange": Ago(3600),
        "TimeOfLastConfigurationChange": Ago(86_400),
        "LastSuccessfulBackupTime": None,
        "ReplicationMode": 0,
        "ReplicationState": 0,
        "ReplicationHealth": 0,
    }


def _summary(guest: Guest) -> Row:
    running = guest.state == RUNNING
    return {
        "Name": guest.guid,
        "ElementName": guest.name,
        "InstanceID": guest.path,
        "CreationTime": Ago(90 * 86_400),
        "EnabledState": guest.state,
        "HealthState": 5,
        "OperationalStatus": [2],
        "StatusDescriptions": ["Operating normally"],
        "NumberOfProcessors": guest.vcpus,
        "ProcessorLoad": 25 if running else 0,
        "ProcessorLoadHistory": [25] * 100 if running else None,
        "MemoryUsage": guest.startup_mb if guest.state in (RUNNING, PAUSED) else 0,
        "MemoryAvailable": 20 if guest.dynamic and running else None,
        "AvailableMemoryBuffer": 80 if guest.dynamic and running else None,
        "Heartbeat": 2 if running else None,
        "ApplicationHealth": 2 if running else None,
        "IntegrationServicesVersionState": 1 if running else None,
        "GuestOperatingSystem": "Windows Server 2022 Datacenter" if running else None,
        "UpTime": Counter(3_600_000, 1000) if running else 0,
        "Notes": "",
        "Version": "9.0",
        "Shielded": False,
        "SwapFilesInUse": False,
        "MemorySpansPhysicalNumaNodes": False,
        "ReplicationMode": 0,
        "ReplicationState": 0,
        "ReplicationHealth": 0,
        "ThumbnailImage": [0] * 600,
        "ThumbnailImageWidth": 20,
        "ThumbnailImageHeight": 15,
        "VirtualSwitchNames": [SWITCH],
        "VirtualSystemSubType": "Microsoft:Hyper-V:SubType:2",
    }


def settings(guest: Guest) -> Row:
    return {
        "InstanceID": guest.path,
        "Caption": "Virtual Machine Settings",
        "ElementName": guest.name,
        "VirtualSystemIdentifier": guest.guid,
        "VirtualSystemType": "Microsoft:Hyper-V:System:Realized",
        "VirtualSystemSubType": "Microsoft:Hyper-V:SubType:2",
        "CreationTime": Ago(90 * 86_400),
        "Version": "9.0",
        "BIOSGUID": "{" + stable_id("bios", guest.guid) + "}",
        "AutomaticStartupAction": 3,
        "AutomaticShutdownAction": 3,
        "ConfigurationDataRoot": guest.folder,
        "Notes": None,
        "UserSnapshotType": 3,
        "IsAutomaticSnapshot": False,
        "Parent": None,
    }


def guest_of(estate: Estate, guest: Guest, row: Row) -> bool:
    """Whether a row is about the guest, its checkpoints' own apart."""
    held = str(row.get("InstanceID", "")) + str(row.get("DeviceID", ""))
    if guest.path in held or row.get("VirtualSystemIdentifier") == guest.guid:
        return True
    name = str(row.get("Name", ""))
    if guest.guid in (name, row.get("SystemName")) or f"_{guest.guid}--" in name:
        return True
    stems = tuple(instance_name(guest.disk(number)).rpartition(".")[0] for number in range(guest.disks))
    return name == guest.name or name.rpartition(":Hv VP ")[0] == guest.name or name.startswith(stems)


def remove_counters(estate: Estate, guest: Guest) -> None:
    """As when a guest is turned off. Counters of a guest of the same name go along: names are all they have."""
    with estate.lock:
        for name in PERF_CLASSES:
            rows = estate.instances.get(name, [])
            rows[:] = [row for row in rows if not guest_of(estate, guest, row)]


def remove_guest(estate: Estate, guest: Guest) -> None:
    """Take a guest and everything of it away."""
    with estate.lock:
        remove_counters(estate, guest)
        checkpoints = {row["InstanceID"] for row in estate.rows(SETTINGS, VirtualSystemIdentifier=guest.guid)}
        for name, rows in estate.instances.items():
            if name.startswith("Msvm_"):
                rows[:] = [
                    row
                    for row in rows
                    if not guest_of(estate, guest, row)
                    and str(row.get("InstanceID", "")).partition("\\")[0] not in checkpoints
                ]


def set_state(estate: Estate, guest: Guest, state: int) -> None:
    """Another EnabledState, with what follows from it."""
    changed = replace(guest, state=state)
    with estate.lock:
        remove_counters(estate, guest)
        estate.row(SYSTEM, Name=guest.guid).update(_system(changed))
        estate.row("Msvm_SummaryInformation", Name=guest.guid).update(_summary(changed))
        for component in ("Msvm_HeartbeatComponent", "Msvm_KvpExchangeComponent"):
            estate.row(component, SystemName=guest.guid)["OperationalStatus"] = [2] if state == RUNNING else [12]
        if state in (RUNNING, PAUSED):
            add_counters(estate, changed)
