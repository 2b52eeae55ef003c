"""Whatever a host sends as the value of a property, a mapping says unknown or something, and never fails."""

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.hyperv.client.rows import Instance, Reference
from collectors.hyperv.mapping import cluster, snapshots, storage, tables, vhd
from collectors.hyperv.mapping.found import join, unsettled
from collectors.hyperv.mapping.guest import Told, guest_vitals, wait_counted
from collectors.hyperv.mapping.host import Standing, allocation, booted_at, clock, host_facts, host_vitals, switches
from collectors.hyperv.mapping.settings import as_before, disks_of, settings_of
from collectors.hyperv.mapping.values import Field
from exporter.model import Parts, Wrapping
from tests.unit.hyperv.world import HOST, SQL, WEB

TABLES = [each for each in vars(tables).values() if isinstance(each, tables.Table)]
WORDS = st.sampled_from([
    "", " ", "0", "1", "2", "5", "-1", "NaN", "1e999", "18446744073709551616", "true", "nil", "\\", ":", "_Total",
    WEB.upper(), SQL, f"Microsoft:{WEB}", f"Microsoft:{WEB}\\{SQL}\\0\\1\\L", f"Microsoft:{SQL}", "web:Hv VP 0",
    "C:\\ClusterStorage\\Volume1", f"\\\\?\\Volume{{{WEB}}}\\", "2026-01-02T03:04:05Z", "9999-12-31T23:59:59+99:99",
    "0001-01-01T00:00:00Z", "Microsoft:Hyper-V:System:Realized", "Microsoft:Hyper-V:Snapshot:Realized", "a.avhdx",
])  # fmt: skip
SCALARS = st.one_of(WORDS, st.none(), st.text(max_size=20))
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, min_size=2, max_size=3).map(tuple),
    st.builds(Reference, st.text(max_size=5), st.dictionaries(st.sampled_from(["InstanceID", "Name"]), WORDS)),
    st.builds(Instance, st.text(max_size=5), st.dictionaries(st.sampled_from(["VmID", "Value", "Name"]), SCALARS)),
)


def rows_of(table):
    names = [each.name if isinstance(each, Field) else each for each in table.columns]
    return st.lists(st.dictionaries(st.sampled_from(names), VALUES), max_size=3)


ANSWERS = st.fixed_dictionaries({}, optional={table: rows_of(table) for table in TABLES})


def numbers(counter):
    if isinstance(counter, Parts | Wrapping):
        return list(counter.values.values())
    return [] if counter is None else [counter]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(ANSWERS)
def test_no_answer_is_too_strange(answers):
    odd = []
    known = settings_of(answers, odd)
    as_before(known, known, answers)
    unsettled(answers, known)
    joined = join(answers, known, odd).guests
    for found in joined:
        wait_counted(found)
        odd += found.odd
    guests = guest_vitals(joined, HOST, [Told(notes=True, guest_os=True)] * len(joined))
    for guest in guests:
        for value in (*numbers(guest.cpu.seconds), *numbers(guest.cpu.ready_seconds), guest.memory.used_bytes):
            assert value is None or (math.isfinite(value) and value >= 0)
    facts = host_facts(answers, odd)
    host = host_vitals(facts, facts.id, answers, Standing(), odd, boot=booted_at(answers, odd))
    clock(answers)
    allocation(guests, known, facts.memory_bytes)
    switches(answers.get(tables.SWITCHES, ()), odd)
    _slow(answers, [host], odd)
    assert all(isinstance(each, str) for each in odd)


def _slow(answers, hosts, odd):
    rows = answers.get(tables.SYSTEMS, ())
    protected = snapshots.protection(answers, odd)
    whose = snapshots.owners(rows, set(protected), answers.get(tables.SNAPSHOT_LINKS, ()))
    snapshots.snapshots_of(rows, whose, {}, odd)
    snapshots.busy(answers)
    disks = disks_of(answers) or {}
    files = {
        vhd.key_of(disk.path): vhd.DiskFileFacts(1.0, parent="a.avhdx") for each in disks.values() for disk in each
    }
    for each in disks.values():
        vhd.snapshot_sizes({"s": each}, each, files)
        vhd.parents([disk.path for disk in each], files)
    volumes = storage.local_volumes(
        answers.get(tables.VOLUMES, ()), odd, host_id="h", host="h", target="t", now=0.0
    ) + storage.shared_volumes(
        answers.get(tables.SHARED_VOLUMES, ()), answers.get(tables.CLUSTER_PARTITIONS, ()), odd, nodes=1, now=0.0
    )
    places = storage.Places(volumes)
    for disk in (disk for each in disks.values() for disk in each):
        places.storage(disk.path, "h")
    storage.redirected({"n": answers.get(tables.SHARED_FILE_SYSTEMS, ())}, "Volume1", odd)
    nodes = cluster.nodes_of(answers.get(tables.NODES, ()), odd)
    cluster.Owners(answers.get(tables.ROLES, ()))
    cluster.identity_of(answers.get(tables.CLUSTER, ()))
    cluster.cluster_vitals(("c", "C"), nodes, hosts, answers.get(tables.RESOURCE_GROUPS), odd)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["MaxInternalSize", "Type", "Format", "ParentPath", "FileSize"]), VALUES))
def test_no_file_is_too_strange(row):
    facts = vhd.file_facts(row, row, 0.0, [])
    assert facts.growth_bytes is None or facts.growth_bytes >= 0
