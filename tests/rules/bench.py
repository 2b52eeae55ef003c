"""promtool's bench for alerts: files of tests, one run for many, and what it says of each."""

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import yaml

from dashboards.rules.settings import Settings
from dashboards.rules.text import rules_text
from tests.backends.processes import find_binary

Rule = Mapping[str, Any]
PATIENCE_SECONDS = 500
"""For all stories: half a minute of CPU, on a machine that may have much else to do."""


def parsed(settings: Settings | None = None) -> list[Rule]:
    """Every rule of the file, in its order."""
    found = yaml.safe_load(rules_text(settings or Settings()))
    return [rule for group in found["groups"] for rule in group["rules"]]


def needed(rules: Sequence[Rule], alerts: Iterable[str]) -> list[Rule]:
    """These alerts and the records that they read, and those that these read; in the file's order."""
    wanted = set(alerts)
    for rule in reversed(rules):
        name = rule.get("alert") or rule["record"]
        if name in wanted:
            wanted |= {other["record"] for other in rules if "record" in other and other["record"] in rule["expr"]}
    return [rule for rule in rules if (rule.get("alert") or rule["record"]) in wanted]


def firing(rule: Rule, labels: Mapping[str, str], value: str) -> dict[str, Any]:
    """What promtool expects to find: the alert's texts with these labels and this number in them."""

    def said(text: str) -> str:
        text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found.group(1)], text)
        text = re.sub(r"\{\{ \$labels\.(\w+) \| urlquery \}\}", lambda found: quote_plus(labels[found.group(1)]), text)
        return re.sub(r"\{\{ \$value[^}]*\}\}", lambda _: value, text)

    return {
        "exp_labels": {**rule["labels"], **{name: text for name, text in labels.items() if text}},
        "exp_annotations": {name: said(text) for name, text in rule["annotations"].items()},
    }


class Bench:
    """Tests are put in by name, run together, and judged one by one."""

    def __init__(self, folder: Path, settings: Settings | None = None, *, step: str = "1m") -> None:
        self.rules = parsed(settings)
        self.alerts = {rule["alert"]: rule for rule in self.rules if "alert" in rule}
        self._folder, self._step = folder, step
        self._files: dict[str, Path] = {}

    def put(
        self, name: str, alerts: Sequence[str], series: list[dict[str, str]], expected: Mapping[int, list[Any]]
    ) -> None:
        """`expected`: minute -> what fires then of these alerts, each with its name and as `firing` says it."""
        tests = [
            {
                "eval_time": f"{minute}m",
                "alertname": alert,
                "exp_alerts": [one for which, one in fires if which == alert],
            }
            for minute, fires in expected.items()
            for alert in alerts
        ]
        self._file(name, alerts, {"input_series": series, "alert_rule_test": tests})

    def count(self, name: str, alert: str, series: list[dict[str, str]], expected: Mapping[int, int]) -> None:
        """`expected`: minute -> how often the alert fires then."""
        firing = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
        self.ask(name, [alert], series, [(firing, minute, number) for minute, number in expected.items()])

    def ask(
        self, name: str, wanted: Sequence[str], series: list[dict[str, str]], asked: Iterable[tuple[str, int, float]]
    ) -> None:
        """Expressions without labels, each at a minute, and their values; `wanted` are alerts and records."""
        tests = [
            {"expr": expr, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": value}]}
            for expr, minute, value in asked
        ]
        self._file(name, wanted, {"input_series": series, "promql_expr_test": tests})

    def _file(self, name: str, alerts: Sequence[str], test: Mapping[str, Any]) -> None:
        number = len(self._files)
        rules = self._folder / f"{number}.rules.json"
        groups = [{"name": "all", "rules": needed(self.rules, alerts)}]
        rules.write_text(json.dumps({"groups": groups}, ensure_ascii=False))
        file = self._folder / f"{number}.test.json"
        file.write_text(
            json.dumps(
                {
                    "rule_files": [str(rules)],
                    "evaluation_interval": self._step,
                    "tests": [{"interval": "1m", **test}],
                },
                ensure_ascii=False,
            )
        )
        self._files[name] = file

    def run(self) -> dict[str, str]:
        """What promtool finds wrong, by name; nothing where all is as expected. Two runs share the files."""
        files = [*self._files.values()]
        halves = [half for half in (files[::2], files[1::2]) if half]
        runs = [
            subprocess.Popen(
                [find_binary("promtool") or "promtool", "test", "rules", *half],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for half in halves
        ]
        try:
            said = "".join(run.communicate(timeout=PATIENCE_SECONDS)[0] for run in runs)
        finally:
            for run in runs:
                run.kill()
                run.wait()
                run.stdout.close()
        verdicts = {}
        for part in said.split("Unit Testing:")[1:]:
            file, _, verdict = part.strip().partition("\n")
            verdicts[file.strip()] = "" if "SUCCESS" in verdict and "FAILED" not in verdict else verdict
        return {name: verdicts.get(str(file), said[-2000:]) for name, file in self._files.items()}
