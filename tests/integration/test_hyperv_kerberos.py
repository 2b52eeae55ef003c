"""Kerberos for real: a domain controller (MIT's), tickets, key tables, sealed messages, and what goes wrong with them.

CredSSP stands here too: what it takes is in the same extras.
"""

import logging
import re
import socket
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from collectors.hyperv.client.account import Account
from collectors.hyperv.client.connection import connect
from collectors.hyperv.client.settings import Address, Settings
from exporter import cli
from exporter.config.model import Auth, Tls
from exporter.contract import Meter
from exporter.errors import AuthenticationFailed, Unreachable
from exporter.secrets import SecretSource
from tests.backends import kdc
from tests.backends.daemon import document
from tests.backends.need import need
from tests.backends.processes import until
from tests.backends.winrm import WinRM, stand_alone
from tests.integration.hyperv_client import failure, names

MODULES = ("gssapi", "krb5", "requests_credssp")
NAMES = ["HV-1", "guest-1"]
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@pytest.fixture(scope="module")
def domain():
    need(kdc.BINARIES, MODULES)
    with kdc.Realm() as realm:
        realm.serve("HTTP/localhost", "host/localhost")
        yield realm


@pytest.fixture(autouse=True)
def member(request, monkeypatch):
    """This process is in the domain, and has no ticket."""
    if "domain" in request.fixturenames:
        realm = request.getfixturevalue("domain")
        realm.configure()
        for name, value in realm.environment.items():
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def server(domain):
    with WinRM(stand_alone(guests=1), transport=("kerberos", "negotiate")) as started:
        yield started


def reached(server, user, password, transport="kerberos", host="localhost"):
    auth = Auth("lab", user, SecretSource("literal", password) if password else None)
    tls = Tls(ca_file=server.ca_file) if server.tls else Tls()
    address = Address.of(f"{'https' if server.tls else 'http'}://{host}:{server.port}")
    return connect(Settings(address, auth, tls, transport), Account(auth), Meter())


def refusal(error, server, user, password=None, **how):
    """The sentence of an error of exactly this kind, without the host's address."""
    connection = reached(server, user, password, **how)
    try:
        said = failure(error, names, connection)
    finally:
        connection.close()
    assert "SpnegoError" not in said
    assert said.count("http") == 1
    return said


def enter(domain, monkeypatch, by):
    """What a service is given: its password, a ticket, or a key table; the password, if that is it."""
    if by == "ticket":
        monkeypatch.setenv("KRB5CCNAME", domain.ticket())
    if by == "key table":
        monkeypatch.setenv("KRB5_CLIENT_KTNAME", str(domain.key_table()))
        monkeypatch.setenv("KRB5CCNAME", f"MEMORY:{uuid.uuid4()}")
    return domain.password if by == "password" else None


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("transport", ["kerberos", "negotiate"])
@pytest.mark.parametrize("by", ["password", "ticket", "key table"])
def test_rows_are_read_with_kerberos(domain, monkeypatch, by, transport, tls):
    password = enter(domain, monkeypatch, by)
    with WinRM(stand_alone(guests=1), transport=("kerberos", "negotiate"), tls=tls, password="not-this-one") as server:
        connection = reached(server, domain.user, password, transport)
        assert names(connection) == NAMES  # over http they come sealed, or not at all
        server.cut()
        assert names(connection) == NAMES
        connection.close()
    assert "TGS_REQ" in domain.log()


@pytest.fixture
def once(domain, server, tmp_path, capsys):
    """Runs `once` with a password or without: the exit code and the page."""

    def run(password):
        code = cli.main(["once", f"--config.file={configured(tmp_path, server, domain, password)}"])
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize("by", ["password", "ticket"])
def test_a_whole_host_is_collected_with_kerberos(domain, monkeypatch, once, by):
    code, page = once(enter(domain, monkeypatch, by))
    assert code == 0
    assert 'hypervisor_target_up{target="hv",platform="hyperv"} 1' in page
    assert 'hypervisor_guest_info{target="hv",platform="hyperv",guest="guest-1"' in page


def configured(tmp_path, server, domain, password):
    account = {"username": domain.user, **({"password": password} if password else {})}
    target = {"name": "hv", "platform": "hyperv", "address": f"http://localhost:{server.port}", "auth": "a"}
    file = tmp_path / "config.yml"
    profiles = {"default": {"intervals": dict.fromkeys(("vitals", "storage", "snapshots", "inventory"), "60s")}}
    whole = document([{**target, "options": {"transport": "kerberos"}}], auths={"a": account}, profiles=profiles)
    file.write_text(whole)
    return file


