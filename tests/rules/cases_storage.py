"""Alerts on snapshots and storage."""

from tests.rules.story import GUEST, OF_STORAGE, STORAGE, Story

_FREE, _CAPACITY = "hypervisor_storage_free_bytes", "hypervisor_storage_capacity_bytes"
_SNAPSHOTS = "hypervisor_storage_snapshots_size_bytes"
_SHARED = 'target="<target>-2",storage_id="<storage_id>-2"'


def old(alert, days, backup=""):
    """Older than `days` from minute 6, gone at 31; at 16 by 11 minutes, at 30 by 25."""
    family = f"hypervisor_guest_oldest_{backup}snapshot_timestamp_seconds"
    return Story(
        alert,
        {family: f"{300 - days * 86400}x30 stale"},
        {family: f"{-days * 86400}+60x*"},
        fires=6 + 10,
        resolves=31 + 15,
        labels=GUEST,
        value=f"{days}d 0h 11m 0s",
        last=f"{days}d 0h 25m 0s",
    )


def more(alert, family, limit, waits, *, series=None, labels=GUEST, value=""):
    """One more than the limit from minute 5 to `waits` + 15."""
    last = waits + 15
    return Story(
        alert,
        {**(series or {}), family: f"{limit}x4 {limit + 1}x{last - 5} {limit}x*"},
        {family: f"{limit}x*"},
        fires=5 + waits,
        resolves=last + 1 + 15,
        labels=labels,
        value=value or f"{limit + 1}",
    )


def full(alert, free, below, value):
    return Story(
        alert,
        {**OF_STORAGE, _CAPACITY: "100x*", _FREE: f"20x4 {free}x30 20x*"},
        {_FREE: f"{below}x*"},
        fires=5 + 15,
        resolves=36 + 15,
        labels=STORAGE,
        value=value,
    )


STORIES = (
    old("HypervisorSnapshotOld", 7),
    old("HypervisorSnapshotVeryOld", 30),
    old("HypervisorBackupSnapshotLeftBehind", 1, "backup_"),
    more("HypervisorSnapshotsTooMany", "hypervisor_guest_snapshots", 10, 10),
    more("HypervisorSnapshotChainDeep", "hypervisor_guest_snapshot_chain_depth", 5, 10),
    more("HypervisorConsolidationNeeded", "hypervisor_guest_consolidation_needed", 0, 60),
    more("HypervisorOrphanedOverlays", "hypervisor_guest_orphaned_overlays", 0, 60),
    more(
        "HypervisorSnapshotsLarge",
        _SNAPSHOTS,
        50,
        30,
        series={**OF_STORAGE, _FREE: "100x*"},
        labels=STORAGE,
        value="51%",
    ),
    # 6000 bytes a minute are 100 a second: 8630050 last for 86300.5 s; 98.33 a second let them last for 87763 s.
    Story(
        "HypervisorSnapshotsFillStorage",
        {**OF_STORAGE, _FREE: "8630050x*", _SNAPSHOTS: "0+6000x40 0x*"},
        {_SNAPSHOTS: "0+5900x*"},
        fires=1 + 30,
        resolves=41 + 15,
        labels=STORAGE,
        value="23h 58m 20s",
    ),
    full("HypervisorStorageAlmostFull", 14, 16, "86%"),
    full("HypervisorStorageFull", 4, 6, "96%"),
    # 24 bytes a minute are 0.4 a second. At 61 130000.2 - 61 * 24 = 128536.2 last for 321340.5 s, at 80 128080.2 for
    # 320200.5 s. Emptied at 81. The other storage is only 78 % full: somebody is filling it, and may know.
    Story(
        "HypervisorStorageWillFill",
        {**OF_STORAGE, _CAPACITY: "1000000x*", _FREE: "130000.2-24x80 500000x*"},
        {_CAPACITY: "600000x*"},
        fires=1 + 60,
        resolves=81 + 15,
        labels=STORAGE,
        value="3d 17h 15m 40s",
        last="3d 16h 56m 40s",
    ),
    # 22 bytes a minute let 130000 last for 4.1 days.
    Story(
        "HypervisorStorageWillFill",
        {**OF_STORAGE, _CAPACITY: "1000000x*", _FREE: "130000.2-24x80 500000x*"},
        {_FREE: "130000-22x*"},
        fires=1 + 60,
        resolves=81 + 15,
        labels=STORAGE,
        value="3d 17h 15m 40s",
        last="3d 16h 56m 40s",
    ),
    more(
        "HypervisorStorageOvercommitted",
        "hypervisor_storage_provisioned_bytes",
        150,
        60,
        series={**OF_STORAGE, _CAPACITY: "100x*"},
        labels=STORAGE,
        value="151%",
    ),
    Story(
        "HypervisorStorageInaccessible",
        {**OF_STORAGE, "hypervisor_storage_accessible": "1x4 0x20 1x*"},
        {"hypervisor_storage_accessible": "1x*"},
        fires=5 + 5,
        resolves=26 + 15,
        labels=STORAGE,
    ),
    Story(
        "HypervisorStorageRedirected",
        {**OF_STORAGE, "hypervisor_hyperv_csv_no_direct_io": "0x4 1x40 0x*"},
        {"hypervisor_hyperv_csv_no_direct_io": "0x*"},
        fires=5 + 30,
        resolves=46 + 15,
        labels=STORAGE,
    ),
    Story(
        "HypervisorStoragePathLost",
        {**OF_STORAGE, "hypervisor_storage_hosts": "4x*", "hypervisor_storage_hosts_accessible": "4x4 3x30 4x*"},
        {"hypervisor_storage_hosts_accessible": "4x*"},
        fires=5 + 15,
        resolves=36 + 15,
        labels=STORAGE,
        value="1",
    ),
    # Two targets, a host each, and one of them does not reach what they share. Neither does: that is another alert.
    Story(
        "HypervisorStoragePathLost",
        {
            **OF_STORAGE,
            f'hypervisor_storage_info{{{_SHARED},storage_key="<storage_key>"}}': "1x*",
            "hypervisor_storage_accessible": "1x*",
            f"hypervisor_storage_accessible{{{_SHARED}}}": "1x4 0x30 1x*",
        },
        {"hypervisor_storage_accessible": "0x*", f"hypervisor_storage_accessible{{{_SHARED}}}": "0x*"},
        fires=5 + 15,
        resolves=36 + 15,
        labels=STORAGE,
        value="1",
    ),
)
