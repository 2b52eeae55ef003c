"""Slow facts of hosts and guests, and a count of guests by somebody else than who lists them."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.hyperv.client.errors import HYPERV_ADMINISTRATORS
from collectors.hyperv.findings import BLIND_SPOT
from collectors.hyperv.groups import hosts, topology
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.settings import GuestSettings
from collectors.hyperv.mapping.snapshots import bare
from collectors.hyperv.mapping.values import Table, is_guid, word
from collectors.hyperv.reach import Reading
from exporter.model import Guest, GuestNic, Observation

TABLES: Sequence[Table] = (*hosts.FACTS, *hosts.SETTINGS, tables.GUEST_NAMES, tables.HEALTH, tables.HYPERVISOR)


def collect(around: Surroundings) -> Observation:
    """The inventory of one target."""
    topology.learn(around, again=True)
    told = hosts.read_hosts(around, TABLES)
    guests: dict[str, Guest] = {}
    for node, reading in told.readings.items():
        hosts.learn_slow(around, node, reading)
        _count(around, node, reading)
        for identity, name in _names(reading):
            if identity not in guests or around.memory.guests.get(identity) == node:
                guests[identity] = _guest(identity, name, around.memory.slow[node].settings.get(identity))
    return Observation(
        around.now,
        guests=tuple(guests.values()),
        problems=around.findings.problems,
        partial=around.findings.unread,
    )


def _names(reading: Reading) -> list[tuple[str, str]]:
    rows = reading.answers.get(tables.GUEST_NAMES, ())
    found = [(word(row, "Name").lower(), word(row, "ElementName")) for row in rows]
    return [(identity, name or identity) for identity, name in found if is_guid(identity)]


def _guest(identity: str, name: str, settings: GuestSettings | None) -> Guest:
    if settings is None:
        return bare(identity, name)
    nics = tuple(GuestNic(nic.nic, nic.mac or None, nic.network) for nic in settings.nics or ())
    return Guest(
        id=identity,
        name=name,
        native_id=identity.upper(),
        described=False,
        autostart=settings.autostart,
        nics=nics,
    )


def _count(around: Surroundings, node: str, reading: Reading) -> None:
    """Whether Hyper-V counts more guests than the account is shown: rights that are missing answer with nothing."""
    if tables.GUEST_NAMES not in reading.answers:
        return
    shown = len(_names(reading))
    odd: list[str] = []
    health = reading.answers.get(tables.HEALTH, [])
    counted = [value for row in health[:1] for field in (tables.HEALTH_OK, tables.HEALTH_CRITICAL)
               if (value := field(row, odd)) is not None]  # fmt: skip
    total = int(sum(counted))
    if not shown and not total:
        partitions = [tables.PARTITION_COUNT(row, odd) for row in reading.answers.get(tables.HYPERVISOR, [])[:1]]
        total = max(0, int(partitions[0] or 0) - 1) if partitions else 0
    host = around.memory.slow[node].facts.name or node
    around.odd(odd, host)
    if total > shown:
        around.findings.unread = True
        sentence = f"{host} has {total} guests and shows {shown}: the account probably lacks {HYPERV_ADMINISTRATORS}"
        around.findings.tell(BLIND_SPOT, total - shown, sentence)
