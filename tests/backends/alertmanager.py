"""A real Alertmanager for tests: Debian's, in a scratch directory, with a receiver that keeps what it is told."""

import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from tests.backends.processes import Child, Scratch, find_binary, free_port, until

BINARIES = ("prometheus-alertmanager",)


class Told(NamedTuple):
    """An alert of a notification; `status` is `firing` or `resolved`."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str


class Alertmanager:
    """`with Alertmanager(inhibit_rules=[...]) as manager: manager.told(alertname="TargetDown")`.

    Every alert is a group of its own and is told after two seconds, in which what inhibits it may come too; one that is
    inhibited is not told, nor that it is resolved. Prometheus finds it by the section `alerting` that `known()` gives.
    """

    def __init__(self, *, inhibit_rules: Sequence[Mapping[str, Any]] = ()) -> None:
        self.inhibit_rules = [*inhibit_rules]
        self.address = f"127.0.0.1:{free_port()}"
        self.scratch: Scratch
        self.child: Child
        self.receiver: Receiver

    def start(self) -> Self:
        """Start it, and wait until it is ready."""
        self.receiver = Receiver()
        self.scratch = Scratch("alertmanager")
        try:
            path = self.scratch.file("alertmanager.yml", json.dumps(self._config()))  # JSON is YAML
            self.child = self.scratch.start(
                "alertmanager",
                find_binary(BINARIES[0]) or BINARIES[0],
                f"--config.file={path}",
                f"--storage.path={self.scratch.directory('data')}",
                f"--web.listen-address={self.address}",
                "--cluster.listen-address=",  # alone
            )
            until(self._ready, 30, "ready Alertmanager", self.child)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it, and the receiver."""
        self.scratch.close()
        self.receiver.close()

    def known(self) -> dict[str, Any]:
        """What a Prometheus needs in its configuration to send alerts here."""
        return {"alerting": {"alertmanagers": [{"static_configs": [{"targets": [self.address]}]}]}}

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """The alerts that are not resolved, as the API has them: labels, annotations, startsAt, status, fingerprint."""
        filters = [("filter", f"{name}={json.dumps(value)}") for name, value in labels.items()]
        with urllib.request.urlopen(self._url("/api/v2/alerts", filters), timeout=10) as answer:
            return json.load(answer)

    def alert(self, **labels: str) -> dict[str, Any] | None:
        """The one alert with these labels; None if there is none."""
        found = self.alerts(**labels)
        assert len(found) <= 1, found
        return found[0] if found else None

    def told(self, **labels: str) -> list[Told]:
        """What the receiver was told of alerts with these labels, in this order."""
        return [each for each in self.receiver.kept() if labels.items() <= each.labels.items()]

    def wait_told(self, *statuses: str, timeout_seconds: float = 90, **labels: str) -> Told:
        """Wait until the receiver has been told so many times of an alert, and see that it was this; the last of it."""

        def reached() -> list[Told]:
            found = self.told(**labels)
            return found if len(found) >= len(statuses) else []

        found = until(reached, timeout_seconds, f"notification {len(statuses)} of {labels}", self.child)
        assert [each.status for each in found] == [*statuses], found
        return found[-1]

    def _config(self) -> dict[str, Any]:
        return {
            "route": {
                "receiver": "kept",
                "group_by": ["..."],
                "group_wait": "2s",
                "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [
                {"name": "kept", "webhook_configs": [{"url": self.receiver.url, "send_resolved": True}]},
            ],
            "inhibit_rules": self.inhibit_rules,
        }

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._url("/-/ready"), timeout=5):
                return True
        except OSError:
            return False

    def _url(self, path: str, query: Sequence[tuple[str, str]] = ()) -> str:
        return f"http://{self.address}{path}?{urllib.parse.urlencode(query)}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Receiver:
    """A webhook that keeps every alert of every notification."""

    def __init__(self) -> None:
        kept: list[Told] = []
        lock = threading.Lock()

        class Kept(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told = [
                    Told(each["status"], each["labels"], each["annotations"], each["startsAt"])
                    for each in body["alerts"]
                ]
                with lock:
                    kept.extend(told)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - as the library names it
                pass

        self._kept, self._lock = kept, lock
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Kept)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True)
        self._thread.start()

    def kept(self) -> list[Told]:
        """What has come, oldest first."""
        with self._lock:
            return [*self._kept]

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
