"""The local door and the doors with an account: sockets, TCP and TLS with SASL, and what a refusal reads like."""

import pytest

from exporter.config.model import Auth, Tls
from exporter.errors import AuthenticationFailed, CollectorError, Unreachable
from exporter.secrets import SecretSource
from tests.backends import sasl
from tests.backends.need import need
from tests.integration import libvirt_doors_child
from tests.integration.libvirt_world import number, world
from tests.integration.test_libvirt_faults import in_a_process_of_its_own

pytestmark = pytest.mark.backend

PASSWORD = "c0rrect: h@rse/bättery"


def labs():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "setpriv", *sasl.NEEDED], ["libvirt"])
    from tests.integration import libvirt_remote

    return libvirt_remote


@pytest.fixture(scope="module")
def lab():
    with labs().SaslLab() as both_doors:
        both_doors.accounts.set("monitor", PASSWORD)
        both_doors.define("far away", memory_mib=7)
        yield both_doors


@pytest.fixture
def account(tmp_path):
    def make(password=PASSWORD, name="monitor"):
        secret = tmp_path / "secret"
        secret.write_text(password + "\n")
        return Auth("kvm-ro", name, SecretSource("file", str(secret)))

    return make


def refusal(address, **target):
    with world(address, **target) as session, pytest.raises(CollectorError) as error:
        session.collect("vitals")
    sentence = str(error.value)
    assert "\n" not in sentence
    assert PASSWORD not in sentence
    return error.value


def tls_of(lab):
    cert, key = lab.client()
    return Tls(ca_file=lab.authority_file, cert_file=cert, key_file=key)


def assert_watched(lab, address, guest="far away", **target):
    """What virsh says through its own door, and its own way of reading it."""
    kib = {line.split(":")[0]: line for line in lab.virsh("dominfo", guest).splitlines()}["Max memory"].split(":")[1]
    with world(address, **target) as session:
        assert session.guests("vitals")[guest].memory.configured_bytes == number(kib.strip()) * 1024
        assert session.guests("snapshots").keys() == {guest}


def test_values_come_through_tcp_with_an_account(lab, account):
    assert_watched(lab, lab.tcp_address, auth=account())


def test_values_come_through_tls_with_an_account_and_a_certificate(lab, account):
    assert_watched(lab, lab.address, auth=account(), tls=tls_of(lab))


def test_without_tls_a_mechanism_must_encrypt(account):
    """SCRAM proves the password and encrypts nothing: enough within TLS, never offered without."""
    with labs().SaslLab("scram-sha-256") as scram:
        scram.accounts.set("monitor", PASSWORD)
        scram.define("far away")
        assert_watched(scram, scram.address, auth=account(), tls=tls_of(scram))
        error = refusal(scram.tcp_address, auth=account())
        assert isinstance(error, AuthenticationFailed)
        assert "must also offer a mechanism that encrypts" in str(error)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"password": "wrong"}, "are auth's username and password right?"),
        ({"name": "nobody-we-know"}, "are auth's username and password right?"),
        ({"name": None}, "auth needs a username and a password"),
        (None, "(set auth;"),
    ],
)
def test_refused_accounts(lab, account, how, words):
    for address, tls in ((lab.tcp_address, Tls()), (lab.address, tls_of(lab))):
        error = refusal(address, auth=account(**how) if how is not None else None, tls=tls)
        assert isinstance(error, AuthenticationFailed)
        assert words in str(error)


def test_doors_that_are_mixed_up_are_no_refusal(lab, account):
    """Nothing was shown to the other side: the target is tried again when it is well."""
    confused = [
        (lab.tcp_address.replace(str(lab.tcp_port), str(lab.port)), "is it the port of this transport"),
        (lab.address.replace(str(lab.port), str(lab.tcp_port)), "is it the daemon's TLS port"),
    ]
    for address, words in confused:
        error = refusal(address, auth=account(), tls=tls_of(lab))
        assert isinstance(error, Unreachable)
        assert words in str(error)


def test_a_socket_with_blanks_in_its_path():
    with labs().BlankLab() as blank:
        assert " " in str(blank.socket)
        assert "%20" in blank.uri
        blank.define("behind blanks")
        assert_watched(blank, blank.uri, "behind blanks")


def test_a_socket_that_the_exporters_user_may_not_open(lab):
    process, pipe = in_a_process_of_its_own(libvirt_doors_child.collect_as_its_owner, lab.uri, str(lab.socket))
    try:
        assert pipe.poll(30)
        kind, sentence = pipe.recv()
    finally:
        process.join(20)
    assert kind == "Unreachable"
    assert f"{lab.socket}': Permission denied (may the exporter's user open the socket" in sentence


def test_a_session_daemon_knows_no_system_path_and_says_so(lab):
    error = refusal(lab.uri.replace("/session", "/system"))
    assert isinstance(error, Unreachable)
    assert "try qemu:///session" in str(error)
