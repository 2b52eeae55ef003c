"""A real Prometheus for tests: Debian's, in a scratch directory, on a free loopback port. And promtool."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.backends.processes import BackendError, Child, Scratch, find_binary, free_port, until

BINARIES = ("prometheus", "promtool")

# Text, a whole configuration, or a list of scrape configurations.
Config = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Sample(NamedTuple):
    labels: dict[str, str]
    value: float
    time: float


class Series(NamedTuple):
    labels: dict[str, str]
    points: list[tuple[float, float]]


def scrape(job: str, *addresses: str, **more: Any) -> dict[str, Any]:
    """One scrape configuration: `scrape("guests", "127.0.0.1:9177", scrape_interval="200ms")`."""
    return {"job_name": job, "static_configs": [{"targets": list(addresses)}], **more}


class Prometheus:
    """`with Prometheus([scrape("self", ...)], files={"rules.yml": text}) as prometheus: prometheus.query("up")`."""

    def __init__(
        self,
        config: Config,
        *,
        files: Mapping[str, str] | None = None,
        flags: Sequence[str] = (),
        blocks: Path | None = None,
    ) -> None:
        """`blocks` is a folder of blocks that it holds from the start."""
        self.config = config
        self.blocks = blocks
        self.files = dict(files or {})
        self.flags = flags
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        self.scratch: Scratch
        self.child: Child

    def start(self) -> Self:
        self.scratch = Scratch("prometheus")
        try:
            for name, text in self.files.items():  # rule files and the like, beside the configuration
                self.scratch.file(name, text)
            path = self.scratch.file("prometheus.yml", as_text(self.config))
            if self.blocks is not None:
                shutil.copytree(self.blocks, self.scratch.path / "tsdb")
            self.child = self.scratch.start(
                "prometheus",
                find_binary("prometheus") or "prometheus",
                f"--config.file={path}",
                f"--storage.tsdb.path={self.scratch.path / 'tsdb'}",
                f"--web.listen-address={self.address}",
                "--web.enable-lifecycle",
                "--log.level=warn",
                *self.flags,
            )
            until(self._ready, 30, "ready Prometheus", self.child)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self.scratch.close()

    def query(self, expr: str, time: float | None = None) -> list[Sample]:
        """The samples of an instant query, now or at the unix time `time`; a scalar is one sample without labels."""
        found = self._get("query", query=expr, **({} if time is None else {"time": str(time)}))
        if found["resultType"] in {"scalar", "string"}:
            at, value = found["result"]
            return [Sample({}, float(value), at)]
        return [Sample(each["metric"], float(each["value"][1]), each["value"][0]) for each in found["result"]]

    def query_range(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        """The series of a range query; times and step in seconds."""
        found = self._get("query_range", query=expr, start=str(start), end=str(end), step=str(step))
        return [
            Series(each["metric"], [(at, float(value)) for at, value in each["values"]]) for each in found["result"]
        ]

    def series(self, match: str) -> list[dict[str, str]]:
        """The label sets that match a selector."""
        return self._get("series", **{"match[]": match})

    def targets(self) -> list[dict[str, Any]]:
        """The active targets as Prometheus describes them: scrapeUrl, health, lastError, labels, ..."""
        return self._get("targets", state="active")["activeTargets"]

    def wait_for(
        self, expr: str, predicate: Callable[[list[Sample]], Any] = bool, timeout_seconds: float = 20
    ) -> list[Sample]:
        """Ask until `predicate(samples)` is true and return these samples; by default, until there are any."""
        last: list[Sample] = []

        def asked() -> bool:
            last[:] = self.query(expr)
            return predicate(last)

        try:
            until(asked, timeout_seconds, f"expected answer to {expr}", self.child)
        except BackendError as error:
            raise BackendError(f"{error}\nlast answer: {last}") from error
        return last

    def reload(self, config: Config | None = None) -> None:
        """Read the configuration again, or a new one; raises BackendError with Prometheus' sentence if it refuses."""
        if config is not None:
            self.config = config
            self.scratch.file("prometheus.yml", as_text(config))
        self._open(urllib.request.Request(f"{self.url}/-/reload", method="POST"))

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def _get(self, path: str, **parameters: str) -> Any:
        return json.loads(self._open(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))["data"]

    def _open(self, request: str | urllib.request.Request) -> bytes:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise BackendError(f"Prometheus refuses: {error.read().decode()}") from error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def as_text(config: Config) -> str:
    """The configuration as Prometheus reads it (JSON is YAML); a list of scrapes gets an interval of one second."""
    if isinstance(config, str):
        return config
    if not isinstance(config, Mapping):
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": list(config)}
    return json.dumps(config)


def promtool(*arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:  # noqa: A002 - as subprocess.run calls it
    """Run promtool, for example `promtool("check", "metrics", input=page)`; look at returncode, stdout and stderr."""
    command = [find_binary("promtool") or "promtool", *arguments]
    return subprocess.run(command, input=input, capture_output=True, text=True, check=False, timeout=60)
