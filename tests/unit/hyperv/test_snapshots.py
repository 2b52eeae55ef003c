"""Checkpoints: owner, kind, tree, what they hold; the expected numbers were worked out by hand."""

import pytest

from collectors.hyperv.client.rows import Reference
from collectors.hyperv.mapping.settings import DiskFile
from collectors.hyperv.mapping.snapshots import busy, consolidation_needed, owners, protection, snapshots_of, unowned
from collectors.hyperv.mapping.vhd import DIFFERENCING, DiskFileFacts, chain, file_facts, parents, snapshot_sizes
from exporter.model import Snapshot
from tests.unit.hyperv.world import SQL, WEB, answers, system

OLD, NEW = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
TYPE = "Microsoft:Hyper-V:Snapshot:"


def path_to(identity):
    return f'\\\\HV-1\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData.InstanceID="Microsoft:{identity.upper()}"'


def checkpoint(identity, owner, *, parent=None, kind="Realized", **more):
    return {"InstanceID": f"Microsoft:{identity.upper()}", "ElementName": f"of {owner[:3]}", "Parent": parent,
            "VirtualSystemIdentifier": owner.upper(), "VirtualSystemType": TYPE + kind,
            "CreationTime": "2026-01-02T03:04:05Z", "IsAutomaticSnapshot": "false", "IsSaved": "true",
            **more}  # fmt: skip


def realized(identity, parent=None):
    return {"InstanceID": f"Microsoft:{identity}", "VirtualSystemIdentifier": identity, "Parent": parent,
            "VirtualSystemType": "Microsoft:Hyper-V:System:Realized"}  # fmt: skip


def test_a_tree_whose_checkpoints_name_their_guest():
    rows = [
        realized(WEB, path_to(NEW)),
        checkpoint(NEW, WEB, parent=path_to(OLD), CreationTime="2026-01-03T03:04:05Z"),
        checkpoint(OLD, WEB),
    ]
    whose = owners(rows, {WEB, SQL}, [])
    assert whose == {OLD: WEB, NEW: WEB}
    assert not unowned(rows, {WEB})
    odd = []
    (old, new) = snapshots_of(rows, whose, {NEW: 4096.0}, odd)[WEB]
    assert old == Snapshot(OLD, "of aaa", 1767323045.0, "", "user", True, None, False)
    assert (new.id, new.parent_id, new.current, new.size_bytes) == (NEW, OLD, True, 4096.0)
    assert odd == []


@pytest.mark.parametrize(
    "link", [path_to(OLD), Reference("Msvm_VirtualSystemSettingData", {"InstanceID": f"Microsoft:{OLD.upper()}"})]
)
def test_a_checkpoint_that_names_itself_is_found_along_the_tree(link):
    rows = [realized(WEB, path_to(NEW)), checkpoint(NEW, NEW, parent=link), checkpoint(OLD, OLD)]
    assert unowned(rows, {WEB})
    assert owners(rows, {WEB}, []) == {NEW: WEB, OLD: WEB}


def test_or_through_the_association():
    links = [
        {
            "Antecedent": Reference("Msvm_ComputerSystem", {"CreationClassName": "x", "Name": SQL.upper()}),
            "Dependent": Reference("Msvm_VirtualSystemSettingData", {"InstanceID": f"Microsoft:{OLD}"}),
        },
        {"Antecedent": f'\\\\.\\root:Msvm_ComputerSystem.Name="{WEB.upper()}"', "Dependent": path_to(NEW)},
    ]
    rows = [realized(WEB), realized(SQL), checkpoint(OLD, OLD), checkpoint(NEW, NEW)]
    assert owners(rows, {WEB, SQL}, links) == {OLD: SQL, NEW: WEB}


def test_a_loop_among_parents_ends():
    rows = [realized(WEB, path_to(NEW)), checkpoint(NEW, NEW, parent=path_to(OLD)),
            checkpoint(OLD, OLD, parent=path_to(NEW))]  # fmt: skip
    assert owners(rows, {WEB}, []) == {NEW: WEB, OLD: WEB}


@pytest.mark.parametrize(
    ("kind", "automatic", "expected"),
    [
        ("Realized", "false", "user"),
        ("Realized", "true", "schedule"),
        ("Realized", None, "user"),
        ("Recovery", "false", "backup"),
        ("Replica:Standard", "false", "replication"),
        ("Replica:ApplicationConsistent", "false", "replication"),
        ("Replica:PlannedFailover", "false", "replication"),
        ("Planned", "false", "unknown"),
        ("Missing", "false", "unknown"),
    ],
)
def test_kinds(kind, automatic, expected):
    rows = [checkpoint(OLD, WEB, kind=kind, IsAutomaticSnapshot=automatic)]
    ((found,),) = snapshots_of(rows, {OLD: WEB}, {}, []).values()
    assert found.kind == expected


