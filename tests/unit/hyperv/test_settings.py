"""Settings of guests: places of disks on controllers, adapters, what checkpoints add to every class."""

import pytest

from collectors.hyperv.mapping.settings import (
    IDE,
    DiskFile,
    GuestSettings,
    NicSettings,
    as_before,
    disks_of,
    nics_of,
    path_of,
    settings_of,
    tag_of,
)
from tests.unit.hyperv.world import SQL, WEB, answers

SCSI_1, SCSI_2 = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
SNAPSHOT = "99999999-0000-0000-0000-000000000000"
ADAPTER = "dddddddd-0000-0000-0000-000000000009"


def plugged(owner, controller, bus, slot, path, *, kind="31"):
    instance = f"Microsoft:{owner.upper()}\\{controller.upper()}\\{bus}\\{slot}\\L"
    return {"InstanceID": instance, "HostResource": path, "ResourceType": kind}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"Microsoft:{WEB.upper()}\\{SCSI_1}\\0\\L", [WEB, SCSI_1, "0", "l"]),
        (f"Microsoft:{WEB}\\\\{SCSI_1}", [WEB, SCSI_1]),
        (f"Microsoft:Definition\\{SCSI_1}\\Default", []),
        ("", []),
    ],
)
def test_instance_ids(text, parts):
    assert path_of(text) == parts


def test_disks_are_named_by_their_place():
    rows = [
        plugged(WEB, IDE, 0, 1, r"D:\a.vhdx"),
        plugged(WEB, SCSI_2, 0, 5, r"D:\b.vhdx"),
        plugged(WEB, SCSI_1, 0, 0, r"D:\c.vhdx"),
        plugged(WEB, IDE, 1, 0, r"D:\setup.iso", kind="16"),
        plugged(WEB, SCSI_1, 0, 1, None),
        plugged(SQL, SCSI_1, 0, 0, r"D:\d.avhdx"),
    ]
    listed = [{"InstanceID": f"Microsoft:{WEB}\\{each}\\0"} for each in (SCSI_1, SCSI_2)]
    found = disks_of(answers(DISK_FILES=rows, CONTROLLERS=listed))
    assert found[WEB] == (
        DiskFile("IDE 0:1", r"D:\a.vhdx"),
        DiskFile("SCSI 0:0", r"D:\c.vhdx"),
        DiskFile("SCSI 1:5", r"D:\b.vhdx"),
    )
    assert [(disk.disk, disk.differencing) for disk in found[SQL]] == [("SCSI 0:0", True)]


def test_two_disks_in_one_place_are_told_apart():
    rows = [plugged(WEB, SCSI_1, 0, 0, path) for path in (r"D:\a.vhdx", r"D:\b.vhdx")]
    assert [disk.disk for disk in disks_of(answers(DISK_FILES=rows))[WEB]] == ["SCSI 0:0", "SCSI 0:0 (2)"]


def test_what_was_not_read_is_not_nothing():
    systems = [{"InstanceID": f"Microsoft:{WEB}", "VirtualSystemType": "Microsoft:Hyper-V:System:Realized"}]
    assert settings_of(answers(SYSTEMS=systems), [])[WEB].disks is None
    assert settings_of(answers(SYSTEMS=systems, DISK_FILES=[]), [])[WEB].disks == ()
    assert (disks_of({}), nics_of({})) == (None, None)


def test_adapters_with_their_switch():
    adapter = f"Microsoft:{WEB.upper()}\\{ADAPTER.upper()}"
    found = nics_of(
        answers(
            ADAPTER_SETTINGS=[{"InstanceID": adapter, "Address": "00155D012A03"}],
            PORT_SETTINGS=[{"InstanceID": f"{adapter}\\C", "LastKnownSwitchName": "External"}],
        )
    )
    assert found == {WEB: (NicSettings(ADAPTER, "00:15:5d:01:2a:03", "External"),)}
    new = nics_of(answers(ADAPTER_SETTINGS=[{"InstanceID": adapter, "Address": "000000000000"}]))
    assert new == {WEB: (NicSettings(ADAPTER, "", ""),)}


