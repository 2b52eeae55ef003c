"""The life of an alert as data: what Prometheus scrapes minute by minute, when the alert fires, when it resolves.

Series are raw families in promtool's notation; `x*` means to the end. Labels that identify the thing are added, those
that a key names itself win: `hypervisor_host_up{host_id="other"}`. `<host>` stands for the name that a world gives.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.catalogue import Entity
from tests.rules.promql import FAMILIES

PLATFORMS = ("vsphere", "hyperv", "libvirt", "proxmox")
ODD = ' "q" {b} \\ {{ $labels.x }}\n&=+%2F#? 😀'
"""What names may look like."""

TARGET = "target platform"
HOST = "target platform host host_id compute_cluster compute_cluster_id"
GUEST = "target platform guest guest_id"
PLACED = f"{GUEST} host host_id compute_cluster compute_cluster_id"
STORAGE = "platform storage_key storage"
CLUSTER = "platform compute_cluster compute_cluster_id"
EXPORTER = "instance job"

OF_HOST = {
    'hypervisor_host_info{compute_cluster="<compute_cluster>",compute_cluster_id="<compute_cluster_id>",version="8"}': (
        "1x*"
    )
}
OF_GUEST = {
    'hypervisor_guest_info{host="<host>",host_id="<host_id>",compute_cluster="<compute_cluster>",'
    'compute_cluster_id="<compute_cluster_id>",kind="guest",role="primary"}': "1x*"
}
OF_STORAGE = {'hypervisor_storage_info{storage_key="<storage_key>"}': "1x*"}


@dataclass(frozen=True)
class Story:
    """`below` is what differs where the alert must not fire (None: not there). Minutes are the first that are so.

    `labels` are the names of the alert's labels beside `severity`; `value` is the number as its texts show it.
    """

    alert: str
    series: Mapping[str, str]
    below: Mapping[str, str | None]
    fires: int
    resolves: int
    labels: str
    value: str = ""
    last: str = ""
    """The number just before it resolves, where it is another one."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Labels of the alert that are not the thing's own."""

    @property
    def minutes(self) -> int:
        return self.resolves + 3


@dataclass(frozen=True)
class World:
    """Names of one estate. Two exporters that show it differ in `instance` only."""

    platform: str = "vsphere"
    mark: str = "a"
    odd: str = ""

    def names(self, instance: str = "") -> dict[str, str]:
        things = ("target", "host", "guest", "storage", "compute_cluster")
        ids = ("host_id", "guest_id", "storage_id", "storage_key", "compute_cluster_id")
        parts = ("nic", "disk", "mountpoint")
        return {
            **{name: f"{self.platform} {name} {self.mark}{self.odd}" for name in (*things, *parts)},
            **{name: f"{self.platform}-{name}-{self.mark}" for name in ids},
            "platform": self.platform,
            "instance": f"{self.platform}-{self.mark}{instance}:9221",
            "job": f"{self.platform}-{self.mark}",
        }


def labels_of(key: str, names: Mapping[str, str]) -> dict[str, str]:
    """Labels of a series: what its entity is identified by, the scrape's own, and what the key says."""
    family = FAMILIES[key.partition("{")[0]]
    own = {name: _filled(text, names) for name, text in re.findall(r'(\w+)="([^"]*)"', key)}
    scraped = ("instance", "job")
    known = {*family.all_labels, *scraped}
    assert own.keys() <= known, f"{family.name} has no label {own.keys() - known}"
    found = {name: names[name] for name in (*family.entity.identity, *scraped)}
    if family.entity is Entity.EXPORTER and "instance" in own:
        own["instance"] += names["instance"]
    return {**found, **own}


def _filled(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda found: names[found.group(1)], text)


def written(key: str, labels: Mapping[str, str]) -> str:
    """A series as promtool reads it."""
    inside = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
    return f"{key.partition('{')[0]}{{{inside}}}"


def samples(notation: str, minutes: int) -> list[str]:
    """One for each minute: `1x2 stale _x2 5+2x1` is 1, 1, 1, stale, none, none, 5, 7."""
    found: list[str] = []
    for token in notation.split():
        start, _, times = token.partition("x")
        count = minutes - len(found) if times == "*" else int(times or 0)
        if start in {"_", "stale"}:
            found += [start] * max(count, 1)
            continue
        step = re.fullmatch(r"(-?[\d.]+)(?:([+-][\d.]+))?", start)
        assert step, f"{token} is no sample"
        first, by = float(step[1]), float(step[2] or 0)
        found += [repr(first + by * place) for place in range(count + 1)]
    return found


def scraped(
    series: Mapping[str, str | None],
    world: World,
    minutes: int,
    *,
    missed: int | None = None,
    instances: tuple[str, ...] = ("",),
) -> list[dict[str, str]]:
    """What is scraped of a world; at the minute `missed` the scrape fails."""
    found = []
    for instance in instances:
        names = world.names(instance)
        for key, notation in series.items():
            if notation is None:
                continue
            values = samples(notation, minutes)
            if missed is not None and missed < len(values) and values[missed] != "_":
                values[missed] = "stale"
            found.append({"series": written(key, labels_of(key, names)), "values": " ".join(values)})
    return found
