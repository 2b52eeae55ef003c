"""The demo: three platforms side by side beside libvirt's test driver, and also where libvirt-python is missing."""

import os
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.backends.daemon import Page, repository
from tests.backends.processes import Scratch, until

SIMULATED = {"demo-vcenter": "vsphere", "demo-hyperv": "hyperv", "demo-proxmox": "proxmox"}
WITHOUT_LIBVIRT = "raise ModuleNotFoundError(\"No module named 'libvirt'\", name='libvirt')\n"


@contextmanager
def demo(**env):
    """Reads paths of a running demo."""
    with Scratch("demo") as scratch:
        flags = ["--web.listen-address=127.0.0.1:0"]
        child = scratch.start("demo", sys.executable, "-m", "exporter", "demo", *flags, env={**os.environ, **env})
        words = until(
            lambda: [word for word in child.log_tail().split() if word.startswith("http://")], 60, "address", child
        )

        def get(path):
            with urllib.request.urlopen(words[0] + path, timeout=20) as answer:
                return answer.read().decode()

        until(lambda: ready(get), 60, "every simulated target collected", child)
        yield get


def ready(get):
    page = Page(get("metrics"))
    return all(
        page.value("hypervisor_target_up", target=name) == 1
        and page.find("hypervisor_storage_info", target=name)
        and page.find("hypervisor_guest_snapshots", target=name)
        for name in SIMULATED
    )


def test_three_platforms_stand_beside_libvirt():
    with demo() as get:
        page = Page(get("metrics"))
        first = get("")
        config = yaml.safe_load(get("config"))
    platforms = {labels["target"]: labels["platform"] for labels, _ in page.find("hypervisor_target_info")}
    assert platforms.items() >= SIMULATED.items()
    assert sum(platform == "libvirt" for platform in platforms.values()) == 2
    for name, platform in SIMULATED.items():
        assert name in first
        assert f"simulated.{platform}" in first
        guests = {labels["guest_id"] for labels, _ in page.find("hypervisor_guest_info", target=name)}
        assert len(guests) > 30
    ages = [value for _, value in page.find("hypervisor_guest_oldest_snapshot_age_seconds", platform="vsphere")]
    assert max(ages) > 100 * 86_400
    assert {entry["platform"] for entry in config["targets"]} >= {"simulated.vsphere", "simulated.hyperv"}


def test_it_works_without_libvirt_python(tmp_path):
    (tmp_path / "libvirt.py").write_text(WITHOUT_LIBVIRT)
    with demo(PYTHONPATH=f"{tmp_path}{os.pathsep}{repository()}") as get:
        page = Page(get("metrics"))
    assert {name for name in SIMULATED if page.value("hypervisor_target_up", target=name) == 1} == set(SIMULATED)


def test_a_fault_can_be_brought_into_the_running_demo():
    with demo() as get:
        (target,) = [entry for entry in yaml.safe_load(get("config"))["targets"] if entry["name"] == "demo-hyperv"]
        Path(target["options"]["faults_file"]).write_text("- {kind: lose_right, group: snapshots}\n")
        until(lambda: "membership of Hyper-V Administrators" in get(""), 60, "the missing right on the page")
        page = Page(get("metrics"))
        assert page.value("hypervisor_target_up", target="demo-hyperv") == 1
        assert page.value("hypervisor_target_up", target="demo-vcenter") == 1
