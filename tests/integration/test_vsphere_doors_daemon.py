"""Doors that do not open, side by side in one daemon: each is told in a clear sentence and costs no other target."""

import datetime as dt
import re
import socket
import time

import pytest
import trustme

from tests.backends.daemon import Daemon, document
from tests.backends.fake_vcenter import FakeVCenter, Web, html
from tests.backends.processes import until
from tests.backends.vcenter import BUILT, PASSWORD, USER, VCenter
from tests.integration.vsphere_seen import served, written

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
ODD = ["build%2fnightly", 'say "hello"', "it's <a> & b", "rocket 🚀", "lone \ud83d"]
SHOWN = ["build/nightly", 'say "hello"', "it's <a> & b", "rocket 🚀", "lone \ufffd"]
INTERVALS = {"vitals": "4s", "storage": "10s", "snapshots": "10s", "inventory": "10s"}
FAILURES = "hypervisor_target_collections_total"
SENTENCES = {
    "expired": "AT: its certificate is not accepted (certificate has expired): renew it on the endpoint",
    "wrong-ca": "AT: its certificate is not accepted (unable to get local issuer certificate): "
    "name its authority as tls.ca_file, or the certificate's SHA-256 as tls.pin_sha256",
    "dns": "https://nobody.invalid:443/sdk: the name is not known (WHY): is it right, and does DNS answer?",
    "closed": "AT refuses the connection: is the address right, and does a firewall let it through?",
    "web": "AT describes no vSphere API: is it a vCenter or ESXi?",
    "not-found": "AT answers vimServiceVersions with 404: is it a vCenter or ESXi?",
    "overloaded": "AT answers 503 to vimServiceVersions: it is overloaded or starting",
    "password": "the endpoint refuses the account: InvalidLogin: Cannot complete login due to an incorrect user "
    "name or password.",
}
"""AT is the address; WHY are the words of the machine's resolver."""

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim"),
]


@pytest.fixture(scope="module")
def vcenter():
    """A healthy one, whose guests bear odd names."""
    with VCenter("--hosts=1", "--standalone=0", f"--machines={len(ODD)}") as started:
        for reference, name in zip(sorted(started.references("m").values()), ODD, strict=True):
            started.set(reference, {"name": name})
        yield started


@pytest.fixture
def doors(tmp_path):
    """Targets that cannot be entered, and the fake that refuses the password."""
    authority = trustme.CA()
    ca = written(tmp_path, authority)
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = free.getsockname()[1]
    with (
        FakeVCenter(context=served(authority, not_after=PAST)) as expired,
        FakeVCenter(context=served(trustme.CA())) as other,
        FakeVCenter() as refusing,
        Web(lambda _: html(200)) as web,
        Web(lambda _: html(404)) as not_found,
        Web(lambda _: html(503, "503 Service Unavailable")) as overloaded,
    ):
        refusing.password = "another one"
        verified = {"tls": {"ca_file": ca}}
        yield (
            refusing,
            [
                {"name": "expired", "address": expired.url, **verified},
                {"name": "wrong-ca", "address": other.url, **verified},
                {"name": "dns", "address": "nobody.invalid"},
                {"name": "closed", "address": f"127.0.0.1:{nobody}"},
                {"name": "web", "address": f"http://127.0.0.1:{web.port}/sdk"},
                {"name": "not-found", "address": f"http://127.0.0.1:{not_found.port}/sdk"},
                {"name": "overloaded", "address": f"http://127.0.0.1:{overloaded.port}/sdk"},
                {"name": "password", "address": refusing.url},
            ],
        )


def configured(targets, user=USER):
    auths = {"a": {"username": user, "password": {"env": "THE_PASSWORD"}}}
    whole = [{"platform": "vsphere", "auth": "a", **each} for each in targets]
    return document(whole, auths=auths, profiles={"default": {"intervals": INTERVALS}})


def healthy(vcenter):
    return {"name": "healthy", "address": vcenter.sdk, "tls": {"insecure_skip_verify": True}}


