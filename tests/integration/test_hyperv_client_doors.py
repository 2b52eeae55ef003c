"""Whether and as whom a host lets us in: accounts, certificates, ports, names; each refusal with its remedy."""

import datetime as dt
import email.utils
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from collectors.hyperv.client.account import Account
from collectors.hyperv.client.connection import connect
from collectors.hyperv.client.errors import Busy
from collectors.hyperv.client.rows import Query
from collectors.hyperv.client.settings import Address, Settings
from exporter.config.model import Auth, Tls
from exporter.contract import Meter
from exporter.errors import AuthenticationFailed, CollectorError, SdkMissing, SecretUnreadable, TimedOut, Unreachable
from exporter.secrets import SecretSource
from tests.backends.processes import until
from tests.backends.winrm import WinRM, stand_alone
from tests.integration.hyperv_client import GUESTS, auth_of, connected, failure, names, settings_of, within

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def server():
    with WinRM(stand_alone(guests=1)) as started:
        yield started


@pytest.fixture(scope="module")
def secure():
    with WinRM(stand_alone(guests=1), tls=True) as started:
        yield started


@contextmanager
def reached(address, **settings):
    """A connection to anything at all."""
    auth = Auth("lab", "LAB\\monitor", SecretSource("literal", "Not-a-secret-1"))
    made = connect(Settings(Address.of(address), auth, **settings), Account(auth), Meter())
    try:
        yield made
    finally:
        made.close()


