"""What was read of hosts, guests and clusters put together and handed to the mappings."""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.groups.sampling import Reading
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.attributes import tags
from collectors.vsphere.mapping.cluster import cluster_vitals
from collectors.vsphere.mapping.counters import Readings
from collectors.vsphere.mapping.devices import devices_of
from collectors.vsphere.mapping.guest import (
    SYSTEM,
    GuestView,
    connected,
    guest_facts,
    guest_id,
    guest_name,
    guest_vitals,
)
from collectors.vsphere.mapping.host import HostView, Promise, allocation, host_ids, host_vitals
from collectors.vsphere.mapping.paths import CLUSTER, GUEST, HOST
from collectors.vsphere.mapping.places import Places, network_names, storage_ids
from exporter.model import Cluster, Guest, Host

Quick = Mapping[Ref, Mapping[str, Any]]


class Estate:
    """The estate as one collection saw it."""

    def __init__(self, around: Surroundings, fast: Quick, reading: Reading) -> None:
        self._around, self._fast, self._reading = around, fast, reading
        self._memory = around.memory
        self._places = Places(self._memory.slow, around.lane.service.instance)
        self._hosts = self._memory.of_kind(HOST)
        self._ids = host_ids(self._hosts)

    def seen(self) -> tuple[tuple[Host, ...], tuple[Guest, ...]]:
        """Hosts and guests: all that the inventory has, but for what was gone when samples were asked for."""
        networks = network_names(self._memory.slow)
        out = self._reading.gone
        guests = {
            ref: self._guest(ref, facts, networks)
            for ref, facts in self._memory.of_kind(GUEST).items()
            if ref not in out
        }
        storages = storage_ids(self._memory.slow)
        hosts = [self._host(ref, facts, storages) for ref, facts in self._hosts.items() if ref not in out]
        if self._around.options.system_guests:
            return tuple(hosts), tuple(guests.values())
        return self._without_system(hosts, guests)

    def _without_system(
        self, hosts: Iterable[Host], guests: dict[Ref, Guest]
    ) -> tuple[tuple[Host, ...], tuple[Guest, ...]]:
        """Without vCenter's own agents, which count in their hosts' sums all the same."""
        promised = self._memory.promised
        for ref, guest in guests.items():
            promise = Promise.of(guest)
            if promise is None:
                promised.pop(ref, None)
            else:
                promised[ref] = promise
        of_host: dict[str, list[Promise]] = defaultdict(list)
        for each in promised.values():
            of_host[each.host_id].append(each)
        summed = (dataclasses.replace(host, allocation=allocation(of_host[host.id])) for host in hosts)
        return tuple(summed), tuple(guest for guest in guests.values() if guest.kind != SYSTEM)

    def clusters(self) -> tuple[Cluster, ...]:
        """Every cluster."""
        return tuple(
            cluster_vitals(ref, facts, self._fast.get(ref, {}), self._members(ref), self._places)
            for ref, facts in self._memory.of_kind(CLUSTER).items()
        )

    def _members(self, cluster: Ref) -> list[Mapping[str, Any]]:
        return [facts for facts in self._hosts.values() if facts.get("parent") == cluster]

    # Hosts.

    def _host(self, ref: Ref, facts: Mapping[str, Any], storages: Mapping[str, str]) -> Host:
        view = HostView(ref, self._ids[ref], self._host_readings(ref), storages)
        return host_vitals(view, facts, self._fast.get(ref, {}), self._places)

    def _host_readings(self, ref: Ref) -> Readings:
        """Its samples; where there are no new ones the last, which add nothing to what was counted."""
        sampled, recent = self._reading.samples.get(ref), self._memory.recent
        if not connected(self._hosts[ref]):
            recent.pop(ref, None)
        elif sampled is not None and sampled.timestamps:
            recent[ref] = sampled
        return Readings(HOST, self._memory.counters, recent.get(ref), late=self._late(ref))

    def _late(self, ref: Ref) -> bool:
        """Whether its samples could not be asked for so long that what was counted may no longer be told."""
        asked_at = self._memory.asked_at.get(ref)
        if ref in self._reading.asked or asked_at is None:
            return False
        return time.monotonic() - asked_at > self._around.patience_seconds

    # Guests.

    def _guest(self, ref: Ref, facts: Mapping[str, Any], networks: Mapping[str, str]) -> Guest:
        memory = self._memory
        last = memory.last.get(ref, {})
        known = guest_facts(facts, last)
        identity = guest_id(ref, known, memory.uuids.get(ref, ""))
        if known.get("config.instanceUuid"):
            memory.uuids[ref] = identity
        host: Ref | None = known.get("runtime.host")
        sampled = self._reading.samples.get(ref)
        view = GuestView(
            ref=ref,
            id=identity,
            name=guest_name(self._places, ref, facts, last),
            host=host,
            host_id="" if host is None else self._ids.get(host, ""),
            host_facts={} if host is None else self._hosts.get(host, {}),
            devices=devices_of(known),
            networks=networks,
            tags=tags(memory.upkeep.attributes.get(ref, {})),
            readings=Readings(GUEST, memory.counters, sampled, late=self._late(ref)),
        )
        guest = guest_vitals(view, known, self._fast.get(ref, {}), self._places)
        if sampled is not None:
            sampled.held = ()  # what is made of it takes its place
        return guest
