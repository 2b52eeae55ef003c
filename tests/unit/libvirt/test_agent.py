"""File systems by the guest agent: numbers, agents that hang, and who is asked at all."""

import threading
import time

import pytest

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.errors import AgentSilent, Gone
from collectors.libvirt.client.patience import HELD_SECONDS, Occupied, Patience
from collectors.libvirt.findings import Findings
from collectors.libvirt.groups import agent
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.agent import filesystems
from collectors.libvirt.memory import Memory
from exporter.contract import Deadline
from exporter.errors import Forbidden, TimedOut, Unsupported
from exporter.model import GuestFilesystem
from tests.backends.processes import until

ONE = [("/", 1000, 600)]
ROOT = {"fs.0.mountpoint": "/", "fs.0.fstype": "ext4", "fs.0.total-bytes": 1000, "fs.0.used-bytes": 400}


def mount(number, mountpoint, name="sda1", total=1000):
    said = {"name": name, "mountpoint": mountpoint, "total-bytes": total, "used-bytes": 400}
    return {f"fs.{number}.{key}": value for key, value in said.items()}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param({"fs.count": 1, **ROOT}, [("/", 1000, 600)], id="1000 less 400"),
        pytest.param({}, [], id="nothing told"),
        pytest.param({"fs.count": 1, "fs.0.mountpoint": "/"}, [], id="an old agent: no sizes"),
        pytest.param(
            {"fs.count": 2, **ROOT, "fs.1.mountpoint": "/", "fs.1.total-bytes": 5}, [("/", 1000, 600)], id="2x"
        ),
        pytest.param({"fs.count": 1, **ROOT, "fs.0.fstype": "squashfs"}, [], id="an image that is always full"),
        pytest.param({"fs.count": 1, **ROOT, "fs.0.used-bytes": 1001}, [("/", 1000, None)], id="more used than all"),
        pytest.param({"fs.count": 1, **ROOT, "fs.0.mountpoint": "C:\\"}, [("C:\\", 1000, 600)], id="Windows"),
        pytest.param({"fs.count": "many", **ROOT}, [], id="no number"),
        pytest.param(
            {"fs.count": 3, **mount(0, "/var/lib/kubelet/volume"), **mount(1, "/"), **mount(2, "/srv")},
            [("/", 1000, 600)],
            id="one device at three places, the shortest path",
        ),
        pytest.param(
            {"fs.count": 2, **mount(0, "/"), **mount(1, "/home", total=500)},
            [("/", 1000, 600), ("/home", 500, 100)],
            id="one device, but a quota of its own",
        ),
        pytest.param(
            {"fs.count": 2, **mount(0, "/b"), **mount(1, "/a", name="sdb1")},
            [("/a", 1000, 600), ("/b", 1000, 600)],
            id="two devices of one size",
        ),
        pytest.param(
            {"fs.count": 2, **mount(0, "/"), **mount(1, "/", name="sdb1")}, [("/", 1000, 600)], id="one over the other"
        ),
    ],
)
def test_file_systems(answer, found):
    assert filesystems(answer) == tuple(GuestFilesystem(*each) for each in found)


def test_an_answer_and_an_error_come_back():
    patience = Patience()
    assert patience.ask("a", lambda: 7, 5) == 7
    with pytest.raises(Gone, match="vanished"):
        patience.ask("a", lambda: (_ for _ in ()).throw(Gone("vanished")), 5)
    assert patience.hanging == 0


def until_hanging(patience, number):
    until(lambda: patience.hanging == number, 5, f"{number} hanging")


def test_a_call_that_hangs_takes_a_place_until_it_returns():
    patience, back = Patience(own=2), threading.Event()
    for thing in ("a", "b"):
        assert patience.ask("healthy", lambda: 7, 5) == 7
        with pytest.raises(TimedOut):
            patience.ask(thing, back.wait, 0.05)
        with pytest.raises(Occupied, match=thing):
            patience.ask(thing, lambda: 7, 5)
    assert patience.hanging == 2
    with pytest.raises(Occupied, match="calls to others"):
        patience.ask("healthy", lambda: 7, 5)
    back.set()
    until_hanging(patience, 0)
    assert patience.ask("a", lambda: 7, 5) == 7


def test_one_call_that_hangs_is_enough_so_that_vitals_keep_a_place():
    patience, back = Patience(), threading.Event()
    with pytest.raises(TimedOut):
        patience.ask("a", back.wait, 0.05)
    with pytest.raises(Occupied) as refused:
        patience.ask("b", lambda: 7, 5)
    assert not refused.value.itself
    assert patience.hanging == 1
    back.set()
    until_hanging(patience, 0)


def test_two_monitors_that_are_stuck_leave_no_place():
    with pytest.raises(Occupied):
        Patience(elsewhere=lambda: 2).ask("a", lambda: 7, 5)
    assert Patience(elsewhere=lambda: 1).ask("a", lambda: 7, 5) == 7


