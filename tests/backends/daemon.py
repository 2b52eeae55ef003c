"""The exporter itself as a back end: a real `serve` in a process of its own, configured in a scratch directory."""

import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.backends.processes import Child, Scratch, free_port, until

FAST = {"vitals": "2s", "storage": "2s", "snapshots": "2s", "inventory": "2s"}
"""Intervals of a test profile."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str


class Page:
    """The samples of an exposition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]

    def find(self, family: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """Labels and values of the family's series that have these labels."""
        return [
            (found, value)
            for name, found, value in self.samples
            if name == family and all(found.get(key) == wanted for key, wanted in labels.items())
        ]

    def value(self, family: str, **labels: str) -> float | None:
        """The value of the one series that matches; None if there is none."""
        found = self.find(family, **labels)
        assert len(found) <= 1, f"{family}{labels} is ambiguous: {found}"
        return found[0][1] if found else None

    def names(self) -> set[str]:
        """Names of all families with series."""
        return {name for name, _, _ in self.samples}


def document(targets: Iterable[Mapping[str, Any]], **rest: Any) -> str:
    """A configuration as text (JSON is YAML); without `profiles` everything is collected every two seconds."""
    whole = {"config_version": 1, "profiles": {"default": {"intervals": FAST}}, "targets": list(targets), **rest}
    return json.dumps(whole, indent=1)


def libvirt(name: str, address: str, **rest: Any) -> dict[str, Any]:
    """A target document."""
    return {"name": name, "platform": "libvirt", "address": address, **rest}


class Daemon:
    """`with Daemon(document([libvirt("a", uri)])) as daemon: daemon.page().value("hypervisor_target_up")`."""

    def __init__(self, config: str, *, flags: Sequence[str] = (), env: Mapping[str, str] | None = None) -> None:
        self.config, self.flags = config, flags
        self.env = {**os.environ, **(env or {})}
        self.address = f"127.0.0.1:{free_port()}"
        self.scratch: Scratch
        self.child: Child

    def start(self) -> Self:
        """Start and wait until the vitals of every target were attempted."""
        self.scratch = Scratch("exporter")
        try:
            self.file = self.scratch.file("config.yml", self.config)
            self.child = self.scratch.start(
                "exporter",
                sys.executable,
                "-m",
                "exporter",
                "serve",
                f"--config.file={self.file}",
                f"--web.listen-address={self.address}",
                *self.flags,
                env=self.env,
            )
            until(lambda: self.get("/-/ready").status == 200, 70, "ready exporter", self.child)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it, whatever it does, and remove every trace."""
        self.scratch.close()

    def get(self, path: str, **headers: str) -> Answer:
        """A GET; status 0 if nobody listens."""
        request = urllib.request.Request(f"http://{self.address}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read().decode())
        except OSError:
            return Answer(0, {}, "")

    def page(self, query: str = "") -> Page:
        """What a scrape sees."""
        answer = self.get(f"/metrics{query}")
        assert answer.status == 200, answer
        return Page(answer.text)

    def wait_for(self, family: str, value: float | None, timeout_seconds: float = 30, **labels: str) -> Page:
        """Scrape until a series has a value, or with None until it is gone."""
        last: list[Page] = []

        def reached() -> bool:
            last[:] = [self.page()]
            return last[0].value(family, **labels) == value

        until(reached, timeout_seconds, f"{family}{labels} == {value}", self.child)
        return last[0]

    def reload(self, config: str) -> None:
        """Write another configuration and send SIGHUP; the caller waits for what it expects."""
        self.file.write_text(config)
        self.child.send(signal.SIGHUP)

    def terminate(self, timeout_seconds: float) -> bool:
        """Send SIGTERM; whether it ended in time."""
        self.child.send(signal.SIGTERM)
        return self.child.wait(timeout_seconds)

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        found = []
        for process in psutil.Process(self.child.pid).children(recursive=True):
            with suppress(psutil.Error):  # one that has just died
                if "exporter.runtime.worker" in process.cmdline():
                    found.append(process)
        return found

    def log(self) -> str:
        """Everything it has logged."""
        return self.child.log.read_text(errors="replace")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def repository() -> Path:
    """The checkout."""
    return Path(__file__).parents[2]