def test_who_has_no_ticket_is_not_let_in_by_ntlm(domain, server):
    """A host that takes Kerberos alone refuses the right password of NTLM."""
    with WinRM(stand_alone(guests=1), transport="kerberos") as strict:
        assert "does not take up NTLM: is it forbidden there?" in refusal(
            AuthenticationFailed, strict, strict.user, strict.password, transport="ntlm"
        )


def test_what_the_domain_refuses_is_told_apart(domain, server):
    assert "the domain refuses the password" in refusal(AuthenticationFailed, server, domain.user, "wrong")
    assert "is it named as user@REALM?" in refusal(AuthenticationFailed, server, "LAB\\monitor", domain.password)
    for change, remedy in (
        ("-allow_tix", "locked, disabled or expired"),
        ("-expire 2020-01-01", "locked, disabled or expired"),
        ("-pwexpire 2020-01-01", "the password has run out: set a new one"),
    ):
        domain.admin(f"modprinc {change} {domain.user}")
        assert remedy in refusal(AuthenticationFailed, server, domain.user, domain.password)
        domain.admin(f"modprinc +allow_tix -expire never -pwexpire never {domain.user}")


def test_a_password_that_the_domain_refuses_is_tried_once(domain, server):
    connection = reached(server, domain.user, "wrong-once")
    before = domain.log().count("PREAUTH_FAILED")
    sentence = failure(AuthenticationFailed, names, connection)
    assert failure(AuthenticationFailed, names, connection) == sentence
    assert domain.log().count("PREAUTH_FAILED") - before == 1


@pytest.mark.parametrize("transport", ["kerberos", "negotiate"])
def test_no_ticket_and_one_that_has_run_out(domain, server, monkeypatch, transport):
    assert "there is no ticket: name a password, have kinit" in refusal(
        Unreachable, server, domain.user, transport=transport
    )
    monkeypatch.setenv("KRB5CCNAME", domain.ticket(lifetime="1s"))
    how = "the ticket has run out" if transport == "kerberos" else "there is no ticket"
    until(lambda: how in outcome(server, domain.user, transport), 20, "the end of the ticket")


@pytest.mark.parametrize("by", ["password", "key table"])
def test_a_connection_outlives_its_ticket_unseen(domain, server, monkeypatch, by):
    password = enter(domain, monkeypatch, by)
    domain.admin(f'modprinc -maxlife "2 seconds" {domain.user}')
    connection = reached(server, domain.user, password, "kerberos" if password else "negotiate")
    try:
        until(lambda: names(connection) == NAMES and connection.counts.connections > 2, 40, "a third ticket")
    finally:
        domain.admin(f'modprinc -maxlife "1 hour" {domain.user}')
        connection.close()


def outcome(server, user, transport):
    connection = reached(server, user, None, transport)
    try:
        return str(names(connection))
    except Unreachable as error:
        return str(error)
    finally:
        connection.close()


@pytest.mark.parametrize("by", ["password", "ticket"])
def test_a_host_that_the_domain_does_not_know(domain, server, monkeypatch, by):
    password = enter(domain, monkeypatch, by)
    sentence = refusal(Unreachable, server, domain.user, password, host="127.0.0.1")
    assert "the domain knows no such host: use its full name as address (Server " in sentence


@pytest.mark.parametrize("by", ["password", "ticket"])
def test_no_domain_controller_answers(domain, server, monkeypatch, by):
    password = enter(domain, monkeypatch, by)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    domain.configure(port=port)
    assert "no domain controller answers: is krb5.conf right" in refusal(Unreachable, server, domain.user, password)


