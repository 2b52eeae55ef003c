"""Every door to libvirt under one daemon: values through all of them, one that is shut, and nothing secret anywhere."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.backends import sasl
from tests.backends import sshd as sshd_backend
from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.need import need
from tests.backends.processes import until

pytestmark = pytest.mark.backend

PASSWORD, WRONG = "c0rrect-h0rse", "wr0ng-h0rse"
TICKS = "hypervisor_target_collections_total"
CALM = {"default": {"intervals": dict.fromkeys(["vitals", "storage", "snapshots", "inventory"], "5s")}}
"""A login by SSH costs a second and more on a busy machine."""
DOORS = ["unix", "tcp", "tls", "ssh-netcat", "ssh-helper", "ssh-library"]


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "setpriv", *sasl.NEEDED, *sshd_backend.NEEDED], ["libvirt"])
    from tests.integration.libvirt_remote import SaslLab

    with SaslLab() as all_doors:
        all_doors.accounts.set("monitor", PASSWORD)
        all_doors.launch("seen by all", memory_mib=6, vcpus=1, max_vcpus=2)
        yield all_doors


@pytest.fixture
def sshd(lab):
    with sshd_backend.Sshd(lab) as running:
        yield running


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "kvm-ro"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    return file


def auths(secret):
    return {"kvm-ro": {"username": "monitor", "password": {"file": str(secret)}}}


def tcp(lab, **rest):
    return libvirt("tcp", lab.tcp_address, auth="kvm-ro", **rest)


def all_doors(lab, sshd):
    cert, key = lab.client()
    files = {"ca_file": lab.authority_file, "cert_file": cert, "key_file": key}
    library = f"sshauth=privkey&keyfile={sshd.path('key')}&known_hosts={sshd.path('known')}"
    return [
        libvirt("unix", lab.uri),
        tcp(lab),
        libvirt("tls", lab.address, auth="kvm-ro", tls=files),
        libvirt("ssh-netcat", f"qemu+ssh://{sshd.place}/session?socket={lab.socket}&{sshd.client()}"),
        libvirt("ssh-helper", f"qemu+ssh://{sshd.place}/session?{sshd.client()}"),
        libvirt("ssh-library", f"qemu+libssh2://{sshd.place}/session?socket={lab.socket}&{library}"),
    ]


def ups(daemon, names=DOORS):
    page = daemon.page()
    return {name: page.value("hypervisor_target_up", target=name) for name in names}


def ticks(daemon, target, outcome, group="vitals"):
    return daemon.page().value(TICKS, target=target, group=group, outcome=outcome) or 0


def everything_shown(daemon):
    """What anybody can read of a daemon: its log, its pages, and the arguments of all processes."""
    paths = ["/", "/metrics", "/config", "/sd", "/api/v1/status", "/api/v1/targets"]
    pages = [daemon.get(path).text for path in [*paths, *(f"/targets/{name}" for name in DOORS)]]
    arguments = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            arguments.append(" ".join(process.cmdline()))
    return "\n".join([daemon.log(), *pages, *arguments])


def test_all_doors_at_once_and_one_that_is_shut(lab, sshd, secret):
    vcpus = {line.split(":")[0]: line.split()[-1] for line in lab.virsh("dominfo", "seen by all").splitlines() if line}
    with Daemon(document(all_doors(lab, sshd), auths=auths(secret), profiles=CALM)) as daemon:
        until(lambda: set(ups(daemon).values()) == {1.0}, 60, "every door open", daemon.child)
        page = daemon.page()
        for door in DOORS:
            guest = {"target": door, "guest": "seen by all"}
            assert page.value("hypervisor_guest_vcpus", **guest) == int(vcpus["CPU(s)"])
            assert page.value("hypervisor_guest_memory_configured_bytes", **guest) == 6 * 1024 * 1024
        sshd.shut()
        until(lambda: [*ups(daemon).values()] == [1, 1, 1, 0, 0, 0], 60, "doors of SSH shut, no others", daemon.child)
        good = {door: ticks(daemon, door, "success") for door in DOORS[:3]}
        until(lambda: all(ticks(daemon, door, "success") > good[door] for door in good), 40, "others going on")
        assert {ticks(daemon, door, "unreachable") for door in good} == {0}
        sshd.start_daemon()
        until(lambda: set(ups(daemon).values()) == {1.0}, 150, "every door open again", daemon.child)


def refusals_while_held(lab, daemon):
    """How many logins were refused in all, after ticks at which none was tried: an account may lock."""

    def wait_for_held(more):
        wanted = ticks(daemon, "tcp", "held") + more
        until(lambda: ticks(daemon, "tcp", "held") >= wanted, 40, "ticks without an attempt", daemon.child)

    wait_for_held(1)  # what was under way has ended
    refused = lab.refusals()
    wait_for_held(3)
    assert lab.refusals() == refused
    return refused


def test_a_wrong_password_locks_until_its_file_is_corrected(lab, secret):
    secret.write_text(WRONG + "\n")
    config = document([tcp(lab), libvirt("unix", lab.uri)], auths=auths(secret))
    with Daemon(config) as daemon:
        daemon.wait_for("hypervisor_target_breaker_state", 1, target="tcp", state="auth_locked")
        assert "username and password right?" in daemon.get("/").text
        page = daemon.page()
        assert page.value("hypervisor_target_up", target="tcp") == 0
        assert page.find("hypervisor_guest_state", target="tcp") == []
        refused = refusals_while_held(lab, daemon)
        assert refused >= 1
        daemon.wait_for("hypervisor_target_up", 1, target="unix")
        secret.write_text("wr0ng-again\n")
        until(lambda: lab.refusals() > refused, 30, "an attempt with what the file holds now", daemon.child)
        refusals_while_held(lab, daemon)
        secret.write_text(PASSWORD + "\n")
        page = daemon.wait_for("hypervisor_target_up", 1, target="tcp")
        assert page.find("hypervisor_guest_state", target="tcp") != []
        daemon.wait_for("hypervisor_target_breaker_state", 1, target="tcp", state="closed")
        shown = everything_shown(daemon)
        assert not [word for word in (PASSWORD, WRONG, "wr0ng-again") if word in shown]


def test_nothing_secret_is_shown_or_handed_on(lab, sshd, secret, monkeypatch):
    monkeypatch.setenv("KVM_PASSWORD", PASSWORD)
    accounts = {"kvm-ro": {"username": "monitor", "password": {"env": "KVM_PASSWORD"}}}
    key = sshd.path("key").read_text().splitlines()[2]
    cert_key = Path(lab.client()[1]).read_text().splitlines()[2]
    config = document(all_doors(lab, sshd), auths=accounts, profiles=CALM)
    with Daemon(config, flags=["--log.level=debug"]) as daemon:
        until(lambda: set(ups(daemon).values()) == {1.0}, 60, "every door open", daemon.child)
        clients = until(sshd.clients, 20, "clients of SSH", daemon.child)
        shown = everything_shown(daemon)
        for client in clients:
            with suppress(psutil.Error):
                shown += "\n".join(client.environ().values())
        assert "sshauth=privkey" in shown, "the addresses are shown"
        assert not [secret for secret in (PASSWORD, key, cert_key) if secret in shown]


def test_check_names_what_is_wrong_at_each_door(lab, sshd, secret, tmp_path):
    secret.write_text(WRONG + "\n")
    stranger, unknown = sshd.client(key="stranger"), sshd.client(known="nobody")
    sshd.scratch.file("nobody", "")
    place = f"qemu+ssh://{sshd.place}/session?socket={lab.socket}"
    words = {
        "wrong-password": "are auth's username and password right?",
        "no-account": "set auth",
        "no-socket": "is libvirtd or virtqemud running there",
        "no-certificate": "TLS needs the authority's certificate",
        "stranger": "does the account's SSH key open that host without a question?",
        "unknown-host": "add the host's key to known_hosts",
        "no-key": "is the path after keyfile= right",
    }
    targets = [
        libvirt("wrong-password", lab.tcp_address, auth="kvm-ro"),
        libvirt("no-account", lab.tcp_address),
        libvirt("no-socket", f"qemu+unix:///session?socket={tmp_path}/none"),
        libvirt("no-certificate", lab.address + f"?pkipath={tmp_path}"),
        libvirt("stranger", f"{place}&{stranger}"),
        libvirt("unknown-host", f"{place}&{unknown}"),
        libvirt("no-key", f"{place}&keyfile={tmp_path}/none"),
    ]
    file = tmp_path / "config.yml"
    file.write_text(document([libvirt("well", lab.uri), *targets], auths=auths(secret)))
    done = check(file)
    assert done.returncode == 1
    assert "well: ok" in done.stdout
    for name, sentence in words.items():
        lines = [line for line in done.stderr.splitlines() if line.strip().startswith(f"{name}: ")]
        assert len(lines) == 1, (name, done.stderr)
        assert sentence in lines[0]
    assert WRONG not in done.stdout + done.stderr


def check(file):
    command = [sys.executable, "-m", "exporter", "check", "--connect", f"--config.file={file}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, env=dict(os.environ), check=False)


def test_a_far_end_that_freezes_costs_nobody_else_and_leaves_no_client(lab, sshd):
    targets = [libvirt("unix", lab.uri), libvirt("ssh", f"qemu+ssh://{sshd.place}/session?{sshd.client()}")]
    with Daemon(document(targets, profiles=CALM)) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="ssh")
        sshd.freeze()
        daemon.wait_for("hypervisor_target_up", 0, target="ssh")
        until(lambda: "worker of its own" in daemon.log(), 90, "quarantine", daemon.child)
        good = ticks(daemon, "unix", "success")
        until(lambda: ticks(daemon, "unix", "success") >= good + 2, 30, "the neighbour going on", daemon.child)
        assert ticks(daemon, "unix", "timed_out") == ticks(daemon, "unix", "unreachable") == 0
        assert len(sshd.clients()) <= 6
        sshd.thaw()
        daemon.wait_for("hypervisor_target_up", 1, 150, target="ssh")
        assert daemon.page().find("hypervisor_guest_state", target="ssh") != []


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("how", ["stopped", "killed", "worker killed"])
def test_no_client_is_left(lab, sshd, how, frozen):
    # Of a daemon that is killed nobody is left to end them: they notice by themselves, also that a host is frozen.
    client = sshd.client(options="-o ServerAliveInterval=2 -o ServerAliveCountMax=2")
    target = libvirt("ssh", f"qemu+ssh://{sshd.place}/session?{client}")
    with Daemon(document([target], profiles=CALM)) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="ssh")
        before = until(sshd.clients, 10, "clients", daemon.child)
        if frozen:
            sshd.freeze()
        if how == "stopped":
            assert daemon.terminate(12)
        elif how == "killed":
            daemon.child.send(signal.SIGKILL)
        else:
            for worker in daemon.workers():
                worker.kill()
        _, alive = psutil.wait_procs(before, timeout=30)
        assert alive == []
        sshd.thaw()
        if how == "worker killed":
            daemon.wait_for("hypervisor_exporter_worker_restarts_total", 1)
            until(lambda: ticks(daemon, "ssh", "success") > 0 and ups(daemon, ["ssh"]) == {"ssh": 1}, 90, "target")
            until(sshd.clients, 30, "new clients", daemon.child)
    until(lambda: not sshd.clients(), 10, "end of every client")
