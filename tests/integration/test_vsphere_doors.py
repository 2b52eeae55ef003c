"""Who an endpoint is, and how it is reached: certificates, names, pins, ports, and what to do about each."""

import datetime as dt
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from exporter.config.model import Tls
from exporter.errors import CollectorError, Malformed, SecretUnreadable, TimedOut, Unreachable
from tests.backends.fake_vcenter import FakeVCenter, Web, html, silent, took
from tests.backends.processes import until
from tests.backends.vcenter import BUILT, VCenter
from tests.integration.vsphere_seen import endpoint, failed, names, served, written

THREE = ["guest 1", "guest 2", "guest 3"]
PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    return written(tmp_path, authority)


@pytest.fixture
def fake(authority):
    with FakeVCenter(context=served(authority)) as started:
        yield started


def collected(address, tls=None):
    """What a fresh endpoint tells; it is closed afterwards."""
    made = endpoint(address, tls=tls or Tls())
    try:
        return names(made, seconds=10), made.verified, made.tls_not_after, made.fingerprint
    finally:
        made.close()


def certificate_of(port):
    """As OpenSSL's own client sees it."""
    return x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", port)).encode())


def test_a_certificate_is_verified_unless_told_otherwise(fake, ca_file):
    with pytest.raises(Unreachable, match=r"its certificate is not accepted .*name its authority as tls.ca_file"):
        collected(fake.url)
    assert collected(fake.url, Tls(ca_file=ca_file))[:2] == (THREE, True)
    assert collected(fake.url, Tls(insecure_skip_verify=True))[:2] == (THREE, False)
    assert fake.calls["Login"] == 2  # nobody was told a password whose certificate was not accepted


@pytest.mark.parametrize("tls", [Tls(insecure_skip_verify=True), None], ids=["not verified", "verified"])
def test_the_end_of_the_certificate_is_told(fake, ca_file, tls):
    end = certificate_of(fake.web.port).not_valid_after_utc.timestamp()
    assert collected(fake.url, tls or Tls(ca_file=ca_file))[2] == end


def test_a_pin_names_the_one_certificate_that_is_accepted(fake, ca_file):
    pin = certificate_of(fake.web.port).fingerprint(SHA256()).hex()
    assert collected(fake.url, Tls(pin_sha256=pin)) == (THREE, True, collected(fake.url, Tls(ca_file=ca_file))[2], pin)
    logins = fake.calls["Login"]
    for rest in ({}, {"insecure_skip_verify": True}, {"ca_file": ca_file}):
        with pytest.raises(Unreachable, match=f"its certificate is {pin}, not the pinned 0000.*: if it is right, set"):
            collected(fake.url, Tls(pin_sha256="0" * 64, **rest))
    assert fake.calls["Login"] == logins


def test_another_name_is_checked_and_asked_for_where_one_is_given(authority, ca_file):
    asked_for = []
    context = served(authority, "vcenter.example.net")
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    with FakeVCenter(context=context) as fake:
        with pytest.raises(Unreachable, match=r"use the name that stands in it .* tls.server_name"):
            collected(fake.url, Tls(ca_file=ca_file))
        assert collected(fake.url, Tls(ca_file=ca_file, server_name="vcenter.example.net"))[0] == THREE
        assert asked_for[-1] == "vcenter.example.net"


def test_an_expired_certificate_is_told_as_such_and_seen_where_nobody_checks(authority, ca_file):
    with FakeVCenter(context=served(authority, not_after=PAST)) as fake:
        with pytest.raises(Unreachable, match=r"has expired.*: renew it on the endpoint"):
            collected(fake.url, Tls(ca_file=ca_file))
        assert collected(fake.url, Tls(insecure_skip_verify=True))[2] == PAST.timestamp()


def test_a_certificate_that_signs_itself_can_be_named_as_its_own_authority(tmp_path):
    with VCenterOrSkip() as vcenter:
        with pytest.raises(Unreachable, match="not accepted"):
            collected_from(vcenter, Tls())
        own = tmp_path / "own.pem"
        own.write_text(ssl.get_server_certificate(("127.0.0.1", vcenter.port)))
        assert collected_from(vcenter, Tls(ca_file=str(own)))


class VCenterOrSkip(VCenter):
    """The Go simulator with a certificate that it has made up itself."""

    def __init__(self):
        if not (BUILT / "vcenter").exists():
            pytest.skip("make vcsim")
        super().__init__("--hosts=1", "--machines=1")