@pytest.mark.skipif(FAKETIME is None, reason="not installed: libfaketime")
def test_clocks_that_differ_are_named(domain, server, monkeypatch, tmp_path):
    """KRB_AP_ERR_SKEW from the domain controller: our clock is an hour late."""
    password = enter(domain, monkeypatch, "ticket")
    file = configured(tmp_path, server, domain, password)
    monkeypatch.setenv("LD_PRELOAD", str(FAKETIME))
    monkeypatch.setenv("FAKETIME", "-3600")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    command = [sys.executable, "-m", "exporter", "check", "--connect", f"--config.file={file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("  hv: ")]
    assert done.returncode == 1
    assert ": unreachable: " in sentence
    assert "the clocks of this machine and of the domain differ by too much: set the time (NTP)" in sentence
    assert "Clock skew too great" in sentence
    assert "Traceback" not in done.stderr


def test_a_host_whose_clock_differs_refuses_tickets(domain, server, monkeypatch):
    """It says no more than 401; what time it is there is in its answer."""
    enter(domain, monkeypatch, "ticket")
    late = [("Date", "Sat, 01 Jan 2000 00:00:00 GMT"), ("WWW-Authenticate", "Negotiate")]
    with server.misbehave("status", code=401, operation="login", headers=late):
        sentence = refusal(Unreachable, server, domain.user)
        mixed = refusal(AuthenticationFailed, server, domain.user, transport="negotiate")
    assert "refuses the ticket (401): the clocks of this machine and of the domain differ" in sentence
    assert "so that Kerberos cannot have been used" in mixed
    with server.misbehave("refuse"):
        assert "or a name (SPN) that belongs to another machine" in refusal(AuthenticationFailed, server, domain.user)


@pytest.mark.parametrize("transport", ["kerberos", "negotiate"])
def test_a_domain_controller_that_says_nothing_holds_up_nobody_else(domain, server, monkeypatch, transport):
    """The host's lane waits for as long as libkrb5 does; other threads of the process go on meanwhile."""
    enter(domain, monkeypatch, "key table")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        domain.configure(port=mute.getsockname()[1])
        waiting = threading.Thread(target=outcome, args=(server, domain.user, transport))
        waiting.start()
        asked, _ = mute.accept()
        assert waiting.is_alive()
    asked.close()
    waiting.join(60)


@pytest.mark.parametrize("transport", ["kerberos", "negotiate"])
@pytest.mark.parametrize("right", [True, False])
def test_no_ticket_is_left_of_a_login(domain, monkeypatch, transport, right):
    """Of a password, whatever became of it: a cache in memory stays for as long as the process, one for each login."""
    krb5 = pytest.importorskip("krb5")
    made, new = [], krb5.cc_new_unique

    def noted(*arguments):
        cache = new(*arguments)
        made.append(b"MEMORY:" + cache.name)
        return cache

    monkeypatch.setattr(krb5, "cc_new_unique", noted)
    with WinRM(stand_alone(guests=1), transport=("kerberos", "negotiate"), password="not-this-one") as server:
        connection = reached(server, domain.user, domain.password if right else "wrong", transport)
        if right:
            assert names(connection) == NAMES
        else:
            failure(AuthenticationFailed, names, connection)
        connection.close()
    assert made
    context = krb5.init_context()
    for name in made:
        with pytest.raises(krb5.Krb5Error, match="No credentials cache found"):
            krb5.cc_get_principal(context, krb5.cc_resolve(context, name))


@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "negotiate", "credssp"])
def test_what_is_said_in_a_login_is_in_no_log(domain, caplog, transport):
    """What an NTLM login says is as good as the password to who has the time to guess."""
    caplog.set_level(logging.DEBUG)
    kerberos = transport in {"kerberos", "negotiate"}
    with WinRM(stand_alone(guests=1), transport=transport) as server:
        account = (domain.user, domain.password) if kerberos else (server.user, server.password)
        connection = reached(server, *account, transport)
        assert names(connection) == NAMES
        connection.close()
    logging.getLogger("any").debug("listened to")
    said = caplog.text
    assert "listened to" in said
    assert not re.search("[A-Za-z0-9+/]{60}", said), said[:2000]


def test_credssp():
    need((), MODULES)
    with WinRM(stand_alone(guests=40), transport="credssp") as server:  # 16 KiB a piece: several of them
        connection = reached(server, server.user, server.password, "credssp")
        assert len(names(connection)) == 41
        connection.close()
        sentence = refusal(AuthenticationFailed, server, server.user, "wrong", transport="credssp")
        assert "a wrong password, or an account that is locked" in sentence
        assert server.counts["logins"] >= 1
    with WinRM(stand_alone(guests=1)) as other:
        assert "does not offer credssp" in refusal(
            AuthenticationFailed, other, other.user, other.password, transport="credssp"
        )