def test_what_somebody_else_holds_counts_until_it_answers_again():
    """As the hung call of a process that was killed: libvirt gives up to wait for it after 30 s."""
    now = [0.0]
    patience = Patience(own=2, clock=lambda: now[0])

    def given_up():
        raise TimedOut("cannot acquire state change lock (held by agent=remoteDispatchDomainGetGuestInfo)")

    for thing in ("a", "b"):
        with pytest.raises(TimedOut):
            patience.ask(thing, given_up, 5)
    assert patience.hanging == 2
    with pytest.raises(Occupied):
        patience.ask("c", lambda: 7, 5)
    back = threading.Event()
    with pytest.raises(TimedOut):
        patience.ask("a", back.wait, 0.05)
    with pytest.raises(Occupied):
        patience.ask("b", lambda: 7, 5)
    back.set()
    until_hanging(patience, 1)
    with pytest.raises(TimedOut):
        patience.ask("a", given_up, 5)
    now[0] += HELD_SECONDS
    assert patience.hanging == 0, "nobody asked again: it is gone"
    with pytest.raises(TimedOut):
        patience.ask("a", given_up, 5)
    assert (patience.ask("a", lambda: 7, 5), patience.hanging) == (7, 0)


XML = "<domain><devices><channel><target name='org.qemu.guest_agent.0' state='{}'/></channel></devices></domain>"


class Lab:
    """A driver with guests whose agents answer, hang or fail."""

    def __init__(self, driver="qemu", **answers):
        self.answers, self.name, self.asked = answers, driver, []

    def driver(self):
        return self.name

    def domains(self):
        off = [Domain("off", "off")]
        return [Domain(name, name, number) for number, name in enumerate(self.answers)] + off

    def xml(self, domain):
        return XML.format("disconnected" if domain.uuid == "silent" else "connected")

    def told(self, domain, _seconds):
        self.asked.append(domain.uuid)
        answer = self.answers[domain.uuid]
        if isinstance(answer, Exception):
            raise answer
        return answer


def collect(lab, memory=None, deadline=None):
    around = Surroundings(
        lab, memory or Memory(), Findings(), deadline or Deadline.after(60), time.time, "kvm-7", writing=lab
    )
    return agent.collect(around)


def test_only_agents_that_are_connected_are_asked():
    lab, memory = Lab(web={"fs.count": 1, **ROOT}, silent={}), Memory()
    observation = collect(lab, memory)
    assert [(guest.name, len(guest.filesystems)) for guest in observation.guests] == [("web", 1)]
    assert lab.asked == ["web"]
    assert memory.descriptions.keys() == {"web", "silent"}
    assert not observation.partial


def test_what_agents_call_their_systems_is_kept_while_the_guest_runs():
    memory = Memory()
    answers = {"web": {"os.pretty-name": "Debian GNU/Linux 12"}, "db": {"os.name": "Windows"}, "old": {"fs.count": 0}}
    collect(Lab(**answers), memory)
    assert memory.systems == {"web": "Debian GNU/Linux 12", "db": "Windows", "old": ""}
    collect(Lab(web=TimedOut("no answer")), memory)
    assert memory.systems == {"web": "Debian GNU/Linux 12"}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (TimedOut("no answer"), "agent_hung"),
        (Occupied("still hangs"), "agent_hung"),
        (AgentSilent("not available for now"), "agent_hung"),
        (Gone("switched off"), None),
    ],
)
def test_an_agent_that_fails_costs_only_its_guest(error, problem):
    observation = collect(Lab(bad=error, web={"fs.count": 1, **ROOT}))
    assert [guest.name for guest in observation.guests] == ["web"]
    assert [(each.name, each.count) for each in observation.problems] == ([(problem, 1)] if problem else [])
    assert observation.partial is bool(problem)


def test_what_was_told_before_the_deadline_is_kept():
    deadline, lab = Deadline.after(60), Lab(web={"fs.count": 1, **ROOT}, late={}, later={})

    def answer_and_take_all_the_time(domain, _seconds):
        lab.asked.append(domain.uuid)
        deadline._at = 0.0
        return lab.answers[domain.uuid]

    lab.told = answer_and_take_all_the_time
    observation = collect(lab, deadline=deadline)
    assert [guest.name for guest in observation.guests] == lab.asked == ["web"]
    assert [(each.name, each.count) for each in observation.problems] == [("object_inaccessible", 2)]


def test_without_a_right_nobody_is_asked_twice():
    lab = Lab(a=Forbidden("no", right="read-write connection"), b={})
    with pytest.raises(Forbidden):
        collect(lab)
    assert lab.asked == ["a"]


def test_other_drivers_have_no_agents():
    with pytest.raises(Unsupported):
        collect(Lab(driver="lxc"))
