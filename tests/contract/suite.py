"""Runs the contract suite as its users do, in a process of its own, and reads what it found."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

TIMEOUT_SECONDS = 110


@dataclass
class Verdict:
    """What became of one platform: messages of failed checks by name, reasons of skipped ones, and how many passed."""

    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)


def run_suite(
    folder: Path, platforms: Sequence[str], *, sites: Sequence[Path] = (), flags: Sequence[str] = ()
) -> Mapping:
    """Verdicts by platform; `sites` are folders of further distributions."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "exporter.testing", f"--junitxml={report}", "-p", "no:cacheprovider", "-q", *flags]
    path = os.pathsep.join([*map(str, sites), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [*command, *(f"--platform={name}" for name in platforms)],
        cwd=folder,  # nobody's pytest configuration
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert report.exists(), done.stdout + done.stderr
    verdicts = {name: Verdict() for name in platforms}
    for case in ET.parse(report).iter("testcase"):
        name, platform = re.fullmatch(r"test_(\w+)\[([\w.]+)\]", case.get("name", "")).groups()
        _judge(verdicts[platform], name, case)
    return verdicts


def _judge(verdict: Verdict, name: str, case: ET.Element) -> None:
    for failure in (*case.iterfind("failure"), *case.iterfind("error")):
        verdict.failed[name] = failure.text or failure.get("message", "")
    for skipped in case.iterfind("skipped"):
        verdict.skipped[name] = skipped.get("message", "")
    if len(case) == 0 or (name not in verdict.failed and name not in verdict.skipped):
        verdict.passed.append(name)
