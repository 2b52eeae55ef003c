"""Flags and calls that a daemon refuses: what is tried instead, what is remembered, what the operator reads."""

import logging

import pytest

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.endpoint import Endpoint, How, Stats
from collectors.libvirt.client.errors import Failed, Refused
from collectors.libvirt.platform import PLATFORM
from exporter.config.model import Target
from exporter.contract import Context, Meter

libvirt = pytest.importorskip("libvirt")

BACKING, NOWAIT = How.BACKING, How.NOWAIT
NO_SUPPORT, INVALID_ARGUMENT, CONFIG_UNSUPPORTED, ARGUMENT_UNSUPPORTED = 3, 8, 67, 74


def failure(code):
    error = libvirt.libvirtError("refused")
    error.err = (code, 10, "refused", 2, None, None, None, 0, 0)
    return error


class virConnect:  # noqa: N801 - the client looks its calls up by the names of libvirt's classes
    """A daemon that refuses flags, for good or the first times."""

    def __init__(self, refused=How.PLAIN, code=INVALID_ARGUMENT, times=10**9):
        self.refused, self.code, self.times = refused, code, times
        self.flags = []

    def domainListGetStats(self, _domains, _groups, flags):  # noqa: N802
        self.flags.append(How(flags))
        if (self.refused & How(flags) or not self.refused) and self.times:
            self.times -= 1
            raise failure(self.code)
        return []

    def getFreeMemory(self):  # noqa: N802
        self.flags.append("free memory")
        raise failure(self.code)

    def getSysinfo(self, _flags):  # noqa: N802
        return b"\xff".decode()

    def isAlive(self):  # noqa: N802
        return True


class virDomain:  # noqa: N801
    """A guest whose calls fail with a code."""

    def __init__(self, code):
        self.code, self.asked = code, 0

    def memoryStats(self):  # noqa: N802
        self.asked += 1
        raise failure(self.code)


def endpoint(handle, told=None):
    return Endpoint(Connection(handle, Meter()), (told if told is not None else []).append)


def ask(asked, how=How.PLAIN):
    asked.bulk([Domain("a", "a", 1)], Stats.BLOCK, how)


@pytest.mark.parametrize("code", [INVALID_ARGUMENT, ARGUMENT_UNSUPPORTED])
@pytest.mark.parametrize(
    ("refused", "first", "later", "told"),
    [
        pytest.param(NOWAIT, [BACKING | NOWAIT, NOWAIT, BACKING], BACKING, ["NOWAIT"], id="older than 4.5"),
        pytest.param(BACKING, [BACKING | NOWAIT, NOWAIT], NOWAIT, ["BACKING"], id="layers"),
        pytest.param(
            BACKING | NOWAIT,
            [BACKING | NOWAIT, NOWAIT, BACKING, How.PLAIN],
            How.PLAIN,
            ["BACKING", "NOWAIT"],
            id="vz: both",
        ),
    ],
)
def test_a_flag_that_the_daemon_refuses_is_given_up_once_and_told(refused, first, later, told, code):
    handle, sentences = virConnect(refused, code), []
    asked = endpoint(handle, sentences)
    for _ in range(2):
        ask(asked, BACKING)
    assert handle.flags == [*first, later]
    assert [sentence.split()[6] for sentence in sentences] == told
    assert asked.waits() is (NOWAIT in refused)


def test_a_refusal_that_is_not_for_a_flag_costs_one_call_and_no_flag():
    handle, told = virConnect(times=2), []
    asked = endpoint(handle, told)
    with pytest.raises(Refused):
        ask(asked)
    assert handle.flags == [NOWAIT, How.PLAIN]
    ask(asked)
    assert (handle.flags[-1], asked.waits(), told) == (NOWAIT, False, [])


def test_what_one_guests_configuration_cannot_is_asked_of_the_others():
    guests = [virDomain(CONFIG_UNSUPPORTED), virDomain(CONFIG_UNSUPPORTED)]
    asked = endpoint(virConnect())
    assert [asked.memory(Domain("a", "a", 1, guest)) for guest in guests] == [None, None]
    assert [guest.asked for guest in guests] == [1, 1]


def test_what_the_driver_does_not_know_is_asked_once():
    guests = [virDomain(NO_SUPPORT), virDomain(NO_SUPPORT)]
    asked = endpoint(virConnect())
    assert [asked.memory(Domain("a", "a", 1, guest)) for guest in guests] == [None, None]
    assert [guest.asked for guest in guests] == [1, 0]


@pytest.mark.parametrize("code", [NO_SUPPORT, CONFIG_UNSUPPORTED])
def test_what_the_host_cannot_is_asked_once(code):
    handle = virConnect(code=code)
    asked = endpoint(handle)
    assert (asked.free_memory(), asked.free_memory()) == (None, None)
    assert handle.flags == ["free memory"]


def test_the_operator_reads_it_once_per_session(caplog):
    session = PLATFORM.open(Target("a", "libvirt", "test:///default"), Context(Meter(), logging.getLogger("a")))
    for lane in (session._fast, session._slow):
        ask(Endpoint(Connection(virConnect(NOWAIT), Meter()), lane._tell))
    (record,) = caplog.records
    assert record.getMessage().startswith("libvirt does not know the flag NOWAIT of bulk statistics here: a guest")


def test_an_answer_that_is_no_text_costs_what_it_would_have_told():
    """What firmware tells of itself goes through libvirt as it is."""
    with pytest.raises(Failed, match="virConnectGetSysinfo: the answer is no UTF-8"):
        Connection(virConnect(), Meter()).call(virConnect(), "getSysinfo", 0)
