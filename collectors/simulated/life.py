"""What becomes of hosts and guests at an instant: where they are, since when they run, and what they have used.

Everything is worked out from the plans and the instant; nothing is stepped on from a moment before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import floor
from typing import NamedTuple

from collectors.simulated.curves import Basis, Moment, Weights, basis
from collectors.simulated.fleet import OVERHEAD_CPU, Fleet
from collectors.simulated.guests import REBOOT_SECONDS
from collectors.simulated.plans import Fate, GuestPlan, HostPlan, Pattern
from exporter.model import GuestState, HostState

MIGRATION_SECONDS = 40.0
_CONSTANT = {
    Pattern.OFF: GuestState.STOPPED,
    Pattern.PAUSED: GuestState.PAUSED,
    Pattern.SUSPENDED: GuestState.SUSPENDED,
    Pattern.CRASHED: GuestState.CRASHED,
    Pattern.TEMPLATE: GuestState.STOPPED,
}
_EPISODES = {
    Fate.FAILING: HostState.NOT_RESPONDING,
    Fate.CUT_OFF: HostState.DISCONNECTED,
    Fate.SPARE: HostState.MAINTENANCE,
}


class Life(NamedTuple):
    """A guest at an instant. `boot` is None while it does not run, `seen` False while its host tells nothing."""

    state: GuestState
    host: HostPlan
    boot: float | None = None
    migrating: bool = False
    seen: bool = True


def host_state(host: HostPlan, at: float) -> HostState:
    """How its management sees a host."""
    struck = host.episode.length and host.episode.covers(at)
    return _EPISODES.get(host.fate, HostState.CONNECTED) if struck else HostState.CONNECTED


def host_seen(host: HostPlan, at: float) -> bool:
    """Whether its management learns anything from the host."""
    return host_state(host, at) in (HostState.CONNECTED, HostState.MAINTENANCE)


def host_boot(host: HostPlan, at: float) -> float:
    """When the host was last started."""
    return host.episode.begins(at) + host.episode.length if host.fate is Fate.FAILING else host.boot


def life(guest: GuestPlan, at: float, seen: Mapping[str, bool]) -> Life:
    """Where a guest is and how it is; `seen` tells by id which hosts are."""
    pattern = guest.pattern
    if pattern is Pattern.STEADY:
        found = _steady(guest, at)
    elif pattern is Pattern.MOVER:
        found = _mover(guest, at)
    elif pattern is Pattern.OFFICE:
        found = _office(guest, at)
    elif pattern is Pattern.REFUGEE:
        found = _refugee(guest, at)
    else:
        found = Life(_CONSTANT[pattern], guest.home)
    if not seen[found.host.id]:
        return Life(GuestState.UNKNOWN, found.host, found.boot, seen=False)
    return found


def _steady(guest: GuestPlan, at: float) -> Life:
    boot = guest.cycle.begins(at)
    if at >= boot + guest.cycle.period - REBOOT_SECONDS:
        return Life(GuestState.STOPPED, guest.home)
    return Life(GuestState.RUNNING, guest.home, boot)


def _mover(guest: GuestPlan, at: float) -> Life:
    train = guest.stays[0].train
    stays, left = divmod(at - train.first, train.length)
    host = guest.stays[int(stays) % len(guest.stays)].host
    return _steady(guest, at)._replace(host=host, migrating=left >= train.length - MIGRATION_SECONDS)


def _office(guest: GuestPlan, at: float) -> Life:
    for stay in guest.stays:
        begun = stay.train.begins(at)
        if at - begun < stay.train.length:
            return Life(GuestState.RUNNING, guest.home, begun)
    return Life(GuestState.STOPPED, guest.home)


def _refugee(guest: GuestPlan, at: float) -> Life:
    boot, (away, back) = guest.cycle.begins(at), guest.stays
    if away.train.covers(at):
        leaving = at - away.train.begins(at) >= away.train.length - MIGRATION_SECONDS
        return Life(GuestState.RUNNING, away.host, boot, migrating=leaving)
    if back.train.covers(at):
        return Life(GuestState.RUNNING, guest.home, boot)
    return Life(GuestState.UNKNOWN, guest.home, seen=False)


def dot(weights: Weights, values: Basis) -> float:
    """The weighted sum of a basis."""
    a, b, c, d, e = weights
    return a * values[0] + b * values[1] + c * values[2] + d * values[3] + e * values[4]


def floored(seconds: float) -> float:
    """Down to the millisecond, as hypervisors count: never more than the whole it is part of."""
    return floor(seconds * 1000) / 1000


class Usage:
    """What guests have used at a moment. Made once per observation; what it keeps on plans holds for every moment."""

    def __init__(self, fleet: Fleet, moment: Moment) -> None:
        self._fleet, self._moment = fleet, moment
        self.seen = {host.id: host_seen(host, moment.at) for host in fleet.hosts}
        self.contention = {host.id: dot(host.contention, moment.basis(host.rhythm)) for host in fleet.hosts}
        """Integrals of the hosts' contention."""

    def life(self, guest: GuestPlan) -> Life:
        """The guest at this moment."""
        return life(guest, self._moment.at, self.seen)

    def since_boot(self, guest: GuestPlan, boot: float, now: Basis) -> tuple[Basis, float, float]:
        """Integrals of the guest's own rhythm since its boot, and seconds that its processors ran and waited."""
        known = guest.boot
        if known is None or known[0] != boot:
            known = guest.boot = (boot, basis(guest.rhythm, boot), self._contention_before(guest, boot))
        then = known[1]
        grown = (now[0] - then[0], now[1] - then[1], now[2] - then[2], now[3] - then[3], now[4] - then[4])
        waited = self._contention(guest) - known[2]
        return grown, guest.vcpus * dot(guest.busy, grown), guest.vcpus * guest.ready * waited

    def _contention(self, guest: GuestPlan) -> float:
        """The contention that the guest has met, from some instant on; differences within a life mean something."""
        if guest.pattern is Pattern.MOVER:
            return self._met(guest, self._moment.at)
        if guest.pattern is Pattern.REFUGEE:
            away, back = guest.stays
            at = self._moment.at
            if away.train.covers(at):
                return self.contention[away.host.id]
            returned = back.train.begins(at)
            before = _contention_at(away.host, returned) - _contention_at(guest.home, returned)
            return before + self.contention[guest.home.id]
        return self.contention[guest.home.id]

    def _contention_before(self, guest: GuestPlan, boot: float) -> float:
        if guest.pattern is Pattern.MOVER:
            return self._met(guest, boot)
        host = guest.stays[0].host if guest.pattern is Pattern.REFUGEE else guest.home
        return _contention_at(host, boot)

    @staticmethod
    def _met(guest: GuestPlan, at: float) -> float:
        return sum(dot(stay.host.contention, stay.train.basis(stay.host.rhythm, at)) for stay in guest.stays)


