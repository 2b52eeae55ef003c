"""What a collection of a simulated target sees, group by group, at any instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import lru_cache

from collectors.simulated.curves import ORIGIN, Moment, moment
from collectors.simulated.dice import mac
from collectors.simulated.fleet import Fleet, fleet_of
from collectors.simulated.hosts import HostVitals
from collectors.simulated.life import HostUsage, Usage
from collectors.simulated.looks import LOOKS, Look
from collectors.simulated.options import SimulatedOptions
from collectors.simulated.plans import GuestPlan
from collectors.simulated.space import Space
from collectors.simulated.vitals import GuestVitals, display_name
from exporter.catalogue.family import INVENTORY, SNAPSHOTS, STORAGE, VITALS
from exporter.errors import Unsupported
from exporter.model import Cluster, EndpointFacts, Guest, GuestNic, Host, Observation

AGENT = "agent"


class World:
    """A fleet in one look."""

    def __init__(self, fleet: Fleet, look: Look) -> None:
        self.fleet, self.look = fleet, look
        self._guests, self._hosts, self._space = GuestVitals(look), HostVitals(look), Space(fleet, look)
        self._usage = HostUsage(fleet)
        self._groups: Mapping[str, Callable[[Moment], Observation]] = {
            VITALS: self._vitals,
            STORAGE: self._storage,
            SNAPSHOTS: self._snapshots,
            INVENTORY: self._inventory,
            AGENT: self._agent,
        }

    def observe(self, group: str, instant: float) -> Observation:
        """A group at an instant of the simulated clock, in Unix seconds; the same whenever and wherever it is asked."""
        if group not in self._groups or (group == AGENT and AGENT not in self.look.opt_in_groups):
            raise Unsupported(f"{self.look.title}: there is no group {group!r}")
        # Nothing is simulated before the origin.
        return self._groups[group](moment(max(instant, ORIGIN)))

    def _vitals(self, now: Moment) -> Observation:
        usage = Usage(self.fleet, now)
        guests = []
        occupied: dict[str, float] = defaultdict(float)
        for plan in self.fleet.guests:
            life = usage.life(plan)
            guest = self._guests.observe(plan, life, usage, now)
            occupied[life.host.id] += guest.memory.host_used_bytes or 0.0
            guests.append(guest)
        busy = self._usage.busy_seconds(now)
        hosts = (self._hosts.observe(host, now, busy[host.id], occupied[host.id]) for host in self.fleet.hosts)
        clusters: tuple[Cluster, ...] = ()
        if self.look.delivers("hypervisor_cluster_info"):
            clusters = tuple(self._hosts.cluster(cluster, now) for cluster in self.fleet.clusters)
        look = self.look
        facts = EndpointFacts(look.product, look.version, look.api_version)
        return Observation(now.at, tuple(hosts), tuple(guests), clusters=clusters, endpoint=facts)

    def _storage(self, now: Moment) -> Observation:
        files = self.look.delivers("hypervisor_guest_filesystem_size_bytes") and not self.look.opt_in_groups
        guests = tuple(self._space.guest(guest, now.at, filesystems=files) for guest in self.fleet.guests)
        hosts = self._rare(now) or self._hosts_told(STORAGE, now.at)
        return Observation(
            now.at, hosts, guests, self._space.storages(now.at), endpoint=self._endpoint(STORAGE, now.at)
        )

    def _rare(self, now: Moment) -> tuple[Host, ...]:
        if not self.look.delivers("hypervisor_host_migrations"):
            return ()
        usage = Usage(self.fleet, now)
        counts: dict[str, int] = defaultdict(int)
        moving: dict[str, int] = defaultdict(int)
        for plan in self.fleet.guests:
            life = usage.life(plan)
            counts[life.host.id] += life.boot is not None
            moving[life.host.id] += life.migrating
        return tuple(self._hosts.rare(host, counts[host.id], moving[host.id]) for host in self.fleet.hosts)

    def _snapshots(self, now: Moment) -> Observation:
        guests = tuple(self._space.protected(guest, now.at) for guest in self.fleet.guests)
        return Observation(now.at, guests=guests, storages=self._space.snapshots_of_storages(now.at))

    def _inventory(self, now: Moment) -> Observation:
        usage = Usage(self.fleet, now)
        guests = tuple(self._slow_facts(guest, usage, now.at) for guest in self.fleet.guests)
        hosts = self._hosts_told(INVENTORY, now.at)
        return Observation(now.at, hosts, guests, endpoint=self._endpoint(INVENTORY, now.at))

    def _hosts_told(self, group: str, at: float) -> tuple[Host, ...]:
        """Of own families that are not vitals; only hosts of which there is something to tell."""
        tell = self.look.host_told
        if tell is None:
            return ()
        told = ((host, tell(host, group, at)) for host in self.fleet.hosts)
        return tuple(Host(id=host.id, name=host.name, extra=extra) for host, extra in told if extra)

    def _endpoint(self, group: str, at: float) -> EndpointFacts:
        tell = self.look.endpoint_told
        return EndpointFacts() if tell is None else EndpointFacts(extra=tell(self.fleet, group, at))

    def _slow_facts(self, guest: GuestPlan, usage: Usage, at: float) -> Guest:
        look = self.look
        nics = tuple(
            GuestNic(look.words.nic(guest, number), mac(look.words.mac, guest.id, number), guest.network)
            for number in range(guest.nics)
        )
        runs = usage.life(guest).boot is not None
        agents = look.groups_of.get("hypervisor_guest_agent_up") == INVENTORY and runs
        return Guest(
            guest.id,
            display_name(guest, at),
            autostart=guest.autostart if look.delivers("hypervisor_guest_autostart") else None,
            agent_up=guest.agent if agents else None,
            nics=nics,
            extra=look.guest_extra(guest, 0.0) if look.guest_extra is not None and look.name == "vsphere" else {},
        )

    def _agent(self, now: Moment) -> Observation:
        guests = tuple(
            Guest(guest.id, display_name(guest, now.at), filesystems=self._space.filesystems(guest, now.at))
            for guest in self.fleet.guests
        )
        return Observation(now.at, guests=guests)


def world_of(options: SimulatedOptions) -> World:
    """The world of a target; targets of one seed, size and look share it."""
    return _world(options.seed, options.guests, options.hosts, options.snapshots, options.like)


@lru_cache(maxsize=64)
def _world(seed: str, guests: int, hosts: int | None, snapshots: int | None, like: str | None) -> World:
    options = SimulatedOptions(seed=seed, guests=guests, hosts=hosts, snapshots=snapshots, like=like)  # type: ignore[arg-type]
    return World(fleet_of(options), LOOKS[like])


def observe(options: SimulatedOptions | Mapping[str, object], group: str, instant: float) -> Observation:
    """What a collection of the group would see at an instant, in Unix seconds of the simulated clock.

    Takes the options of a target as they stand in a configuration. The answer depends on nothing but the arguments;
    faults are left out. Raises `Unsupported` for a group that the look does not have.
    """
    if not isinstance(options, SimulatedOptions):
        options = SimulatedOptions.model_validate(dict(options))
    return world_of(options).observe(group, instant)
