"""What libvirt is told when it asks who we are, and where it finds certificates."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.libvirt.client.credentials import Access, certified
from collectors.libvirt.client.writing import WRITING
from exporter.config.model import Auth, Tls
from exporter.errors import SecretUnreadable, Unreachable
from exporter.secrets import SecretSource

USERNAME, AUTHNAME, PASSPHRASE, ECHO, HIDDEN, REALM = 1, 2, 5, 6, 7, 8


@pytest.fixture
def access(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    return Access(Auth("a", "monitor", SecretSource("file", str(secret))))


@pytest.mark.parametrize(
    ("kinds", "answers", "outcome"),
    [
        ([AUTHNAME, PASSPHRASE], ["monitor", "s3cret"], 0),
        ([USERNAME, HIDDEN], ["monitor", "s3cret"], 0),
        ([ECHO], ["monitor"], 0),
        ([AUTHNAME, REALM], ["monitor", None], -1),
        ([], [], 0),
    ],
)
def test_answers_to_a_daemon(access, kinds, answers, outcome):
    asked = [[kind, "prompt", None, None, None] for kind in kinds]
    assert access.answerer()(asked, None) == outcome
    assert [entry[4] for entry in asked] == answers


class Sdk:
    def open(self, uri):
        return "open", uri

    def openReadOnly(self, uri):  # noqa: N802 - libvirt's name
        return "openReadOnly", uri

    def openAuth(self, uri, credentials, flags):  # noqa: N802
        return "openAuth", uri, credentials[0], flags


def test_how_a_connection_is_opened(access):
    uri = "qemu+tcp://kvm-7/system"
    kinds = [USERNAME, AUTHNAME, PASSPHRASE, ECHO, HIDDEN]
    assert Access().open(Sdk(), uri, writing=False) == ("openReadOnly", uri)
    assert Access(Auth("a", "monitor")).open(Sdk(), uri, writing=False) == ("openReadOnly", uri)
    assert Access().open(Sdk(), uri, writing=True) == ("open", uri)
    assert access.open(Sdk(), uri, writing=False) == ("openAuth", uri, kinds, 1)
    assert access.open(Sdk(), uri, writing=True) == ("openAuth", uri, kinds, 0)


def test_a_password_that_cannot_be_read_opens_nothing(tmp_path):
    access = Access(Auth("a", "monitor", SecretSource("file", str(tmp_path / "none"))))
    with pytest.raises(SecretUnreadable):
        access.open(Sdk(), "qemu+tcp://kvm-7/system", writing=False)


def test_certificates_stand_under_libvirts_names_while_a_connection_is_opened(tmp_path):
    files = {name: tmp_path / f"my-{name}.pem" for name in ("ca", "cert", "key")}
    for name, file in files.items():
        file.write_text(name)
    tls = Tls(ca_file=str(files["ca"]), cert_file=str(files["cert"]), key_file=str(files["key"]))
    with certified("qemu+tls://kvm-7/system?x=1", tls) as uri:
        query = parse_qs(urlsplit(uri).query)
        folder = Path(query["pkipath"][0])
        content = {file.name: file.read_text() for file in folder.iterdir()}
        assert content == {"cacert.pem": "ca", "clientcert.pem": "cert", "clientkey.pem": "key"}
        assert folder.stat().st_mode & 0o077 == 0
        assert query["x"] == ["1"]
    assert not folder.exists()


@pytest.mark.parametrize(
    ("uri", "tls", "opened"),
    [
        ("qemu+tls://k/system", Tls(), "qemu+tls://k/system"),
        ("qemu:///system", Tls(ca_file="/a"), "qemu:///system"),
        ("qemu+tls://k/system", Tls(insecure_skip_verify=True), "qemu+tls://k/system?no_verify=1"),
        ("qemu+tls://k/system?pkipath=/mine", Tls(ca_file="/a"), "qemu+tls://k/system?pkipath=/mine"),
    ],
)
def test_what_the_uri_says_itself_stays(uri, tls, opened):
    with certified(uri, tls) as address:
        assert address == opened


def test_what_libvirt_cannot_verify_is_not_left_out_silently():
    with pytest.raises(Unreachable, match="pin_sha256"), certified("qemu+tls://k/system", Tls(pin_sha256="a" * 64)):
        pass


def test_a_certificate_that_is_not_there_is_named(tmp_path):
    missing = f"{tmp_path}/ca.pem"
    with pytest.raises(SecretUnreadable, match=r"ca\.pem"), certified("qemu+tls://k/system", Tls(ca_file=missing)):
        pass


def test_the_second_list_is_short():
    names = {name for calls in WRITING.values() for name in calls.values() if "Lookup" not in name}
    assert names == {"virConnectGetLibVersion", "virDomainGetGuestInfo", "virStoragePoolRefresh"}


@pytest.mark.parametrize("transport", ["ssh", "libssh2"])
def test_an_ssh_key_that_is_not_there_is_named_and_opens_nothing(transport):
    with pytest.raises(SecretUnreadable, match="the SSH key /nowhere/id cannot be read: No such file"):
        Access().open(Sdk(), f"qemu+{transport}://kvm-7/system?keyfile=/nowhere/id", writing=False)


@pytest.mark.parametrize("transport", ["ssh", "ext"])
def test_a_command_that_is_not_there_is_named_and_opens_nothing(transport):
    with pytest.raises(Unreachable, match="the command /nowhere/ssh cannot be started"):
        Access().open(Sdk(), f"qemu+{transport}://kvm-7/system?command=/nowhere/ssh", writing=False)
