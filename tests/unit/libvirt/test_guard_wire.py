"""Which socket belongs to a connection, found among those of the process, and shut down without harm to others."""

import socket
import threading

import pytest

from collectors.libvirt.client.wire import Wires, peer_of


@pytest.fixture
def daemon(tmp_path):
    """A unix socket where a daemon would listen; the path names libvirt as real ones do."""
    path = str(tmp_path / "libvirt-sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        yield path


def connect(path):
    handle = socket.socket(socket.AF_UNIX)
    handle.connect(path)
    return handle


@pytest.mark.parametrize("query", ["?socket={}", ""])
def test_the_socket_that_opening_made_is_cut_and_no_other(daemon, query):
    wires = Wires("qemu+unix:///system" + query.format(daemon))
    stranger, far_end = socket.socketpair()
    with connect(daemon) as before, stranger, far_end:
        with wires.opening() as wire:
            ours = connect(daemon)
        with ours, connect(daemon) as after:
            assert wire.cut()
            assert ours.recv(1) == b""
            for other in (before, stranger, after):
                other.setblocking(False)
                with pytest.raises(BlockingIOError):
                    other.recv(1)
        assert not wire.cut(), "closed meanwhile"


@pytest.mark.parametrize("name", ["by link", "a+b"])
def test_a_socket_is_known_by_any_path_to_it(tmp_path, name):
    """/var/run is a link to /run on most systems; a plus sign in a URI is no blank."""
    real = tmp_path / "run+time"
    real.mkdir()
    (tmp_path / name).symlink_to(real)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(real / "sock"))
        listener.listen()
        path = str(tmp_path / name / "sock")
        with Wires(f"qemu+unix:///system?socket={path.replace(' ', '%20')}").opening() as wire:
            ours = connect(path)
        with ours:
            assert wire.cut()


def test_two_that_appear_at_once_stay_unknown(daemon):
    wires = Wires(f"qemu+unix:///system?socket={daemon}")
    with wires.opening() as wire:
        ours, other = connect(daemon), connect(daemon)
    with ours, other:
        assert not wire.cut()


def test_lanes_that_open_while_another_hangs_find_their_own(daemon):
    wires, inside, release = Wires(f"qemu+unix:///system?socket={daemon}"), threading.Event(), threading.Event()
    found = []

    def hang():
        with wires.opening() as wire, connect(daemon):
            found.append(wire)
            inside.set()
            release.wait(10)

    hung = threading.Thread(target=hang)
    hung.start()
    inside.wait(10)
    with wires.opening() as second, connect(daemon) as ours:
        assert found[0].cut(), "while it is still being opened"
        assert second.cut()
        assert ours.recv(1) == b""
    release.set()
    hung.join()


@pytest.mark.parametrize(
    ("uri", "known"),
    [
        ("qemu:///system", True),
        ("lxc:///system", True),
        ("test+unix:///default?socket=/run/x", True),
        ("qemu+tcp://kvm-7:1234/system", True),
        ("qemu://kvm-7/system", True),
        ("qemu+ssh://kvm-7/system", False),
        ("qemu+libssh2://kvm-7/system", False),
        ("test:///default", False),
        ("vbox:///session", False),
    ],
)
def test_some_connections_have_no_socket_of_ours(uri, known):
    assert (peer_of(uri)[0] is not None) == known


def test_a_tcp_connection_is_known_by_its_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        wires = Wires(f"qemu+tcp://127.0.0.1:{port}/system")
        with wires.opening() as wire:
            ours = socket.create_connection(("127.0.0.1", port))
            assert not wire.cut(), "a name may still be looked up while another connects"
        with ours:
            assert wire.cut()
            assert ours.recv(1) == b""
