"""Listen addresses: what is understood, and what an operator reads when one cannot be bound."""

import errno
import socket

import pytest

from exporter.web.listening import BadAddress, ListenError, listen, parse_address, told


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (":9974", "", 9974),
        ("0.0.0.0:9974", "0.0.0.0", 9974),
        ("[::1]:9974", "::1", 9974),
        ("[::]:0", "::", 0),
        ("localhost:65535", "localhost", 65535),
    ],
)
def test_addresses_are_host_and_port(address, host, port):
    assert parse_address(address) == (host, port)


@pytest.mark.parametrize("address", ["", "9974", "host", "host:", "::1:9974", "[::1]", "a b:1", ":65536", ":-1", ":٣"])
def test_anything_else_is_refused_by_name(address):
    with pytest.raises(BadAddress, match="HOST:PORT") as refused:
        parse_address(address)
    assert repr(address) in str(refused.value)


def test_an_address_in_use_is_named_with_a_remedy_and_nothing_stays_bound():
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        free_port = free.getsockname()[1]
        free.close()
        with pytest.raises(ListenError) as refused:
            listen([f"127.0.0.1:{free_port}", told(taken)])
        assert str(refused.value) == (
            f"cannot listen on {told(taken)}: Address already in use; "
            "another process listens there: stop it, or choose another --web.listen-address"
        )
        assert refused.value.errno == errno.EADDRINUSE
        socket.create_server(("127.0.0.1", free_port)).close()


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1:0: .*no interface of this machine"):
        listen(["192.0.2.1:0"])


def test_an_unknown_name_is_refused(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(
        ListenError, match=r"cannot listen on nowhere\.example:0: the name nowhere\.example has no address"
    ):
        listen(["nowhere.example:0"])


def test_an_empty_host_is_every_interface():
    (bound,) = listen([":0"])
    with bound:
        port = bound.getsockname()[1]
        for host in ("127.0.0.1", "::1") if bound.family is socket.AF_INET6 else ("127.0.0.1",):
            socket.create_connection((host, port), timeout=5).close()
