"""The door SSH: OpenSSH's own client and the library libssh2, and what a refusal reads like."""

import logging

import psutil
import pytest

from exporter.errors import AuthenticationFailed, CollectorError, SecretUnreadable, Unreachable
from tests.backends import sshd as sshd_backend
from tests.backends.need import need
from tests.backends.processes import until
from tests.integration.libvirt_world import number, world

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "setpriv", *sshd_backend.NEEDED], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as own:
        own.define("far away", memory_mib=9)
        yield own


@pytest.fixture(scope="module")
def sshd(lab):
    with sshd_backend.Sshd(lab) as running:
        running.scratch.file("nobody", "")
        stranger = " ".join(running.path("stranger.pub").read_text().split()[:2])
        running.scratch.file("another", f"[127.0.0.1]:{running.port} {stranger}\n")
        yield running


def assert_watched(lab, address):
    """What virsh says through its own door."""
    kib = {line.split(":")[0]: line for line in lab.virsh("dominfo", "far away").splitlines()}["Max memory"].split(":")[
        1
    ]
    with world(address) as session:
        assert session.guests("vitals")["far away"].memory.configured_bytes == number(kib.strip()) * 1024
        assert session.guests("snapshots").keys() == {"far away"}


def refusal(address):
    """Why nothing comes through. Where ssh ends before libvirt has written to it, its words are lost: asked again."""
    for _ in range(5):
        with world(address) as session, pytest.raises(CollectorError) as error:
            session.collect("vitals")
        assert "\n" not in str(error.value)
        assert "@@@" not in str(error.value), "ssh's banners"
        if "Broken pipe" not in str(error.value):
            break
    return error.value


@pytest.mark.parametrize("far_end", ["netcat", "virt-ssh-helper"])
def test_values_come_through_ssh_and_no_client_is_left(lab, sshd, far_end):
    socket = f"socket={lab.socket}&" if far_end == "netcat" else ""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with world(f"qemu+ssh://{sshd.place}/session?{socket}{sshd.client()}") as session:
        assert session.guests("vitals").keys() == session.guests("snapshots").keys() == {"far away"}
        clients = sshd.clients()
        assert len(clients) == 2, "one for each lane"
        assert {client.pid for client in clients} & before == set()
    until(lambda: not sshd.clients(), 10, "end of every ssh")
    assert_watched(lab, f"qemu+ssh://{sshd.place}/session?{socket}{sshd.client()}")


def test_values_come_through_the_library_which_takes_a_file_of_known_hosts(lab, sshd):
    keys = f"sshauth=privkey&keyfile={sshd.path('key')}&known_hosts={sshd.path('known')}"
    assert_watched(lab, f"qemu+libssh2://{sshd.place}/session?socket={lab.socket}&{keys}")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ("nobody", "add the host's key to known_hosts of the exporter's user"),
        ("another", "this is not the key in known_hosts"),
    ],
)
def test_a_host_that_is_not_known_is_told_what_to_do(lab, sshd, known, words):
    error = refusal(f"qemu+ssh://{sshd.place}/session?socket={lab.socket}&{sshd.client(known=known)}")
    assert isinstance(error, Unreachable), "nothing was shown to it: it is tried again"
    assert "Host key verification failed" in str(error)
    assert words in str(error)


@pytest.mark.parametrize(
    ("known", "words"),
    [("nobody", "to the file that ?known_hosts= names"), ("another", "this is not the key in known_hosts")],
)
def test_the_library_knows_hosts_too(lab, sshd, known, words):
    keys = f"sshauth=privkey&keyfile={sshd.path('key')}&known_hosts={sshd.path(known)}"
    error = refusal(f"qemu+libssh2://{sshd.place}/session?socket={lab.socket}&{keys}")
    assert isinstance(error, Unreachable)
    assert words in str(error)
    assert sshd.path("nobody").read_text() == "", "nobody is trusted silently"


def test_a_key_that_the_host_refuses(lab, sshd):
    stranger, known = sshd.path("stranger"), sshd.path("known")
    for address in (
        f"qemu+ssh://{sshd.place}/session?socket={lab.socket}&{sshd.client(key='stranger')}",
        f"qemu+libssh2://{sshd.place}/session?sshauth=privkey&keyfile={stranger}&known_hosts={known}",
    ):
        error = refusal(address)
        assert isinstance(error, AuthenticationFailed), error
        assert "does the account's SSH key open that host without a question?" in str(error)


def test_a_key_with_a_passphrase_or_for_everybodys_eyes(lab, sshd):
    protected = sshd.make_key("protected", passphrase="ask me")
    sshd.make_key("open").chmod(0o644)
    sshd.authorize("key", "protected", "open")
    address = f"qemu+ssh://{sshd.place}/session?socket={lab.socket}"
    assert "without a question" in str(refusal(f"{address}&{sshd.client(key='protected')}"))
    assert "chmod 600" in str(refusal(f"{address}&{sshd.client(key='open')}"))
    keys = f"sshauth=privkey&keyfile={protected}&known_hosts={sshd.path('known')}"
    error = refusal(f"qemu+libssh2://{sshd.place}/session?socket={lab.socket}&{keys}")
    assert "use a key without passphrase, or set auth to give it" in str(error)


def test_files_of_the_uri_that_are_not_there_are_named(lab, sshd):
    address = f"qemu+ssh://{sshd.place}/session?socket={lab.socket}"
    error = refusal(f"{address}&keyfile=/nowhere/id")
    assert isinstance(error, SecretUnreadable)
    assert "the SSH key /nowhere/id cannot be read: No such file or directory (is the path after keyfile=" in str(error)
    error = refusal(f"{address}&command=/nowhere/ssh")
    assert isinstance(error, Unreachable)
    assert "the command /nowhere/ssh cannot be started (is the path after command= right" in str(error)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("socket=/nowhere/libvirt-sock", "is the socket's path right?"),
        ("socket={socket}&netcat=/nowhere/nc", "the far end needs netcat"),
    ],
)
def test_what_is_missing_at_the_far_end_is_named(lab, sshd, parameters, words):
    address = f"qemu+ssh://{sshd.place}/session?{parameters.format(socket=lab.socket)}&{sshd.client()}"
    error = refusal(address)
    assert isinstance(error, Unreachable)
    assert words in str(error)


def test_a_session_that_breaks_is_made_anew(lab, sshd):
    with world(f"qemu+ssh://{sshd.place}/session?socket={lab.socket}&{sshd.client()}") as session:
        assert session.guests("vitals").keys() == {"far away"}
        (client,) = sshd.clients()
        client.kill()
        psutil.wait_procs([client], 5)
        assert session.guests("vitals").keys() == {"far away"}
        assert [each.pid for each in sshd.clients()] != [client.pid]


def test_no_key_is_logged(lab, sshd, caplog):
    caplog.set_level(logging.DEBUG)
    secret = sshd.path("stranger").read_text().splitlines()[2]
    error = refusal(f"qemu+ssh://{sshd.place}/session?socket={lab.socket}&{sshd.client(key='stranger')}")
    assert secret not in str(error) + caplog.text
