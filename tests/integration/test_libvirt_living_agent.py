"""File systems as the agent inside a Linux guest tells them, and agents that hang, come and go."""

import re
import time
from xml.etree import ElementTree as ET

import pytest

from exporter.config.model import Profile
from tests.backends.living_guest import launch
from tests.backends.processes import until
from tests.integration.libvirt_harm import busy_workers
from tests.integration.libvirt_world import key_values, world

pytestmark = pytest.mark.backend
ASKING = "virDomainGetGuestInfo"
FILESYSTEMS = {"/data", "/mnt/two words"}
PATIENCE_SECONDS = 3
FOR_EVER = "-2"  # VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK, libvirt's default


@pytest.fixture
def session(living):
    with world(living.lab.uri, profile=Profile(group_include=("agent",))) as opened:
        yield opened


@pytest.fixture
def agent(living):
    """The guest with its agent running."""
    return start_agent(living)


@pytest.fixture(scope="module")
def neighbour(living):
    """Another guest with an agent, which is well all the time."""
    guest = launch(living.lab, "neighbour")
    guest.await_boot()
    yield start_agent(guest)
    living.lab.discard("neighbour")


def start_agent(guest):
    guest.sh("pidof qemu-ga >/dev/null || agent >/dev/null 2>&1 3>&- &")
    until(lambda: connected(guest), 40, "connected agent")
    return guest


def stop_agent(guest):
    guest.sh("killall -KILL qemu-ga 2>/dev/null; true")
    until(lambda: not connected(guest), 40, "agent that is gone")


def connected(guest):
    xml = ET.fromstring(guest.lab.virsh("dumpxml", guest.name))
    return xml.find("devices/channel/target").get("state") == "connected"


def collect(session, seconds=20.0):
    """File systems by guest and mountpoint, problems by name, and how many agents were asked."""
    session.meter.take()
    told = session.collect("agent", seconds)
    found = {guest.name: {each.mountpoint: each for each in guest.filesystems} for guest in told.guests}
    asked = session.meter.take().get(ASKING)
    return found, {each.name: each.count for each in told.problems}, asked.count if asked else 0


def up(session):
    return session.guests("inventory")["living"].agent_up


def df(guest):
    """Used and free bytes by mountpoint, as the guest's own df counts them."""
    lines = re.findall(r"^/dev/\S+ +\d+ +(\d+) +(\d+) +\d+% (.+)$", guest.sh("df -k"), re.MULTILINE)
    return {mountpoint: (int(used) * 1024, int(free) * 1024) for used, free, mountpoint in lines}


def guestinfo(guest):
    """Size and used bytes by mountpoint, as virsh prints them."""
    told = key_values(guest.lab.virsh("guestinfo", guest.name, "--filesystem"), ":")
    return {
        told[f"fs.{number}.mountpoint"]: (int(told[f"fs.{number}.total-bytes"]), int(told[f"fs.{number}.used-bytes"]))
        for number in range(int(told["fs.count"]))
    }


def test_a_guest_without_an_agent_is_not_asked(living, session):
    stop_agent(living)
    found, problems, asked = collect(session)
    assert (found, problems, asked) == ({}, {}, 0)
    assert up(session) is False


def test_file_systems_are_those_of_df_and_virsh(agent, session):
    agent.sh("dd if=/dev/zero of=/data/file bs=1M count=5 2>&1 && sync")
    found, problems, asked = collect(session)
    assert (problems, asked) == ({}, 1)
    assert up(session) is True
    own, told = df(agent), guestinfo(agent)
    assert own.keys() == told.keys() == FILESYSTEMS == found["living"].keys()
    for mountpoint, each in found["living"].items():
        size, used = told[mountpoint]
        assert (each.size_bytes, each.free_bytes) == (size, size - used)
        # df rounds up to KiB. What is kept for root is neither size nor free.
        assert abs(each.free_bytes - own[mountpoint][1]) < 1024
        assert abs(each.size_bytes - sum(own[mountpoint])) < 2048
    assert own["/data"][0] > 5 * 2**20