def _contention_at(host: HostPlan, at: float) -> float:
    return dot(host.contention, basis(host.rhythm, at))


class HostUsage:
    """Processor time of hosts: what their guests have used there since the host was started, and their own."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._visits: dict[str, list[tuple[GuestPlan, int]]] = defaultdict(list)
        """By host: the guests that are ever there, and which of their stays that is; -1 for always."""
        for guest in fleet.guests:
            if guest.stays:
                for number, stay in enumerate(guest.stays):
                    self._visits[stay.host.id].append((guest, number))
            elif guest.pattern is Pattern.STEADY:
                self._visits[guest.home.id].append((guest, -1))
        self._before: dict[str, tuple[float, float]] = {}

    def busy_seconds(self, moment: Moment) -> dict[str, float]:
        """By host id; for hosts that are down, too."""
        return {host.id: self._busy(host, moment) for host in self._fleet.hosts}

    def _busy(self, host: HostPlan, moment: Moment) -> float:
        visits = self._visits[host.id]
        boot = host_boot(host, moment.at)
        known = self._before.get(host.id)
        if known is None or known[0] != boot:
            known = self._before[host.id] = (boot, sum(_used(guest, number, boot) for guest, number in visits))
        now = 0.0
        for guest, number in visits:
            if number < 0:
                now += guest.vcpus * dot(guest.busy, moment.basis(guest.rhythm))
            else:
                now += _used(guest, number, moment.at)
        return OVERHEAD_CPU * host.threads * (moment.at - boot) + now - known[1]


def _used(guest: GuestPlan, number: int, at: float) -> float:
    if number < 0:
        return guest.vcpus * dot(guest.busy, basis(guest.rhythm, at))
    return guest.vcpus * dot(guest.busy, guest.stays[number].train.basis(guest.rhythm, at))
