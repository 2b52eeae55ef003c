"""Addresses: static mistakes with their remedy, and what is added."""

import pytest

from collectors.libvirt.address import check_address, connection_uri, local_targets, parameters


@pytest.mark.parametrize(
    "address",
    [
        "qemu:///system",
        "qemu:///session",
        "qemu+ssh://monitor@kvm-7/system",
        "qemu+tls://kvm-7.example.net/system?pkipath=/etc/pki/x",
        "qemu+unix:///session?socket=/tmp/x",
        "test:///default",
        "test:///tmp/node.xml",
        "xen:///system",
        "lxc+ssh://h/system",
        "bhyve:///system",
        "qemu+ssh://h/system?keyfile=/k&command=/usr/bin/my-ssh&socket=/a%20b&unknown_to_us=1",
    ],
)
def test_good_addresses(address):
    assert check_address(address) is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("kvm-7", "connection URI"),
        ("kvm-7.example.net:16509", "connection URI"),
        ("", "connection URI"),
        ("phyp://user@hmc/managed", "removed the driver 'phyp'"),
        ("xenapi://host/", "removed the driver 'xenapi'"),
        ("https://kvm-7/", "no driver 'https'"),
        ("qemu+rsh://kvm-7/system", "no transport 'rsh'"),
        ("qemu+ssh://kvm-7", "/system or /session"),
        ("qemu:///embed?root=/x", "inside the exporter"),
        ("qemu://[::1/system", "not a URI"),
        ("qemu+ssh://h/system?keyfil=/k", "did you mean 'keyfile'"),
        ("qemu+ssh://h/system?keyfile=~/.ssh/id", "the whole path after keyfile="),
        ("qemu+unix:///system?socket=run/libvirt-sock", "the whole path after socket="),
        ("qemu+unix:///system?socket=", "the whole path after socket="),
        ("qemu+unix://h/system?socket=/s", "write qemu+unix:///system?socket=/s, or use the transport ssh"),
        (f"qemu+unix:///system?socket={'/x' * 54}", "at most 107 bytes"),
        ("qemu+ext:///system", "needs a command"),
        ("qemu+libssh://h/system", "use ssh or libssh2"),
    ],
)
def test_static_mistakes(address, words):
    assert words in check_address(address)


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("qemu+ssh://m@h/system", "qemu+ssh://m@h/system?no_tty=1"),
        ("qemu+ssh://m@h/system?keyfile=/k", "qemu+ssh://m@h/system?keyfile=/k&no_tty=1"),
        ("qemu+ssh://m@h/system?no_tty=0", "qemu+ssh://m@h/system?no_tty=0"),
        ("qemu+libssh2://m@h/system", "qemu+libssh2://m@h/system"),
        ("qemu:///system", "qemu:///system"),
    ],
)
def test_nobody_is_there_to_answer_a_question(address, uri):
    assert connection_uri(address) == uri


def test_the_local_hypervisor_is_offered_where_its_socket_can_be_opened(tmp_path):
    socket = tmp_path / "libvirt-sock-ro"
    assert local_targets([str(socket)]) == []
    socket.touch()
    assert [target["address"] for target in local_targets([str(socket)])] == ["qemu:///system"]


@pytest.mark.parametrize(
    "address", ["qemu:///system?socket=/a b", " qemu:///system", "qemu+ssh://kvm 7/system", "qemu:///x\n"]
)
def test_a_uri_with_blanks_is_a_mistake_and_shows_the_remedy(address):
    assert "%20" in check_address(address)


def test_a_plus_in_a_path_is_a_plus_as_in_libvirt():
    assert parameters("socket=/a+b%20c&x") == {"socket": "/a+b c", "x": ""}
