"""Looking up names: by a deadline, and one question for each name however often it is asked."""

import socket
import threading

import pytest

from exporter.remote.names import NoResolver, addresses
from tests.backends.processes import until

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 443))]


@pytest.fixture
def resolver(monkeypatch):
    """A resolver that answers when it is told to, and counts what it was asked."""

    class Resolver:
        asked = 0
        let_go = threading.Event()

        def __call__(self, _host, _port, **_rest):
            self.asked += 1
            assert self.let_go.wait(60)
            return ANSWER

    found = Resolver()
    found.let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", found)
    yield found
    found.let_go.set()
    until(lambda: not resolving(), 10, "the end of all look-ups")


def resolving():
    return [thread for thread in threading.enumerate() if thread.name.startswith("resolve-")]


def test_a_resolver_that_does_not_answer_costs_no_more_than_the_time_given(resolver):
    for _ in range(3):
        with pytest.raises(NoResolver, match=r"^no name server tells the address of vc\.example in time$"):
            addresses("vc.example", 443, 0.01)
    assert (resolver.asked, len(resolving())) == (1, 1)

    resolver.let_go.set()
    until(lambda: not resolving(), 10, "the end of the look-up")
    assert addresses("vc.example", 443, 10) == ANSWER
    assert resolver.asked == 2


def test_two_who_ask_for_one_name_share_the_answer(resolver):
    seen = []
    asking = [threading.Thread(target=lambda: seen.append(addresses("vc.example", 443, 60))) for _ in range(2)]
    for thread in asking:
        thread.start()
    until(lambda: resolver.asked == 1, 10, "the question")
    resolver.let_go.set()
    for thread in asking:
        thread.join(10)
    assert seen == [ANSWER, ANSWER]
    assert resolver.asked <= 2


def test_what_the_resolver_says_is_passed_on(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror, match="Name or service not known"):
        addresses("nowhere.example", 443, 10)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%lo"])
def test_an_address_needs_no_thread(host):
    before = threading.active_count()
    assert addresses(host, 443, 10)
    assert threading.active_count() == before