LEAF, BASE = DiskFile("SCSI 0:0", r"D:\web_2.avhdx"), r"D:\web.vhdx"


def test_leftovers():
    snapshot = Snapshot(OLD, "old")
    plain = DiskFile("SCSI 0:0", BASE)
    assert consolidation_needed([LEAF], [], is_busy=False) is True
    assert consolidation_needed([LEAF], [snapshot], is_busy=False) is False
    assert consolidation_needed([LEAF], [], is_busy=True) is False, "it is being merged"
    assert consolidation_needed([plain], [], is_busy=False) is False
    assert consolidation_needed(None, [], is_busy=False) is None


def test_who_is_busy():
    rows = [system(WEB, "web", OperationalStatus=("2", "32772")), system(SQL, "sql", OperationalStatus=("2", "32774"))]
    assert busy(answers(PROTECTION=rows)) == {WEB}, "a guest that moves is not being merged"


def test_backups_and_replication():
    odd = []
    rows = [
        {"Name": WEB.upper(), "LastSuccessfulBackupTime": "2026-01-02T03:04:05Z", "ReplicationHealth": "0"},
        {"Name": SQL.upper(), "LastSuccessfulBackupTime": None, "ReplicationHealth": "1",
         "LastReplicationTime": "2026-01-01T00:00:00Z"},
        {"Name": "HV-1"},
    ]  # fmt: skip
    relations = [
        {"InstanceID": f"Microsoft:{SQL.upper()}\\HVR\\1", "ReplicationHealth": "1"},
        {"InstanceID": f"Microsoft:{SQL.upper()}\\HVR\\0", "ReplicationHealth": "3",
         "LastReplicationTime": "2026-01-02T03:00:05Z"},
    ]  # fmt: skip
    found = protection(answers(PROTECTION=rows, REPLICATION=relations), odd)
    assert set(found) == {WEB, SQL}
    assert found[WEB] == {
        "last_backup_timestamp_seconds": 1767323045.0,
        "last_replication_timestamp_seconds": None,
        "replication_state": None,
    }
    assert found[SQL]["last_replication_timestamp_seconds"] == 1767323045.0 - 240
    assert found[SQL]["replication_state"] == "critical"
    assert odd == []


# Files.

MIB = 2.0**20


def files(**sizes):
    """base <- web_1.avhdx <- web_2.avhdx, sizes in MiB."""
    made = {r"d:\web.vhdx": DiskFileFacts(1.0, 100 * MIB, sizes.get("base", 50) * MIB, 3, "vhdx")}
    made[r"d:\web_1.avhdx"] = DiskFileFacts(2.0, 100 * MIB, 3 * MIB, DIFFERENCING, "vhdx", r"D:\web.vhdx")
    made[r"d:\web_2.avhdx"] = DiskFileFacts(3.0, 100 * MIB, 2 * MIB, DIFFERENCING, "vhdx", r"D:\WEB_1.avhdx")
    return made


def test_each_checkpoint_holds_what_was_written_since():
    owned = {OLD: [DiskFile("SCSI 0:0", BASE)], NEW: [DiskFile("SCSI 0:0", r"D:\web_1.avhdx")]}
    sizes, total = snapshot_sizes(owned, [LEAF], files())
    assert sizes == {OLD: 3 * MIB, NEW: 2 * MIB}
    assert total == 5 * MIB


def test_a_file_of_the_chain_that_is_not_known_makes_the_sum_unknown():
    known = files()
    del known[r"d:\web_1.avhdx"]
    assert snapshot_sizes({}, [LEAF], known) == ({}, None)
    assert chain(LEAF.path, known) is None
    assert parents([LEAF.path], known) == [r"D:\WEB_1.avhdx"], "to be read next"


def test_chains():
    assert chain(LEAF.path, files()) == [r"d:\web_2.avhdx", r"d:\web_1.avhdx", r"d:\web.vhdx"]
    loop = {r"d:\a.avhdx": DiskFileFacts(1.0, parent=r"D:\A.avhdx")}
    assert chain(r"D:\a.avhdx", loop) == [r"d:\a.avhdx"]
    assert parents([r"D:\a.avhdx"], loop) == []


def test_what_the_methods_tell():
    setting = {"MaxInternalSize": "42949672960", "Type": "4", "Format": "3", "ParentPath": r"D:\web.vhdx"}
    facts = file_facts(setting, {"FileSize": "10737418240"}, 7.0, [])
    assert facts == DiskFileFacts(7.0, 42949672960, 10737418240, 4, "vhdx", r"D:\web.vhdx")
    assert facts.growth_bytes == 32212254720
    fixed = file_facts({"MaxInternalSize": "1000"}, {"FileSize": "1512"}, 7.0, [])
    assert fixed.growth_bytes == 0, "a fixed disk's file is a little larger than the disk"
    assert file_facts(setting, None, 7.0, []).growth_bytes is None
