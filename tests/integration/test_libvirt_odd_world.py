"""Snapshots of any age and depth in libvirt's `test` driver, through a session and the core's sums."""

import time
import uuid

import pytest

from collectors.libvirt import session as session_module
from collectors.libvirt.client.endpoint import Endpoint
from collectors.libvirt.client.errors import WrongState
from exporter.config.model import Profile, Target
from exporter.normalise import normalise
from tests.integration.libvirt_world import world

NOW = int(time.time())
DAY = 86_400
UUID = uuid.UUID(int=7)
DOMAIN = (
    f"<name>web</name><uuid>{UUID}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os>"
    "<devices><disk type='file'><source file='/a'/><target dev='vda'/></disk></devices>"
)


def host(tmp_path, snapshots):
    """A host with one guest and these snapshots: name, parent or "", creation time."""
    texts = "".join(
        f"<test:domainsnapshot><name>{name}</name><state>running</state>"
        + (f"<parent><name>{parent}</name></parent>" if parent else "")
        + f"<creationTime>{created}</creationTime><domain type='test'>{DOMAIN}</domain>"
        f"<active>{int(number == len(snapshots) - 1)}</active></test:domainsnapshot>"
        for number, (name, parent, created) in enumerate(snapshots)
    )
    file = tmp_path / "node.xml"
    file.write_text(
        "<node xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
        f"<domain type='test'>{DOMAIN}{texts}</domain></node>"
    )
    return f"test://{file}"


@pytest.fixture
def summed(tmp_path):
    """Of a host with these snapshots: what was collected of its guest, summed up by the core, and the problems."""
    pytest.importorskip("libvirt")

    def collect(snapshots):
        address = host(tmp_path, snapshots)
        with world(address) as session:
            observation = session.collect("snapshots")
        found = normalise(observation, Target("lab", "libvirt", address, profile=Profile()))
        (guest,) = found.observation.guests
        told = {each.name: (each.count, each.example) for each in observation.problems}
        return guest.snapshot_summary, told, dict(found.problems)

    return collect


def test_a_chain_of_a_thousand_snapshots_is_a_thousand_deep(summed):
    chain = [(f"s{n}", f"s{n - 1}" if n else "", NOW - (1000 - n)) for n in range(1000)]
    summary, told, problems = summed(chain)
    assert (summary.count, summary.chain_depth, told, problems) == (1000, 1000, {}, {})
    assert summary.oldest_timestamp_seconds == NOW - 1000


def test_a_snapshot_of_the_future_has_no_age_and_is_counted(summed):
    summary, told, problems = summed([("ahead", "", NOW + 10 * DAY)])
    assert (summary.count, summary.oldest_age_seconds, told) == (1, 0.0, {})
    assert problems == {"snapshot_in_future": 1}


@pytest.mark.parametrize("created", [-1, -DAY * 36500])
def test_a_snapshot_from_before_time_counts_and_has_no_age(summed, created):
    summary, told, _ = summed([("ancient", "", created), ("new", "ancient", NOW - DAY)])
    assert (summary.count, summary.oldest_timestamp_seconds, summary.chain_depth) == (2, NOW - DAY, 2)
    sentence = f"guest 'web': snapshot 'ancient': creationTime is {created}, when nothing can have been made"
    assert told == {"value_rejected": (1, sentence)}


def test_a_snapshot_of_time_zero_has_no_time_in_libvirt(summed):
    summary, told, _ = summed([("epoch", "", 0)])
    assert (summary.count, summary.oldest_timestamp_seconds, summary.oldest_age_seconds) == (1, None, None)
    assert told.keys() <= {"value_rejected"}, "libvirt may leave it out"


def test_a_date_in_the_year_9999_is_a_date(summed):
    summary, told, problems = summed([("far", "", 253_402_300_799)])
    assert (summary.oldest_timestamp_seconds, told, problems) == (253_402_300_799, {}, {"snapshot_in_future": 1})


@pytest.mark.parametrize("group", ["vitals", "inventory", "storage", "snapshots"])
def test_operation_invalid_of_a_guest_that_runs_is_counted_in_every_group(tmp_path, monkeypatch, group):
    pytest.importorskip("libvirt")

    def refused(*_):
        raise WrongState("Requested operation is not valid: it cannot tell")

    question = {"vitals": "memory", "snapshots": "snapshots"}.get(group, "xml")
    monkeypatch.setattr(Endpoint, question, refused)
    with world(host(tmp_path, [("only", "", NOW)])) as session:
        observation = session.collect(group)
    assert [(each.name, each.count) for each in observation.problems] == [("object_inaccessible", 1)]
    assert observation.partial
    assert [guest.name for guest in observation.guests] == (["web"] if group == "vitals" else [])


def test_advice_is_a_problem_of_the_first_collection_only_and_no_failure(tmp_path, monkeypatch, caplog):
    pytest.importorskip("libvirt")
    monkeypatch.setattr(session_module, "advice", lambda _: "the platform vsphere sees far more")
    with world(host(tmp_path, [])) as session:
        first, second = session.collect("inventory"), session.collect("vitals")
    assert [(each.name, each.count, each.example) for each in first.problems] == [
        ("better_platform", 1, "the platform vsphere sees far more")
    ]
    assert (first.partial, second.problems) == (False, ())
    assert [record.getMessage() for record in caplog.records] == ["the platform vsphere sees far more"]
