"""Too many connections: who has to leave, and what is left of the server without descriptors."""

import errno
import socket

import pytest

from exporter.web.crowd import Crowd
from tests.unit.web.test_server import GET, PLAIN, answer_of, big


def test_in_a_full_house_the_one_idle_longest_makes_room(serve, connect, read_to_end, eventually):
    served, seated = serve(connections=3), []

    def idle(count):
        return lambda: sum(stream.idle and not stream.new for stream in served.server._crowd) == count

    for number in (1, 2, 3):
        seated.append(connect(served, GET))
        answer_of(seated[-1])
        eventually(idle(number))
    seated[0].sendall(GET)
    answer_of(seated[0])
    eventually(idle(3))
    assert answer_of(connect(served, GET)).startswith(b"HTTP/1.1 200")
    assert read_to_end(seated[1]) == b""
    assert len(served.server._crowd) == 3
    for raw in (seated[0], seated[2]):
        raw.sendall(GET)
        assert answer_of(raw).startswith(b"HTTP/1.1 200")


def test_a_request_that_is_being_answered_does_not_make_room_while_others_idle(serve, connect, read_to_end, eventually):
    served = serve(connections=2)
    served.estate.everything = big(40)
    reading = connect(served, PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), receive_buffer=8192)
    assert reading.recv(17) == b"HTTP/1.1 200 OK\r\n"
    for _ in range(5):
        assert answer_of(connect(served, GET)).startswith(b"HTTP/1.1 200")
        eventually(lambda: sum(stream.idle for stream in served.server._crowd) == 1)
    assert len(read_to_end(reading)) > served.estate.everything.size


class Seated:
    """A connection in a crowd, as far as the crowd looks at it."""

    def __init__(self, moved, *, idle=True, new=True):
        self.moved, self.idle, self.new, self.address = moved, idle, new, ""


@pytest.fixture
def crowd():
    """A crowd of at most four, and those that had to leave it."""
    crowd = Crowd(4)
    closed = []

    def seat(address, *args, **kwargs):
        stream = Seated(*args, **kwargs)
        stream.close = lambda: (closed.append(stream), crowd.forget(stream))
        crowd.admit(stream, address)
        return stream

    crowd.seat = seat
    crowd.closed = closed
    return crowd


def test_the_peer_with_the_most_connections_makes_room_and_not_the_one_with_few(crowd):
    crowd.seat("prometheus", 1)
    crowd.seat("b", 2, idle=False)
    crowd.seat("b", 4)
    oldest = crowd.seat("b", 3)
    crowd.seat("c", 5)
    assert crowd.closed == [oldest]


def test_a_flood_of_silent_connections_does_not_cost_a_regular_its_place(crowd):
    prometheus = crowd.seat("a", 1, new=False)
    flood = [crowd.seat("a", when) for when in range(2, 20)]
    assert crowd.closed == flood[:-3]
    assert prometheus not in crowd.closed


def test_a_flood_of_regulars_does_not_cost_a_newcomer_its_place(crowd):
    regulars = [crowd.seat("a", when, new=False) for when in range(4)]
    newcomer = crowd.seat("a", 10)
    crowd.seat("a", 11, new=False)
    assert crowd.closed == regulars[:2]
    assert newcomer not in crowd.closed


def test_where_everybody_is_being_answered_the_one_that_took_nothing_for_longest_leaves(crowd):
    reading = [crowd.seat("a", when, idle=False) for when in (7, 5, 6, 8)]
    crowd.seat("a", 9)
    assert crowd.closed == [reading[1]]


def test_without_descriptors_the_server_goes_on_when_there_are_some_again(served, connect, monkeypatch, caplog):
    accept, failed = socket.socket.accept, []

    def exhausted(bound):
        if len(failed) < 3:
            failed.append(bound)
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(bound)

    idle = connect(served, GET)
    answer_of(idle)
    monkeypatch.setattr(socket.socket, "accept", exhausted)
    assert answer_of(connect(served, GET)).startswith(b"HTTP/1.1 200")
    assert len(failed) == 3
    assert idle.recv(1) == b""
    assert [record.levelname for record in caplog.records] == ["WARNING"]