def said(daemon, target):
    """What the log warns of a target."""
    lines = [line for line in daemon.log().splitlines() if f" target={target} " in line and "level=warning" in line]
    placed = re.sub(r"https?://127\.0\.0\.1:\d+/sdk", "AT", "\n".join(lines))
    return re.sub(r"is not known \([^)]+\)", "is not known (WHY)", placed)


def test_each_door_says_what_is_wrong_and_what_to_do_and_no_other_target_suffers(vcenter, doors):
    refusing, targets = doors
    with Daemon(configured([*targets, healthy(vcenter)]), env={"THE_PASSWORD": PASSWORD}) as daemon:
        for name, sentence in SENTENCES.items():
            until(lambda n=name, s=sentence: s in said(daemon, n), 40, f"sentence of {name}", daemon.child)
        # What answers and is no vCenter is up, in the sense of reachable.
        down = SENTENCES.keys() - {"web", "not-found"}
        until(lambda: not_up(daemon.page()) == down, 40, f"down: {down}", daemon.child)
        until(lambda: failures(daemon, "closed") >= 3, 60, "repeated failures", daemon.child)
        reached = time.time()
        until(lambda: last_success(daemon) > reached, 30, "fresh vitals of the healthy one", daemon.child)
        assert failures(daemon, "healthy") == 0
        names = {labels["guest"] for labels, _ in daemon.page().find("hypervisor_guest_info", target="healthy")}
        assert names == set(SHOWN)
        assert vcenter.sessions() == [USER]
        # One refusal, one attempt; another account in the configuration is tried at once, and once.
        assert [user for user, _ in refusing.logins] == [USER]
        daemon.reload(configured([*targets, healthy(vcenter)], user="another@vsphere.local"))
        until(lambda: len(refusing.logins) > 1, 40, "another login", daemon.child)
        held = {"target": "password", "group": "vitals", "outcome": "held"}
        until(lambda: (daemon.page().value(FAILURES, **held) or 0) >= 2, 40, "ticks held back", daemon.child)
        assert [user for user, _ in refusing.logins] == [USER, "another@vsphere.local"]


def failures(daemon, target):
    """Vitals that failed or were held back after a failure; not those that a slow machine cost."""
    return sum(
        value
        for labels, value in daemon.page().find(FAILURES, target=target, group="vitals")
        if labels["outcome"] not in {"success", "partial", "skipped", "timed_out"}
    )


def not_up(page):
    return {labels["target"] for labels, value in page.find("hypervisor_target_up") if value == 0}


def last_success(daemon):
    found = daemon.page().value("hypervisor_target_last_success_timestamp_seconds", target="healthy", group="vitals")
    return found or 0


def test_a_vcenter_that_answers_503_is_asked_ever_less_and_is_back_by_itself_with_one_session():
    asked = []

    def answer(request):
        asked.append(request.path)
        return html(503, "503 Service Unavailable")

    web = Web(answer)
    config = configured([{"name": "vc", "address": f"http://127.0.0.1:{web.port}/sdk"}])
    with web, Daemon(config, env={"THE_PASSWORD": PASSWORD}) as daemon:
        daemon.wait_for("hypervisor_target_up", 0, target="vc")
        until(lambda: attempts(daemon, "held") >= 3, 60, "ticks that were held back", daemon.child)
        # One request for each attempt, none for those held back; one may be under way.
        assert len(asked) <= attempts(daemon, "unreachable") + attempts(daemon, "timed_out") + 2
        web.stop()
        with VCenter("--http", f"--listen=127.0.0.1:{web.port}", "--machines=1") as vcenter:
            daemon.wait_for("hypervisor_target_up", 1, timeout_seconds=130, target="vc")
            assert vcenter.sessions() == [USER]


def attempts(daemon, outcome):
    """Collections of every group that ended so."""
    return sum(value for _, value in daemon.page().find(FAILURES, target="vc", outcome=outcome))
