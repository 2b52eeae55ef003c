"""A real Alertmanager is told of alerts: what follows from another one is silent, and nothing else is."""

import contextlib
import json
import subprocess
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from dashboards.generate import HERE
from dashboards.rules.forms import Severity
from dashboards.rules.inhibition import CAUSES, IDENTITY, STRONGER
from tests.backends import alertmanager
from tests.backends.need import need
from tests.backends.processes import BackendError, find_binary, until
from tests.rules.test_alerts import ALERTS

FILE = HERE / "alertmanager" / "inhibit-rules.yml"
RULES = yaml.safe_load(FILE.read_text())["inhibit_rules"]
ORDER = [Severity.INFO, Severity.WARNING, Severity.CRITICAL]

THING = {
    "target": "t",
    "platform": "p",
    "host_id": "h",
    "guest_id": "g",
    "storage_key": "k",
    "compute_cluster_id": "c",
}


def alert(name, **other):
    """An alert on the thing that its level is about, with other labels where the test says so."""
    return {"alertname": name, **{label: THING.get(label, "j") for label in IDENTITY[ALERTS[name].level]}, **other}


SILENT = [
    ("HypervisorTargetDown", alert("HypervisorHostCpuSaturated")),
    ("HypervisorTargetDown", alert("HypervisorGuestDiskSlow")),
    ("HypervisorTargetDown", alert("HypervisorTargetNeverCollected")),
    ("HypervisorTargetDown", alert("HypervisorHostDown")),
    ("HypervisorHostDown", alert("HypervisorHostNetworkErrors")),
    ("HypervisorTargetLoginRefused", alert("HypervisorTargetDown")),
    *((stronger, alert(weaker)) for stronger, all_weaker in STRONGER.items() for weaker in all_weaker),
]
TOLD = [
    ("HypervisorTargetDown", alert("HypervisorTargetDown")),
    ("HypervisorTargetDown", alert("HypervisorHostCpuSaturated", target="another")),
    ("HypervisorTargetDown", alert("HypervisorSnapshotOld")),
    ("HypervisorTargetDown", alert("HypervisorHostMemoryOvercommitted")),
    ("HypervisorTargetDown", alert("HypervisorStorageFull")),
    ("HypervisorTargetDown", {"alertname": "SomebodyElses", "target": "t"}),
    *(("HypervisorTargetDown", alert(cause)) for cause in CAUSES),
    ("HypervisorHostDown", alert("HypervisorHostDown")),
    ("HypervisorHostDown", alert("HypervisorHostNetworkErrors", host_id="another")),
    ("HypervisorHostDown", alert("HypervisorTargetDown")),
    ("HypervisorSnapshotVeryOld", alert("HypervisorSnapshotOld", guest_id="another")),
    ("HypervisorStorageFull", alert("HypervisorStorageAlmostFull", storage_key="another")),
    ("HypervisorStorageAlmostFull", alert("HypervisorStorageFull")),
]


def tell(manager, alerts):
    now = datetime.now(UTC)
    body = [
        {"labels": labels, "startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
        for labels in alerts
    ]
    request = urllib.request.Request(
        f"http://{manager.address}/api/v2/alerts",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


@pytest.fixture(scope="module")
def states():
    """Every case has alerts of its own: by a label that the rules do not know but that is part of each thing's id."""
    need(alertmanager.BINARIES)
    cases = [*SILENT, *TOLD]
    with alertmanager.Alertmanager(inhibit_rules=RULES) as manager:

        def own(labels, number):
            kept = {name for level in IDENTITY.values() for name in level}
            return {**{n: f"{v}-{number}" if n in kept else v for n, v in labels.items()}, "case": str(number)}

        tell(manager, [own(alert(source), number) for number, (source, _) in enumerate(cases)])
        until(lambda: len(manager.alerts()) == len(cases), 30, "the sources", manager.child)
        tell(manager, [own({**labels, "side": "target"}, number) for number, (_, labels) in enumerate(cases)])

        def judged():
            return {int(each["labels"]["case"]): each["status"]["state"] for each in manager.alerts(side="target")}

        until(lambda: len(judged()) == len(cases), 30, "every alert", manager.child)
        with contextlib.suppress(BackendError):  # then the tests say which are not
            until(lambda: [*judged().values()].count("suppressed") >= len(SILENT), 20, "silence", manager.child)
        return judged()


@pytest.mark.backend
@pytest.mark.parametrize("number", range(len(SILENT)), ids=[f"{source}: {a['alertname']}" for source, a in SILENT])
def test_what_follows_is_silent(states, number):
    assert states[number] == "suppressed"


@pytest.mark.backend
@pytest.mark.parametrize("number", range(len(TOLD)), ids=[f"{source}: {a['alertname']}" for source, a in TOLD])
def test_what_does_not_follow_is_told(states, number):
    assert states[len(SILENT) + number] == "active"


@pytest.mark.backend
def test_amtool_accepts_the_file(tmp_path):
    need(["amtool"])
    route = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
    (tmp_path / "alertmanager.yml").write_text(route + FILE.read_text())
    done = subprocess.run(
        [find_binary("amtool"), "check-config", tmp_path / "alertmanager.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(RULES)} inhibit rules" in done.stdout


def named(rule, side):
    ((matcher,),) = [rule[f"{side}_matchers"]]
    return matcher.partition('"')[2].rstrip('"').split("|")


@pytest.mark.parametrize("rule", RULES, ids=[named(rule, "source")[0] for rule in RULES])
def test_a_rule_names_alerts_that_are_there_and_the_stronger_is_the_source(rule):
    (source,) = named(rule, "source")
    for silenced in named(rule, "target"):
        assert silenced in ALERTS
        assert silenced != source
        assert ORDER.index(ALERTS[silenced].severity) <= ORDER.index(ALERTS[source].severity)
        assert not (source == "HypervisorTargetDown" and ALERTS[silenced].holds)


def test_no_two_alerts_silence_each_other():
    pairs = {(named(rule, "source")[0], silenced) for rule in RULES for silenced in named(rule, "target")}
    assert not {pair for pair in pairs if pair[::-1] in pairs}
