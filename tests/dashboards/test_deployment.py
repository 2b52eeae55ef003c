"""The files of deploy/ are accepted by the programs that read them, and agree with what is generated."""

import subprocess
import sys

import pytest
import yaml

from dashboards.generate import HERE
from tests.backends.need import need

DEPLOY = HERE.parent / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())


def test_the_exporter_accepts_its_configuration():
    command = [sys.executable, "-m", "exporter", "check", "--config.file", DEPLOY / "compose" / "exporter.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("4 targets, no mistakes\n")


@pytest.mark.backend
def test_prometheus_and_alertmanager_accept_theirs():
    need(["promtool", "amtool"])
    for command in (
        ["promtool", "check", "config", "--syntax-only", DEPLOY / "compose" / "prometheus.yml"],
        ["amtool", "check-config", DEPLOY / "compose" / "alertmanager.yml"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_is_given_the_inhibition_rules_that_are_generated():
    ours = yaml.safe_load((DEPLOY / "compose" / "alertmanager.yml").read_text())["inhibit_rules"]
    assert ours == yaml.safe_load((HERE / "alertmanager" / "inhibit-rules.yml").read_text())["inhibit_rules"]


def test_everything_that_is_mounted_is_there():
    mounts = [mount.split(":")[0] for service in COMPOSE["services"].values() for mount in service["volumes"]]
    files = [mount for mount in mounts if mount.startswith(".")]
    assert len(files) > 5
    assert [mount for mount in files if not (DEPLOY / "compose" / mount).resolve().exists()] == []


def test_what_the_image_copies_and_installs_is_there():
    lines = (DEPLOY / "container" / "Containerfile").read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert copied
    assert [name for name in copied if not (HERE.parent / name).exists()] == []
