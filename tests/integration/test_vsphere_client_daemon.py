"""A wrong password under a real daemon: told once, tried once, and the right one at once when the secret changes."""

import subprocess
import sys

import pytest

from tests.backends.daemon import Daemon, document
from tests.backends.fake_vcenter import FakeVCenter
from tests.backends.processes import until
from tests.backends.vcenter import PASSWORD as OPEN
from tests.backends.vcenter import USER as ACCOUNT
from tests.backends.vcenter import VCenter
from tests.integration.vsphere_seen import USER

PASSWORD = "open-sesame-8"


def test_a_wrong_password_is_tried_once_and_a_new_secret_at_once(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    with FakeVCenter() as fake:
        fake.password = PASSWORD
        target = {"name": "vc", "platform": "vsphere", "address": fake.url, "auth": "a"}
        account = {"a": {"username": USER, "password": {"file": str(secret)}}}
        with Daemon(document([target], auths=account)) as daemon:
            held = {"target": "vc", "group": "vitals", "outcome": "held"}
            skipped = "hypervisor_target_collections_total"
            until(lambda: (daemon.page().value(skipped, **held) or 0) >= 3, 40, "three ticks held back", daemon.child)
            assert daemon.page().value("hypervisor_target_up", target="vc") == 0
            assert [password for _, password in fake.logins] == ["wrong"]
            secret.write_text(f"{PASSWORD}\n")
            until(lambda: len(fake.logins) > 1, 40, "another login", daemon.child)
            assert [password for _, password in fake.logins] == ["wrong", PASSWORD]
            # One line, or one for each lane where both were waiting for the one login.
            assert daemon.log().count("incorrect user name or password") in {1, 2}
            assert PASSWORD not in daemon.log()
    assert fake.peak == 1


@pytest.fixture
def vcenter():
    with VCenter("--machines=2") as started:
        yield started


@pytest.fixture
def config(vcenter):
    account = {"a": {"username": ACCOUNT, "password": OPEN}}
    target = {"name": "vc", "platform": "vsphere", "address": vcenter.address, "auth": "a"}
    return document([{**target, "tls": {"insecure_skip_verify": True}}], auths=account)


@pytest.mark.parametrize("command", [["once"], ["check", "--connect"]])
def test_a_command_leaves_no_session_behind(vcenter, config, tmp_path, command):
    file = tmp_path / "config.yml"
    file.write_text(config)
    run = [sys.executable, "-m", "exporter.cli", *command, "--config.file", str(file)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert vcenter.calls()["Login"] == 1
    assert vcenter.sessions() == []


def test_a_daemon_logs_out_when_it_ends(vcenter, config):
    with Daemon(config) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="vc")
        assert len(vcenter.sessions()) == 1
        assert daemon.terminate(15)
        assert vcenter.sessions() == []
