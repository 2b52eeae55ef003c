"""What `plan` predicts is what the daemon then shows."""

import re

import pytest

from tests.backends.daemon import Daemon, document, libvirt
from tests.e2e.test_commands import config, run  # noqa: F401  the fixture is used by name

TARGETS = [libvirt("a", "test:///default"), libvirt("b", "test:///default")]


def predicted(text, target):
    return int(re.search(rf"^{target} +(\d+)", text, re.MULTILINE).group(1))


def test_the_series_it_counts_are_those_that_the_daemon_collects(config):  # noqa: F811
    planned = run("plan", config(document(TARGETS)))
    assert planned.returncode == 0, planned.stderr
    with Daemon(document(TARGETS)) as daemon:
        daemon.wait_for("hypervisor_guest_snapshots", 0, target="a")
        page = daemon.wait_for("hypervisor_guest_autostart", 0, target="a")
    collected = [name for name, labels, _ in page.samples if labels.get("target") == "a"]
    own = [name for name in collected if not name.startswith("hypervisor_target_") and name != "hypervisor_host_up"]
    assert predicted(planned.stdout, "a") == pytest.approx(len(own), rel=0.1)


def test_without_asking_anybody_it_reckons_with_what_is_assumed(config):  # noqa: F811
    dead = [libvirt("kvm", "qemu+tcp://no-such-host.invalid/system")]
    small = run("plan", config(document(dead)), "--assume", "hosts=1,guests=10,disks=1,nics=1,storages=0")
    large = run("plan", config(document(dead)), "--assume", "hosts=1,guests=1010,disks=1,nics=1,storages=0")
    assert (small.returncode, large.returncode) == (0, 0)
    per_guest = (predicted(large.stdout, "kvm") - predicted(small.stdout, "kvm")) / 1000
    assert 30 <= per_guest <= 60
    assert "MB of memory" in large.stdout


def test_a_wrong_assumption_is_told(config):  # noqa: F811
    refused = run("plan", config(document(TARGETS)), "--assume", "gests=10")
    assert refused.returncode == 2
    assert "guests=NUMBER" in refused.stderr


def test_what_is_over_the_limits_is_said(config):  # noqa: F811
    limits = {"series_per_target": 1000, "series_total": 1500}
    planned = run("plan", config(document(TARGETS, limits=limits)), "--assume", "guests=100")
    assert "over the limits" in planned.stdout
