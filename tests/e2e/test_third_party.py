"""A platform that is installed from its own folder works without an edit in the core."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.backends.daemon import Daemon, Page, document, repository

GUESTS = {
    "host": "h1",
    "guests": [
        {"id": "g-1", "name": 'a "quoted" 😀 \\ name', "running": True, "cpu_ms": 1500, "stars": 3},
        {"id": "g-2", "name": "b", "running": False},
    ],
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Environment of a Python that has the example platform, installed into a folder of its own."""
    folder = tmp_path_factory.mktemp("third-party")
    source = repository() / "docs" / "example-platform"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder), str(source)], check=True, timeout=120)
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "guests.json"
    path.write_text(json.dumps(GUESTS))
    return {"name": "t", "platform": "example", "address": str(path)}


def run(env, *arguments):
    command = [sys.executable, "-m", "exporter", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_it_is_listed_with_its_distribution_and_its_families_are_in_the_catalogue(installed):
    listed = run(installed, "platforms")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "hypervisor-exporter-example" in next(line for line in listed.stdout.splitlines() if line[:8] == "example ")
    families = {entry["name"]: entry for entry in json.loads(run(installed, "metrics", "--json").stdout)}
    assert families["hypervisor_example_guest_favourites"]["support"]["example"]["support"] == "native"
    assert families["hypervisor_guest_cpu_seconds_total"]["support"]["example"]["source"] == "guests[].cpu_ms, ms"
    assert families["hypervisor_guest_snapshots"]["support"]["example"]["support"] == "absent"


def test_once_prints_its_guests_in_base_units(installed, target, tmp_path):
    config = tmp_path / "config.yml"
    config.write_text(document([target]))
    printed = run(installed, "once", "--config.file", str(config))
    assert printed.returncode == 0, printed.stderr
    page = Page(printed.stdout)
    assert page.value("hypervisor_guest_cpu_seconds_total", guest_id="g-1", guest='a "quoted" 😀 \\ name') == 1.5
    assert page.value("hypervisor_guest_running", guest_id="g-2") == 0
    assert page.value("hypervisor_example_guest_favourites", guest_id="g-1") == 3
    assert page.value("hypervisor_host_up", host="h1") == 1
    assert page.find("hypervisor_guest_snapshots") == []


def test_the_daemon_collects_it(installed, target):
    with Daemon(document([target]), env=installed) as daemon:
        page = daemon.wait_for("hypervisor_guest_running", 1, guest_id="g-1")
        assert page.value("hypervisor_target_up", target="t", platform="example") == 1
        assert page.value("hypervisor_target_objects", target="t", kind="guests") == 2
        assert page.value("hypervisor_host_guests", host_id="h1", state="running") == 1


def test_it_keeps_the_contract_in_the_world_it_brings(installed, tmp_path):
    command = [sys.executable, "-m", "exporter.testing", "--platform", "example", "-p", "no:cacheprovider"]
    done = subprocess.run(command, env=installed, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b3\d passed, 4 skipped", done.stdout), "a document neither hangs nor asks for a password"


def test_a_platform_that_cannot_be_loaded_leaves_the_others_working(installed, tmp_path):
    folder = tmp_path / "broken-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[hypervisor_exporter.collectors]\nbroken = no_such_module:PLATFORM\n")
    env = {**installed, "PYTHONPATH": f"{installed['PYTHONPATH']}{os.pathsep}{tmp_path}"}
    listed = run(env, "platforms")
    assert listed.returncode == 1
    assert "broken (broken): cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'" in listed.stderr
    assert "example" in listed.stdout
