"""The other exporters of the benchmark of vSphere: built once into build/peers, started at the same simulator.

One that cannot be had here (no network, no Go) is named with the reason and left out.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.backends.daemon import repository
from tests.backends.processes import Child, Scratch, free_port, until
from tests.backends.vcenter import PASSWORD, USER, VCenter
from tests.bench.vsphere_phases import process_seconds

PEERS = repository() / "build" / "peers"
VMWARE_EXPORTER = ("vmware_exporter==0.18.4", "twisted==21.7.0", "requests", "setuptools<80", "lxml")
"""lxml is none of its own: it says what merely parsing costs."""
TELEGRAF = "github.com/influxdata/telegraf@v1.37.2"
TAGS = "custom,inputs.vsphere,outputs.discard,outputs.prometheus_client,serializers.prometheus"
BUILD_SECONDS = 1200
INTERVAL_SECONDS = 20
_CALL = """
import sys
from pyVim import connect
whole = connect.SmartConnect
connect.SmartConnect = lambda **named: whole(port=int(sys.argv[1]), **named)  # it knows port 443 only
from vmware_exporter.vmware_exporter import main
main(["-a", "127.0.0.1", "-p", sys.argv[2], "-l", "WARNING"])
"""
_PARSE = """
import sys, time, lxml.etree
bodies = [open(path, "rb").read() for path in sys.argv[1:]]
parser, spent = lxml.etree.XMLParser(huge_tree=True), []
for _ in range(3):
    begun = time.process_time()
    for body in bodies:
        lxml.etree.fromstring(body, parser)
    spent.append(time.process_time() - begun)
print(min(spent))
"""


class Missing(Exception):
    """A peer that cannot be had; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Spent:
    """One cycle of a peer: CPU of it and of the simulator, seconds, how much its memory has grown since it began."""

    cpu: float
    server: float
    wall: float
    grown: int
    lines: int = 0


def _run(what: str, *command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{what}: {error}") from error
    if done.returncode:
        raise Missing(f"{what}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


def python() -> Path:
    """The interpreter of the environment with vmware_exporter and lxml."""
    home = PEERS / "vmware_exporter"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        _run("environment of vmware_exporter", sys.executable, "-m", "venv", str(home))
        _run("vmware_exporter", str(home / "bin" / "pip"), "install", "--quiet", *VMWARE_EXPORTER)
        (home / "ready").touch()
    return home / "bin" / "python"


def telegraf() -> Path:
    """Telegraf with its plugin for vSphere alone."""
    binary = PEERS / "telegraf"
    if not binary.exists():
        go = shutil.which("go") or str(Path(sys.executable).with_name("go"))
        source = json.loads(_run("telegraf's source", go, "mod", "download", "-json", TELEGRAF))["Dir"]
        _run("telegraf", go, "build", "-o", str(binary), "-tags", TAGS, "./cmd/telegraf", cwd=Path(source))
    return binary


def parsing_seconds(bodies: Iterable[Path]) -> float:
    """CPU seconds in which lxml parses these files, the least of three times."""
    return float(_run("lxml", str(python()), "-c", _PARSE, *map(str, bodies)))


def vmware_exporter(vcenter: VCenter, scratch: Scratch, scrapes: int) -> list[Spent]:
    """What its scrapes cost; every scrape logs in, collects all there is and logs out."""
    port = free_port()
    env = {
        **os.environ,
        "VSPHERE_HOST": "127.0.0.1",
        "VSPHERE_USER": USER,
        "VSPHERE_PASSWORD": PASSWORD,
        "VSPHERE_IGNORE_SSL": "True",
    }
    command = (str(python()), "-W", "ignore", "-c", _CALL, str(vcenter.port), str(port))
    child = scratch.start("vmware_exporter", *command, env=env)
    address = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return True
        except OSError:
            return False

    until(ready, 60, "answer of vmware_exporter", child)
    before, found = _resident(child.pid), []
    for _ in range(scrapes):
        cpu, server, wall = process_seconds(child.pid), process_seconds(vcenter.child.pid), time.monotonic()
        try:
            with urllib.request.urlopen(f"{address}/metrics", timeout=600) as answer:
                text = answer.read().decode()
        except OSError as error:
            raise Missing(f"vmware_exporter: {error}: {child.log_tail(3)}") from error
        wall = time.monotonic() - wall
        lines = sum(not line.startswith("#") for line in text.splitlines())
        grown = _resident(child.pid, "VmHWM") - before
        found.append(
            Spent(process_seconds(child.pid) - cpu, process_seconds(vcenter.child.pid) - server, wall, grown, lines)
        )
    child.stop()
    return found


def telegraf_cycles(
    vcenter: VCenter, scratch: Scratch, counters: Sequence[str], cycles: int, *, rendered: bool
) -> list[Spent]:
    """What it costs to collect these counters of all guests every 20 seconds, as a mean; nothing of hosts.

    Told to nobody; or `rendered`, and scraped once in every interval.
    """
    port = free_port()
    output = f'[[outputs.prometheus_client]]\n  listen = "127.0.0.1:{port}"\n' if rendered else "[[outputs.discard]]\n"
    config = scratch.file("telegraf.conf", _config(vcenter, counters) + output)
    child = scratch.start(f"telegraf-{rendered}", str(telegraf()), "--config", str(config))
    before = _resident(child.pid)
    vcenter.calls()
    lines = _gathered(vcenter, child, port if rendered else 0)
    cpu, server = process_seconds(child.pid), process_seconds(vcenter.child.pid)
    for _ in range(cycles):
        lines = _gathered(vcenter, child, port if rendered else 0)
    cpu, server = process_seconds(child.pid) - cpu, process_seconds(vcenter.child.pid) - server
    grown = _resident(child.pid, "VmHWM") - before
    child.stop()
    return [Spent(cpu / cycles, server / cycles, INTERVAL_SECONDS, grown, lines)]


def _gathered(vcenter: VCenter, child: Child, port: int) -> int:
    """Wait for the next time that it has gathered, and scrape it if it has a port; it may leave out an interval."""
    until(lambda: vcenter.calls().get("QueryPerf"), 120, "query of telegraf's", child)
    time.sleep(INTERVAL_SECONDS / 2)
    vcenter.calls()
    return _scraped(port) if port else 0


def _scraped(port: int) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return sum(line.startswith(b"vsphere_") for line in gzip.decompress(answer.read()).splitlines())


def _config(vcenter: VCenter, counters: Sequence[str]) -> str:
    return f"""
[agent]
  interval = "{INTERVAL_SECONDS}s"
  flush_interval = "{INTERVAL_SECONDS}s"
  metric_buffer_limit = 1000000
[[inputs.vsphere]]
  vcenters = ["{vcenter.sdk}"]
  username = "{USER}"
  password = "{PASSWORD}"
  insecure_skip_verify = true
  vm_metric_include = {json.dumps(list(counters))}
  host_metric_exclude = ["*"]
  cluster_metric_exclude = ["*"]
  datastore_metric_exclude = ["*"]
  resource_pool_metric_exclude = ["*"]
  datacenter_metric_exclude = ["*"]
  vsan_metric_exclude = ["*"]
"""


def _resident(pid: int, kind: str = "VmRSS") -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) * 1024