@contextmanager
def answering(answer, context=None):
    """A server that sends some bytes to whoever comes, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def serve():
            try:
                while True:
                    sock, _ = listening.accept()
                    with sock:
                        sock.settimeout(5)
                        try:
                            if context is not None:
                                sock = context.wrap_socket(sock, server_side=True)
                            sock.recv(65536)
                            sock.sendall(answer)
                        except OSError:
                            continue
                        finally:
                            sock.close()
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("transport", ["ntlm", "negotiate"])
def test_a_wrong_password_is_tried_once(server, transport):
    if transport == "negotiate":
        pytest.importorskip("pypsrp")
    before = server.counts["refused"]
    with connected(server, password="wrong-1", transport=transport) as connection:
        sentence = failure(AuthenticationFailed, names, connection)
        assert "a wrong password" in sentence
        assert "event 4625" in sentence
        assert "wrong-1" not in sentence
        assert failure(AuthenticationFailed, names, connection) == sentence
    assert server.counts["refused"] - before <= 2  # the two steps of one login


def test_a_refused_account_is_not_tried_by_the_other_lane_nor_on_many_nodes(server):
    settings = settings_of(server, password="wrong-2")
    account = Account(settings.auth)
    before = server.counts["requests"], server.counts["refused"]
    lanes = [connect(settings, account, Meter()) for _ in range(6)]
    ended = []
    asking = [
        threading.Thread(target=lambda lane=lane: ended.append(failure(AuthenticationFailed, names, lane)))
        for lane in lanes
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join(20)
    assert len(set(ended)) == 1
    assert len(ended) == 6
    assert server.counts["refused"] - before[1] <= 2
    for number in range(2, 6):
        other = connect(settings_of(server, password="wrong-2", url=f"http://127.0.0.{number}:1"), account, Meter())
        with pytest.raises(CollectorError):
            names(other)


def test_a_password_that_has_changed_is_tried_at_once(server, tmp_path):
    path = tmp_path / "password"
    path.write_text("wrong-3")
    auth = Auth("lab", server.user, SecretSource("file", str(path)))
    made = connect(Settings(Address.of(server.url), auth), Account(auth), Meter())
    failure(AuthenticationFailed, names, made)
    path.write_text(server.password)
    assert names(made) == ["HV-1", "guest-1"]
    made.close()
    path.unlink()
    again = connect(Settings(Address.of(server.url), auth), Account(auth), Meter())
    assert "cannot be read" in failure(SecretUnreadable, names, again)


def test_a_host_that_forgets_who_we_are_is_entered_again(server):
    with connected(server) as connection:
        names(connection)
        with server.misbehave("status", code=401, operation="Enumerate", times=1):
            assert names(connection) == ["HV-1", "guest-1"]


def test_what_a_host_does_not_offer_is_named():
    basic = WinRM(stand_alone(guests=1), transport="basic", tls=True)
    with basic as server, connected(server, transport="ntlm") as connection:
        assert "does not offer ntlm, but Basic" in failure(AuthenticationFailed, names, connection)


def test_an_account_is_wanted(server):
    made = connect(Settings(Address.of(server.url)), Account(None), Meter())
    assert "name one under auths:" in failure(AuthenticationFailed, names, made)


def test_a_certificate_that_is_mapped_to_nobody():
    with WinRM(stand_alone(guests=1), transport="certificate", tls=True) as server:
        tls = Tls(ca_file=server.ca_file, cert_file=server.cert_file, key_file=server.key_file)
        refused = server.misbehave("status", code=401, operation="login")
        with refused, connected(server, tls=tls) as connection:
            assert "is it mapped to an account there" in failure(AuthenticationFailed, names, connection)


def test_a_library_that_is_not_installed_is_named(server, monkeypatch):
    monkeypatch.setattr("winrm.transport.HAVE_CREDSSP", False)
    auth = Auth("lab", server.user, SecretSource("literal", "x"))
    made = connect(Settings(Address.of(server.url), auth, transport="credssp"), Account(auth), Meter())
    assert "pip install 'hypervisor-exporter[credssp]'" in failure(SdkMissing, names, made)


def test_passwords_do_not_go_over_http_in_the_clear(server):
    with pytest.raises(AuthenticationFailed, match="shows the password to all on the way: use https"):
        connect(settings_of(server, transport="basic"), Account(auth_of(server)), Meter())
    basic = WinRM(stand_alone(guests=1), transport="basic", allow_unencrypted=True)
    with basic as plain, connected(plain, allow_unencrypted=True) as connection:
        assert len(names(connection)) == 2


def test_a_certificate_is_verified_before_anything_is_said(secure):
    before = secure.counts["requests"]
    with connected(secure, tls=Tls()) as connection:
        sentence = failure(Unreachable, names, connection)
    assert "its certificate is not accepted" in sentence
    assert "name its authority as tls.ca_file" in sentence
    assert secure.counts["requests"] == before
    with connected(secure, tls=Tls(insecure_skip_verify=True)) as connection:
        assert len(names(connection)) == 2
        assert not connection.verified


@pytest.mark.parametrize(
    ("issued", "remedy"),
    [
        ({"identities": ["other.example.net"]}, "use the name that stands in it"),
        ({"identities": ["127.0.0.1"], "not_after": PAST}, "has expired"),
    ],
)
def test_a_certificate_of_another_name_or_time(tmp_path, issued, remedy):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*issued.pop("identities"), **issued).configure_cert(context)
    tls = Tls(ca_file=str(tmp_path / "ca.pem"))
    with answering(b"", context) as port, reached(f"https://127.0.0.1:{port}", tls=tls) as connection:
        assert remedy in failure(Unreachable, names, connection)


@pytest.mark.parametrize(
    ("scheme", "answer", "error", "remedy"),
    [
        ("https", b"HTTP/1.1 200 OK\r\n\r\n", Unreachable, "is it the port of https (5986)?"),
        ("http", b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", None, "is it the right port?"),
        ("http", b"", Unreachable, "does that port speak https?"),
        ("http", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", None, "is it WinRM's port"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html/>\r\n", None, "is it WinRM's port"),
    ],
)
def test_a_port_where_something_else_answers(scheme, answer, error, remedy):
    somebody, wanted = answering(answer), pytest.raises(error or CollectorError)
    with somebody as port, reached(f"{scheme}://127.0.0.1:{port}") as connection, wanted as found:
        connection.rows(GUESTS, within())
    assert remedy in str(found.value)


def test_https_is_asked_of_the_port_of_http_and_the_other_way_round(server, secure):
    with reached(server.url.replace("http:", "https:")) as connection:
        assert "is it the port of https (5986)?" in failure(Unreachable, names, connection)
    with reached(secure.url.replace("https:", "http:")) as connection:
        assert "does that port speak https?" in failure(Unreachable, names, connection)


def test_names_and_ports_that_nobody_has():
    with reached("https://no-such-host.invalid") as connection:
        assert "the name is not known" in failure(Unreachable, names, connection)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with reached(f"http://127.0.0.1:{port}") as connection:
        assert "refuses the connection" in failure(Unreachable, names, connection)


def test_a_host_that_accepts_and_says_nothing_is_late():
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, reached(f"http://127.0.0.1:{silent.getsockname()[1]}") as connection:
        assert "did not answer before the deadline" in failure(TimedOut, names, connection, 0.5)


def test_the_clock_of_a_host_is_read_off_its_answers(server):
    with connected(server) as connection:
        names(connection)
        theirs = email.utils.formatdate(time.time() - 3600, usegmt=True)
        with server.misbehave("status", code=503, headers=[("Date", theirs)], operation="Enumerate"):
            failure(Busy, names, connection)
        assert connection.clock_offset_seconds == pytest.approx(-3600, abs=5)


@pytest.mark.parametrize("transport", ["ntlm", "certificate"])
def test_libraries_listen_to_nothing_from_the_environment(transport, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with WinRM(stand_alone(guests=1), transport=transport, tls=True) as server:
        tls = Tls(ca_file=server.ca_file)
        if transport == "certificate":
            tls = Tls(ca_file=server.ca_file, cert_file=server.cert_file, key_file=server.key_file)
        with connected(server, tls=tls) as connection:
            assert len(names(connection)) == 2


def test_connections_that_are_made_anew_leave_nothing_open(server):
    with connected(server) as connection:
        names(connection)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(15):
            server.cut()
            names(connection)
        until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before, 10, "the server to close its ends")
        assert connection.counts.connections == 16


def test_a_query_of_a_closed_connection_says_so(server):
    with connected(server) as connection:
        connection.close()
        assert "is closed" in failure(
            Unreachable, connection.rows, Query("root/cimv2", "Win32_Volume", ("Name",)), within()
        )