def test_the_system_is_called_as_the_guest_calls_it(agent, session):
    agent.sh("echo 'PRETTY_NAME=\"Small Linux 1.0\"' > /etc/os-release")
    collect(session)
    told = key_values(agent.lab.virsh("guestinfo", agent.name, "--os"), ":")
    assert session.guests("vitals")["living"].os == told["os.pretty-name"] == "Small Linux 1.0"


def test_a_file_system_that_is_mounted_twice_is_one(agent, session):
    agent.sh("mkdir -p /data/a /data/volumes/deep && mount --bind /data/a /data/volumes/deep")
    try:
        assert guestinfo(agent).keys() == FILESYSTEMS | {"/data/volumes/deep"}
        assert collect(session)[0]["living"].keys() == FILESYSTEMS
    finally:
        agent.sh("umount /data/volumes/deep")


def test_an_agent_that_never_greeted_costs_five_seconds_and_its_guest_only(living, neighbour, session):
    stop_agent(living)
    start_agent(living)
    living.sh("killall -STOP qemu-ga")
    try:
        begun = time.monotonic()
        found, problems, asked = collect(session)
        assert (found.keys(), problems, asked) == ({"neighbour"}, {"agent_hung": 1}, 2)
        assert time.monotonic() - begun > 4, "libvirt itself gave up: nobody else would have returned from the call"
    finally:
        living.sh("killall -CONT qemu-ga")
    until(lambda: collect(session)[0].keys() == {"living", "neighbour"}, 40, "an agent that is awake")


@pytest.mark.parametrize("ending", ["wakes", "ends"])
def test_an_agent_that_hangs_is_given_up_and_not_asked_again_until_it_returns(agent, neighbour, session, ending):
    """libvirt lets it greet once; from then on it waits for it for ever."""
    assert collect(session)[0].keys() == {"living", "neighbour"}
    agent.sh("killall -STOP qemu-ga")
    try:
        begun = time.monotonic()
        found, problems, _ = collect(session, PATIENCE_SECONDS)
        # Whether the other one comes before it or is not asked any more, what is known is told.
        assert ("living" in found, problems["agent_hung"]) == (False, 1)
        assert problems.get("object_inaccessible", 0) == 1 - len(found)
        assert time.monotonic() - begun < PATIENCE_SECONDS + 5, "the deadline holds"
        until(lambda: busy_workers(agent.lab) == 1, 10, "call that hangs")
        begun = time.monotonic()
        found, problems, asked = collect(session)
        assert (found, problems, asked) == ({}, {"agent_hung": 1, "object_inaccessible": 1}, 0), "one is enough"
        until(lambda: busy_workers(agent.lab) == 1, 10, "no other call that hangs")
        told = session.collect("vitals")
        assert {guest.name for guest in told.guests} == {"living", "neighbour"}
        assert all(guest.stats_complete and guest.memory.available_bytes for guest in told.guests)
        assert not told.problems
        assert time.monotonic() - begun < 8, "nobody waits"
        assert agent_timeouts(agent) == [FOR_EVER], "it is not ours to set"
    finally:
        agent.sh("killall -CONT qemu-ga") if ending == "wakes" else stop_agent(agent)
    until(lambda: busy_workers(agent.lab) == 0, 40, "a call that returns")
    start_agent(agent)
    until(lambda: collect(session)[0].keys() == {"living", "neighbour"}, 40, "an agent that is asked again")


def test_an_agent_that_has_gone_is_not_asked(agent, session):
    assert "living" in collect(session)[0]
    stop_agent(agent)
    found, problems, asked = collect(session)
    assert "living" not in found
    assert (problems, asked) == ({}, len(found))
    assert up(session) is False


def agent_timeouts(guest):
    """What virDomainAgentSetResponseTimeout sets, in the file where libvirtd keeps the state of a running guest."""
    status = ET.parse(guest.lab.scratch.path / f"run/libvirt/qemu/run/{guest.name}.xml")
    return [each.get("timeout") or each.text for each in status.iter("agentTimeout")]
