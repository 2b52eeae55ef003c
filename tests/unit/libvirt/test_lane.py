"""A lane's connection: kept, renewed, and left behind where a call hangs in it."""

import threading

import pytest

from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.lane import Lane
from exporter.contract import Meter
from exporter.errors import Malformed, Unreachable


class FakeConnection:
    def __init__(self):
        self.alive, self.closed = True, 0

    def answers(self):
        return self.alive

    def close(self):
        self.closed += 1


@pytest.fixture
def opened(monkeypatch):
    made = []

    def open_one(_uri, _meter, *_):
        made.append(FakeConnection())
        return made[-1]

    monkeypatch.setattr(Connection, "open", open_one)
    return made


def use(lane):
    with lane.endpoint():
        pass


def test_the_connection_is_kept(opened):
    lane = Lane("test:///default", Meter())
    use(lane)
    use(lane)
    assert len(opened) == 1
    assert not opened[0].closed


def test_a_connection_whose_daemon_was_restarted_is_renewed(opened):
    lane = Lane("test:///default", Meter())
    use(lane)
    opened[0].alive = False
    use(lane)
    assert [each.closed for each in opened] == [1, 0]


def test_a_lost_connection_is_not_used_again_but_a_bad_answer_costs_none(opened):
    lane = Lane("test:///default", Meter())
    for error in (Malformed("nonsense"), Unreachable("gone"), Unreachable("gone")):
        with pytest.raises(type(error)), lane.endpoint():
            raise error
    assert [each.closed for each in opened] == [1, 1]


def test_whoever_comes_while_a_call_hangs_gets_another_connection(opened):
    lane = Lane("test:///default", Meter())
    inside, release = threading.Event(), threading.Event()

    def hang():
        with lane.endpoint():
            inside.set()
            release.wait(10)

    hung = threading.Thread(target=hang)
    hung.start()
    inside.wait(10)
    use(lane)
    assert len(opened) == 2
    release.set()
    hung.join()
    assert [each.closed for each in opened] == [1, 0], "the late one finds its place taken"


def test_closing_does_not_wait_and_the_late_call_closes_its_own(opened):
    lane = Lane("test:///default", Meter())
    with lane.endpoint():
        lane.close()
        lane.close()
        assert not opened[0].closed
    assert opened[0].closed == 1