def collected_from(vcenter, tls):
    made = endpoint(vcenter.sdk, tls=tls)
    try:
        return names(made)
    finally:
        made.close()


def test_a_client_certificate_is_shown_where_one_is_wanted(authority, ca_file, tmp_path):
    context = served(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    ours = authority.issue_cert("exporter.example.net")
    ours.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    with FakeVCenter(context=context) as fake:
        with pytest.raises(Unreachable):
            collected(fake.url, Tls(ca_file=ca_file))
        shown = Tls(ca_file=ca_file, cert_file=str(tmp_path / "both.pem"))
        assert collected(fake.url, shown)[0] == THREE


def test_an_authority_that_was_replaced_is_used_by_the_next_connection(authority, tmp_path):
    path = Path(written(tmp_path, trustme.CA()))
    with FakeVCenter(context=served(authority)) as fake:
        made = endpoint(fake.url, tls=Tls(ca_file=str(path)))
        with pytest.raises(Unreachable, match="not accepted"):
            names(made)
        written(tmp_path, authority, "new.pem")
        (tmp_path / "new.pem").replace(path)
        assert names(made) == THREE
        fake.web.hang_up()
        path.write_text("nonsense")
        with pytest.raises(SecretUnreadable, match=f"tls.ca_file {path} cannot be used"):
            names(made)
        path.unlink()
        with pytest.raises(SecretUnreadable, match=f"tls.ca_file {path} cannot be used: No such file"):
            names(made)
        written(tmp_path, authority)
        assert names(made) == THREE
        made.close()


def test_the_key_of_a_client_certificate_that_wants_a_password_is_an_error_not_a_question(fake, ca_file, tmp_path):
    key, both = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-subj", "/CN=x",
         "-keyout", key, "-out", both],
        check=True, capture_output=True,
    )  # fmt: skip
    with pytest.raises(SecretUnreadable, match=f"tls.cert_file {both} cannot be used"):
        collected(fake.url, Tls(ca_file=ca_file, cert_file=str(both), key_file=str(key)))


def test_a_port_without_tls_and_one_with_are_told_apart(fake):
    with (
        Web(lambda _request: html(200)) as plain,
        pytest.raises(Unreachable, match="does not speak TLS: is it the right port"),
    ):
        collected(f"127.0.0.1:{plain.port}")
    with pytest.raises((Unreachable, Malformed), match=r"is it starting|right port"):
        collected(f"http://127.0.0.1:{fake.web.port}")


def test_nobody_at_the_port_and_no_such_name_are_told_with_their_remedy():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="refuses the connection: is the address right, and does a firewall"):
        collected(f"127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=r"the name is not known .*does DNS answer"):
        collected("nobody.invalid")
    with pytest.raises(Unreachable, match="no name can be written like this"):
        collected(f"{'a' * 64}.example.net")


def test_a_handshake_that_hangs_ends_by_the_deadline_and_by_a_cut(fake, ca_file):
    fake.web.before_tls = silent
    made = endpoint(fake.url, tls=Tls(ca_file=ca_file))
    assert 0.9 < took(lambda: failed(TimedOut, made, "fast", 1)) < 3
    before = fake.web.connections
    thread = threading.Thread(target=lambda: failed(TimedOut, made, "fast", 100))
    thread.start()
    until(lambda: fake.web.connections > before, 20, "hung handshake")
    assert took(lambda: (made.cut("fast"), thread.join(20))) < 2
    fake.web.before_tls = None
    assert names(made) == THREE
    made.close()


@pytest.fixture
def deaf():
    """A port that takes no more connections: packets to it are dropped, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        yield port
        for one in waiting:
            one.close()


def test_connecting_to_where_nothing_answers_ends_by_the_deadline_and_by_a_cut(deaf):
    made = endpoint(f"127.0.0.1:{deaf}")
    begun = took(lambda: failed(Unreachable, made, "fast", 1))
    assert 0.9 < begun < 3
    errors = []
    thread = threading.Thread(target=lambda: errors.append(failed(CollectorError, made, "fast", 9)))
    thread.start()
    until(lambda: _connecting(made), 5, "connection under way")
    assert took(lambda: (made.cut("fast"), thread.join(20))) < 2
    assert isinstance(errors[0], TimedOut)
    assert took(made.close) < 2


def _connecting(made) -> bool:
    wire = made._wires.get("fast")
    return wire is not None and wire._socket is not None
