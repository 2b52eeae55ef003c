"""Alerts on targets and on the exporter itself. Evaluated every minute; `0x9` are ten values."""

from tests.rules.story import EXPORTER, TARGET, Story

_INTERVAL = 'hypervisor_target_interval_seconds{group="vitals"}'
_LICENSE = 'hypervisor_vsphere_license_expiration_timestamp_seconds{license="vSphere 8",license_id="12345"}'
_USED = _LICENSE.replace("expiration_timestamp_seconds", "used")
_DROPPED = 'hypervisor_exporter_series_dropped_total{target="<target>",reason="budget"}'
_SUCCESS = 'hypervisor_target_last_success_timestamp_seconds{group="vitals"}'


def problem(alert, name, waits):
    """Objects with a problem from minute 5 to 45."""
    key = f'hypervisor_target_problems{{group="vitals",problem="{name}"}}'
    return Story(alert, {key: "0x4 2x40 0x*"}, {key: "0x*"}, 5 + waits, 46 + 5, TARGET, "2")


STORIES = (
    Story(
        "HypervisorTargetDown",
        {"hypervisor_target_up": "1x4 0x9 1x*"},
        {"hypervisor_target_up": "1x*"},
        fires=5 + 5,
        resolves=15 + 5,
        labels=TARGET,
    ),
    Story(
        "HypervisorTargetNeverCollected",
        {
            'hypervisor_target_interval_seconds{group="storage"}': "120x*",
            'hypervisor_target_last_success_timestamp_seconds{group="storage"}': "_x30 1800+60x*",
        },
        {'hypervisor_target_last_success_timestamp_seconds{group="storage"}': "0x*"},
        fires=15,
        resolves=30 + 5,
        labels=TARGET,
        more={"group": "storage"},
    ),
    # Three intervals are 180 s: at minute 4 the data are 240 s old. The next success is of minute 31.
    Story(
        "HypervisorTargetDataOld",
        {_INTERVAL: "60x*", _SUCCESS: "0x30 1860+60x*", "hypervisor_target_up": "1x*"},
        {_SUCCESS: "-180+60x*"},
        fires=4 + 10,
        resolves=31 + 5,
        labels=TARGET,
        more={"group": "vitals"},
    ),
    # Is it down, then that is what is said.
    Story(
        "HypervisorTargetDataOld",
        {_INTERVAL: "60x*", _SUCCESS: "0x30 1860+60x*", "hypervisor_target_up": "1x*"},
        {"hypervisor_target_up": "0x*"},
        fires=4 + 10,
        resolves=31 + 5,
        labels=TARGET,
        more={"group": "vitals"},
    ),
    Story(
        "HypervisorTargetLoginRefused",
        {'hypervisor_target_breaker_state{state="auth_locked"}': "_x5 1x9 stale"},
        {
            'hypervisor_target_breaker_state{state="auth_locked"}': None,
            'hypervisor_target_breaker_state{state="open"}': "1x*",
        },
        fires=5 + 1,
        resolves=15 + 5,
        labels=TARGET,
    ),
    Story(
        "HypervisorTargetRightsMissing",
        {'hypervisor_target_problems{group="storage",problem="missing_right"}': "3x70 0x*"},
        {'hypervisor_target_problems{group="storage",problem="missing_right"}': "0x*"},
        fires=60,
        resolves=71 + 5,
        labels=TARGET,
        value="3",
    ),
    problem("HypervisorTargetBlindSpot", "blind_spot", 30),
    problem("HypervisorTargetsOverlap", "overlapping_target", 30),
    Story(
        "HypervisorTargetTlsUnverified",
        {"hypervisor_target_tls_verified": "0x70 1x*"},
        {"hypervisor_target_tls_verified": "1x*"},
        fires=60,
        resolves=71 + 5,
        labels=TARGET,
    ),
    # 21 days are 1814400 s: at minute 10 exactly these are left, at 11 less. Renewed at minute 81.
    # At 71: 1815000 - 71 * 60 = 1810740 s = 20 d 82740 s; at 80: 1810200 s = 20 d 82200 s.
    Story(
        "HypervisorTargetCertificateEnds",
        {"hypervisor_target_tls_not_after_timestamp_seconds": "1815000x80 99999999x*"},
        {"hypervisor_target_tls_not_after_timestamp_seconds": "1814400+60x*"},
        fires=11 + 60,
        resolves=81 + 5,
        labels=TARGET,
        value="20d 22h 59m 0s",
        last="20d 22h 50m 0s",
    ),
    Story(
        "HypervisorLicenseEnds",
        {_LICENSE: "1815000x80 99999999x*"},
        {_LICENSE: "1814400+60x*"},
        fires=11 + 60,
        resolves=81 + 5,
        labels=TARGET,
        value="20d 22h 59m 0s",
        last="20d 22h 50m 0s",
        more={"license": "vSphere 8", "license_id": "12345"},
    ),
    # What nobody uses may be over: every vCenter lists its evaluation for ever. Unused from 71 on.
    Story(
        "HypervisorLicenseEnds",
        {_LICENSE: "-600x*", _USED: "2x70 0x*"},
        {_USED: "0x*"},
        fires=60,
        resolves=71 + 5,
        labels=TARGET,
        value="-1h 10m 0s",
        last="-1h 20m 0s",
        more={"license": "vSphere 8", "license_id": "12345"},
    ),
    # Yellow ones, and red ones that somebody has seen, are nobody's alert.
    Story(
        "HypervisorAlarmsTriggered",
        {'hypervisor_vsphere_alarms{severity="red",acknowledged="0"}': "0x4 2x40 0x*"},
        {
            'hypervisor_vsphere_alarms{severity="red",acknowledged="0"}': "0x*",
            'hypervisor_vsphere_alarms{severity="red",acknowledged="1"}': "2x*",
            'hypervisor_vsphere_alarms{severity="yellow",acknowledged="0"}': "2x*",
        },
        fires=5 + 15,
        resolves=46 + 5,
        labels=TARGET,
        value="2",
    ),
    Story(
        "HypervisorTargetClockSkew",
        {"hypervisor_target_clock_offset_seconds": "0x4 -61x40 0x*"},
        {"hypervisor_target_clock_offset_seconds": "-60x*"},
        fires=5 + 30,
        resolves=46 + 5,
        labels=TARGET,
        value="1m 1s",
    ),
    # 49 s of 60 s are 81.67 %; 48 s are 80 %.
    Story(
        "HypervisorCollectionSlow",
        {_INTERVAL: "60x*", 'hypervisor_target_collection_duration_seconds{group="vitals"}': "49x40 10x*"},
        {'hypervisor_target_collection_duration_seconds{group="vitals"}': "48x*"},
        fires=30,
        resolves=41 + 5,
        labels=TARGET,
        value="81.67%",
        more={"group": "vitals"},
    ),
    # Four within the hour from minute 66 on; an hour later there are none.
    Story(
        "HypervisorCollectionsSkipped",
        {'hypervisor_target_collections_total{group="vitals",outcome="skipped"}': "0x65 4x*"},
        {'hypervisor_target_collections_total{group="vitals",outcome="skipped"}': "0x65 3x*"},
        fires=66 + 15,
        resolves=126 + 5,
        labels=TARGET,
        value="4",
        more={"group": "vitals"},
    ),
    # Five times 61 s are more than the window of 300 s.
    Story(
        "HypervisorRateWindowTooShort",
        {_INTERVAL: "61x70 60x*"},
        {_INTERVAL: "60x*"},
        fires=60,
        resolves=71 + 5,
        labels=TARGET,
        value="5m 5s",
    ),
    Story(
        "HypervisorExporterAbsent",
        {"hypervisor_exporter_build_info": "1x4 stale _x20 1x*"},
        {"hypervisor_exporter_build_info": "1x*"},
        fires=5 + 5,
        resolves=26 + 5,
        labels="",
    ),
    Story(
        "HypervisorExporterReloadFailed",
        {"hypervisor_exporter_config_last_reload_successful": "1x4 0x20 1x*"},
        {"hypervisor_exporter_config_last_reload_successful": "1x*"},
        fires=5 + 5,
        resolves=26 + 5,
        labels=EXPORTER,
    ),
    Story(
        "HypervisorExporterCallsAbandoned",
        {"hypervisor_exporter_abandoned_calls": "0x4 2x40 0x*"},
        {"hypervisor_exporter_abandoned_calls": "0x*"},
        fires=5 + 30,
        resolves=46 + 5,
        labels=EXPORTER,
        value="2",
    ),
    Story(
        "HypervisorExporterWorkersRestart",
        {"hypervisor_exporter_worker_restarts_total": "0x65 4x*"},
        {"hypervisor_exporter_worker_restarts_total": "0x65 3x*"},
        fires=66 + 15,
        resolves=126 + 5,
        labels=EXPORTER,
        value="4",
    ),
    # Ten more at 75; an hour later, at 135, that is too long ago.
    Story(
        "HypervisorExporterSeriesDropped",
        {_DROPPED: "200x74 210x*"},
        {_DROPPED: "200x*"},
        fires=75 + 5,
        resolves=135 + 5,
        labels=f"{EXPORTER} target",
        value="10",
        more={"reason": "budget"},
    ),
    # The first ones, at 65, with the series itself.
    Story(
        "HypervisorExporterSeriesDropped",
        {_DROPPED: "_x65 30x*"},
        {_DROPPED: None},
        fires=65 + 5,
        resolves=125 + 5,
        labels=f"{EXPORTER} target",
        value="30",
        more={"reason": "budget"},
    ),
    Story(
        "HypervisorExporterShardMissing",
        {
            'hypervisor_exporter_shards{instance="one"}': "3x*",
            'hypervisor_exporter_shard_index{instance="one"}': "0x*",
            'hypervisor_exporter_shard_index{instance="two"}': "1x*",
            'hypervisor_exporter_shard_index{instance="three"}': "2x4 stale _x20 2x*",
        },
        {'hypervisor_exporter_shard_index{instance="three"}': "2x*"},
        fires=5 + 5,
        resolves=26 + 5,
        labels="job",
        value="1",
    ),
)
