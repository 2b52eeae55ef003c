"""What is shipped for other programs is what they take: the Operator's durations, systemd's unit, links in alerts."""

import re
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from dashboards.generate import HERE
from dashboards.rules.forms import Level
from tests.backends.need import need
from tests.rules.bench import firing, parsed
from tests.rules.story import ODD, World
from tests.rules.test_alerts import ALERTS

UNIT = HERE.parent / "deploy" / "systemd" / "hypervisor-exporter.service"
DURATION = re.compile(r"(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)")
"""As the Operator's definition of a PrometheusRule has it; another one is refused."""


def test_the_operator_takes_every_rule():
    document = yaml.safe_load((HERE / "kubernetes" / "prometheus-rule.yaml").read_text())
    assert document["apiVersion"] == "monitoring.coreos.com/v1"
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", document["metadata"]["name"])
    assert len(yaml.safe_dump(document)) < 1_000_000  # what a cluster stores of one object
    found = document["spec"]["groups"]
    assert len({group["name"] for group in found}) == len(found)
    for rule in (rule for group in found for rule in group["rules"]):
        assert isinstance(rule["expr"], str)
        assert ("alert" in rule) != ("record" in rule)
        assert all(DURATION.fullmatch(rule.get(key, "1m")) for key in ("for", "keep_firing_for"))
        assert all(isinstance(text, str) for key in ("labels", "annotations") for text in rule.get(key, {}).values())


def test_systemd_takes_the_unit(tmp_path):
    need(["systemd-analyze"])
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/hypervisor-exporter/bin/hypervisor-exporter", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]) == (0, [])


@pytest.mark.parametrize("rule", [rule for rule in parsed() if "alert" in rule], ids=lambda rule: rule["alert"])
def test_a_link_opens_the_page_on_the_very_thing_whatever_its_name(rule):
    """That Prometheus writes the same address is shown by the alert's story."""
    level = ALERTS[rule["alert"]].level
    names = World(odd=ODD).names()
    labels = {**names, "group": "vitals", "reason": "budget", "license": "l", "license_id": "i"}
    url = urlsplit(firing(rule, labels, "1")["exp_annotations"]["dashboard_url"])
    assert url.path.startswith("/d/hypervisor-")
    assert parse_qs(url.query, strict_parsing=True) if level is not Level.EXPORTER else not url.query
    assert parse_qs(url.query) == {f"var-{name}": [names[name]] for name in level.chosen}


def test_every_choice_of_a_link_is_one_of_the_dashboards():
    chosen = {name for level in Level for name in level.chosen}
    document = (HERE / "grafana" / "guest.json").read_text() + (HERE / "grafana" / "storage.json").read_text()
    assert [name for name in chosen if f'"name": "{name}"' not in document] == []