def test_everything_together():
    odd = []
    system = {"InstanceID": f"Microsoft:{WEB.upper()}", "ElementName": "web", "VirtualSystemIdentifier": WEB.upper(),
              "VirtualSystemType": "Microsoft:Hyper-V:System:Realized", "AutomaticStartupAction": "3",
              "BIOSGUID": "{AAAAAAAA-0000-0000-0000-00000000000F}", "Version": "9.0",
              "VirtualSystemSubType": "Microsoft:Hyper-V:SubType:2", "Notes": ("prod", "db")}  # fmt: skip
    planned = {**system, "VirtualSystemType": "Microsoft:Hyper-V:System:Planned", "ElementName": "twin"}
    snapshot = {**system, "InstanceID": f"Microsoft:{SNAPSHOT}", "ElementName": "old",
                "VirtualSystemType": "Microsoft:Hyper-V:Snapshot:Realized"}  # fmt: skip
    memory = {"InstanceID": f"Microsoft:{WEB}\\m", "DynamicMemoryEnabled": "true", "VirtualQuantity": "2048",
              "Reservation": "512", "Limit": "8192"}  # fmt: skip
    template = {**memory, "InstanceID": "Microsoft:Definition\\m\\Default", "VirtualQuantity": "1"}
    of_snapshot = {**memory, "InstanceID": f"Microsoft:{SNAPSHOT}\\m", "VirtualQuantity": "4"}
    cpus = {"InstanceID": f"Microsoft:{WEB}\\p\\0", "VirtualQuantity": "4", "Limit": "50000", "Reservation": "0"}
    found = settings_of(
        answers(
            SYSTEMS=[system, planned, snapshot],
            MEMORY_SETTINGS=[template, of_snapshot, memory],
            PROCESSOR_SETTINGS=[cpus],
        ),
        odd,
    )
    web = found[WEB]
    assert (web.name, web.is_guest, web.autostart, web.version, web.generation) == ("web", True, False, "9.0", "2")
    assert web.bios_uuid == "aaaaaaaa-0000-0000-0000-00000000000f"
    assert (web.startup_bytes, web.minimum_bytes, web.maximum_bytes) == (2 * 2**30, 2**29, 8 * 2**30)
    assert (web.vcpus, web.cpu_limit, web.cpu_reservation) == (4, 0.5, 0)
    assert not found[SNAPSHOT].is_guest
    assert odd == []


def test_what_could_not_be_read_this_time_stays_as_it_was():
    system = {"InstanceID": f"Microsoft:{WEB}", "VirtualSystemType": "Microsoft:Hyper-V:System:Realized"}
    before = {WEB: GuestSettings(vcpus=2, startup_bytes=5.0, disks=(DiskFile("SCSI 0:0", "D:\\a.vhdx"),), nics=())}
    cpus = {"InstanceID": f"Microsoft:{WEB}\\p\\0", "VirtualQuantity": "4"}
    now = answers(SYSTEMS=[system], PROCESSOR_SETTINGS=[cpus], ADAPTER_SETTINGS=[])
    web = as_before(settings_of(now, []), before, now)[WEB]
    assert (web.vcpus, web.startup_bytes, web.disks, web.is_guest) == (4, 5.0, before[WEB].disks, True)
    assert as_before(settings_of(now, []), {}, now)[WEB].startup_bytes is None


def test_tags():
    assert tag_of("") == ""
    assert tag_of("prod, db\nprod") == ",db,prod,"
    long = tag_of(",".join(f"word-{n:03}" for n in range(100)))
    assert len(long) <= 256
    assert long.startswith(",word-000,")
    assert long.endswith(",")


@pytest.mark.parametrize(("action", "starts"), [("2", False), ("3", False), ("4", True)])
def test_only_a_guest_that_is_always_started_starts_with_its_host(action, starts):
    """3 is Hyper-V's default: start it if it was running when the host stopped."""
    system = {"InstanceID": f"Microsoft:{WEB}", "VirtualSystemType": "Microsoft:Hyper-V:System:Realized",
              "ElementName": "web", "AutomaticStartupAction": action}  # fmt: skip
    assert settings_of(answers(SYSTEMS=[system]), [])[WEB].autostart is starts
