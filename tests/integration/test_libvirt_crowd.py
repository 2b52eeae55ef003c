"""2,000 guests behind a daemon, on the path of drivers without bulk statistics; and answers that are odd."""

import dataclasses
import time
import uuid

import pytest

from collectors.libvirt.client.endpoint import Endpoint
from collectors.libvirt.platform import PLATFORM
from tests.integration.libvirt_world import world

GUESTS = 2000
DOMAIN = (
    "<domain type='test'><name>guest-{number}</name><uuid>{uuid}</uuid><memory unit='MiB'>1024</memory><vcpu>2</vcpu>"
    "<os><type>hvm</type></os><devices><disk type='file'><source file='/{number}'/><target dev='vda'/></disk>"
    "<interface type='network'><source network='lan'/><target dev='tap{number}'/></interface></devices></domain>"
)
LAN = "<network><name>lan</name><bridge name='br0'/></network>"


@pytest.mark.backend
def test_two_thousand_guests_are_seen_through_a_daemon_before_the_deadline(libvirt_lab):
    domains = (DOMAIN.format(number=number, uuid=uuid.UUID(int=number + 1)) for number in range(GUESTS))
    file = libvirt_lab.scratch.file("crowd.xml", f"<node>{LAN}{''.join(domains)}</node>")
    libvirt_lab.scratch.own(file)
    with world(f"test+unix://{file}?socket={libvirt_lab.socket}") as session:
        seconds = {}
        for group in ("inventory", "vitals", "snapshots"):
            begun = time.monotonic()
            observation = session.collect(group)
            seconds[group] = time.monotonic() - begun
            assert (len(observation.guests), observation.problems) == (GUESTS, ())
            if group == "vitals":
                assert {guest.state.value for guest in observation.guests} == {"running"}
                assert all(guest.cpu.seconds is not None and len(guest.disks) == 1 for guest in observation.guests)
        requests = {name: each.count for name, each in session.meter.take().items()}
    assert requests["virDomainGetState"] == requests["virDomainGetInfo"] == GUESTS
    assert "virDomainListAllSnapshots" not in requests, "the daemon says that none has any"
    assert seconds["vitals"] < 20


@pytest.fixture
def demo(tmp_path):
    pytest.importorskip("libvirt")
    target = PLATFORM.demo(tmp_path)[0]
    with world(target["address"], target["name"]) as session:
        yield session


def test_a_daemon_older_than_six_is_watched_and_named_once(demo, monkeypatch, caplog):
    asked = Endpoint.node
    monkeypatch.setattr(Endpoint, "node", lambda self: dataclasses.replace(asked(self), libvirt_version=5_009_000))
    for _ in range(2):
        observation = demo.collect("vitals")
        assert (len(observation.guests), observation.problems) == (6, ())
    assert [record.getMessage() for record in caplog.records] == [
        "libvirt 5.9.0 is older than 6.0.0: what it does not know is absent, nothing was tried with it"
    ]


def test_a_name_of_four_thousand_characters_is_a_name(tmp_path):
    pytest.importorskip("libvirt")
    names = ["quote&quot;s and &apos;more&apos;", "😀", "n" * 4096]
    domains = (
        DOMAIN.format(number=number, uuid=uuid.UUID(int=number + 1)).replace(f"guest-{number}", name)
        for number, name in enumerate(names)
    )
    file = tmp_path / "node.xml"
    file.write_text(f"<node>{LAN}{''.join(domains)}</node>", encoding="utf-8")
    with world(f"test://{file}") as session:
        for group in ("inventory", "vitals", "storage", "snapshots"):
            assert session.guests(group).keys() == {"quote\"s and 'more'", "😀", "n" * 4096}, group
