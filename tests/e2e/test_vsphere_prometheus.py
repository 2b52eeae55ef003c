"""A real Prometheus watches 1,000 guests of a simulated vCenter through the daemon: a snapshot, and a restart."""

import datetime as dt
import signal
import time

import pytest

from tests.backends.daemon import Daemon, document
from tests.backends.need import need
from tests.backends.prometheus import BINARIES, Prometheus, scrape
from tests.backends.vcenter import BUILT, PASSWORD, USER, VCenter
from tests.backends.vcsim_inventory import Size, write

GUESTS = 1_000
DAY = 86_400
AGED_DAYS = 10
INTERVALS = {"vitals": "5s", "snapshots": "5s", "storage": "1m", "inventory": "1m"}
CPU = "hypervisor_guest_cpu_seconds_total"
# A machine that is too slow for the interval is none of the vCenter's failures.
FAILURES = 'hypervisor_target_collections_total{outcome=~"unreachable|auth_failed|malformed|bug"}'
FAILED = f"sum({FAILURES})"
SLOW = 'sum(hypervisor_target_collections_total{group="vitals", outcome="timed_out"}) or vector(0)'
FAILED_VITALS = 'sum by (target) (hypervisor_target_collections_total{group="vitals", outcome="unreachable"})'

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim"),
]


@pytest.fixture(scope="module")
def vcenter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("estate") / "inventory"
    plan = write(folder, Size(GUESTS, hosts=20))
    with VCenter(f"--load={folder}", "--api-version=8.0.3.0") as started:
        started.plan = plan
        yield started


@pytest.fixture(scope="module")
def daemon(vcenter):
    target = {"name": "vc", "platform": "vsphere", "address": vcenter.sdk, "auth": "a"}
    account = {"a": {"username": USER, "password": {"env": "THE_PASSWORD"}}}
    config = document(
        [{**target, "tls": {"insecure_skip_verify": True}}],
        auths=account,
        profiles={"default": {"intervals": INTERVALS}},
    )
    with Daemon(config, env={"THE_PASSWORD": PASSWORD}) as running:
        yield running


@pytest.fixture(scope="module")
def server(daemon):
    need(BINARIES)
    with Prometheus([scrape("vsphere", daemon.address, scrape_interval="2s", scrape_timeout="2s")]) as started:
        started.wait_for(f"count(hypervisor_guest_info) == {GUESTS}", timeout_seconds=100)
        yield started


def one(server, expression):
    ((_, value, _),) = server.query(expression)
    return value


def without_snapshots(vcenter):
    """Id, path and reference of a guest that runs and has no snapshot."""
    paths = {reference: path for path, reference in vcenter.references("m").items()}
    reference = next(
        str(each.ref)
        for each in vcenter.plan.with_role("running")
        if not each.tree.snapshots and each.host.state == "connected"
    )
    (identity,) = vcenter.collect(reference, "config.instanceUuid").values()
    return identity, paths[reference], reference


def test_a_snapshot_is_seen_with_its_age_and_is_gone_when_it_is_removed(vcenter, daemon, server):
    identity, path, reference = without_snapshots(vcenter)
    count = f'hypervisor_guest_snapshots{{guest_id="{identity}"}}'
    server.wait_for(f"{count} == 0", timeout_seconds=40)
    vcenter.govc("snapshot.create", "-vm", path, "-m=false", "before the update")
    (tree,) = vcenter.collect(path, "snapshot")["snapshot"]["rootSnapshotList"]
    created = time.time() - AGED_DAYS * DAY
    tree["createTime"] = dt.datetime.fromtimestamp(created, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    vcenter.set(reference, {"snapshot": {"currentSnapshot": tree["snapshot"], "rootSnapshotList": [tree]}})
    oldest = f'hypervisor_guest_oldest_snapshot_timestamp_seconds{{guest_id="{identity}"}}'
    server.wait_for(f"time() - {oldest} > {(AGED_DAYS - 1) * DAY}", timeout_seconds=40)
    assert one(server, f"time() - {oldest}") == pytest.approx(time.time() - created, abs=30)
    assert one(server, count) == 1
    vcenter.govc("snapshot.remove", "-vm", path, "*")
    server.wait_for(oldest, lambda samples: not samples, timeout_seconds=40)
    server.wait_for(f"{count} == 0")


def test_a_restart_of_the_vcenter_is_one_gap_without_an_error_afterwards(vcenter, daemon, server):
    server.wait_for(f"sum({CPU}) > 0", timeout_seconds=60)
    guests, seconds = one(server, f"count({CPU})"), one(server, f"sum({CPU})")
    begun, slow = time.time(), one(server, SLOW)
    vcenter.child.stop(signal.SIGKILL)
    server.wait_for(f"({FAILED_VITALS} >= 1) and on (target) (hypervisor_target_up == 0)", timeout_seconds=60)
    vcenter.restart()
    server.wait_for("hypervisor_target_up == 1", timeout_seconds=60)
    failures = one(server, FAILED)
    server.wait_for(f"sum({CPU}) > {seconds} and count({CPU}) >= {guests}", timeout_seconds=60)
    assert vcenter.sessions() == [USER]
    assert vcenter.calls()["Login"] == 1
    assert one(server, FAILED) == failures >= 1
    assert one(server, f"sum(resets({CPU}[10m]))") == 0
    slow = one(server, SLOW) - slow
    assert one(server, f"changes(hypervisor_target_up[{round(time.time() - begun)}s])") <= 2 + 2 * slow  # down, and up
    assert one(server, 'up{job="vsphere"}') == 1
    assert "Traceback" not in daemon.log()
