"""A session of vSphere's against the simulated vCenter, and what it collects as the core's own parts see it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from collectors.vsphere.session import open_session
from exporter.config.model import Auth, Profile, Target, Tls
from exporter.contract import Context, Deadline, Meter
from exporter.errors import CollectorError
from exporter.model import Cluster, Guest, Host, Observation
from exporter.runtime.ledger import Ledger
from exporter.secrets import SecretSource
from tests.backends.vcenter import PASSWORD, USER, VCenter

ACCOUNT = Auth("monitor", USER, SecretSource("literal", PASSWORD))


def target_of(vcenter: VCenter, ttl: float | None = None, **options: Any) -> Target:
    """The target of a simulated vCenter; `options` are the platform's, `ttl` is how long vitals hold, in seconds."""
    tls = Tls(insecure_skip_verify=True)
    profile = Profile() if ttl is None else Profile(ttl_seconds=(("vitals", ttl),))
    return Target("lab", "vsphere", vcenter.sdk, auth=ACCOUNT, tls=tls, options=options, profile=profile)


class Collected:
    """A session and a ledger that lives as long."""

    def __init__(self, vcenter: VCenter, **options: Any) -> None:
        self.vcenter = vcenter
        self.meter = Meter()
        self.session = open_session(target_of(vcenter, **options), Context(self.meter, logging.getLogger("lab")))
        self.ledger = Ledger()
        self.seen: Observation

    def vitals(self, seconds: float = 60) -> Observation:
        self.seen = self.session.collect("vitals", Deadline.after(seconds))
        return self.seen

    @staticmethod
    def deadline(seconds: float = 60) -> Deadline:
        return Deadline.after(seconds)

    def failing(self, seconds: float = 60) -> CollectorError:
        """The error that a collection ends with."""
        try:
            self.vitals(seconds)
        except CollectorError as error:
            return error
        raise AssertionError("the collection succeeded")

    def guest(self, name: str) -> Guest:
        (found,) = (each for each in self.seen.guests if each.name == name)
        return found

    def host(self, name: str) -> Host:
        (found,) = (each for each in self.seen.hosts if each.name == name)
        return found

    def cluster(self, name: str) -> Cluster:
        (found,) = (each for each in self.seen.clusters if each.name == name)
        return found

    def problems(self) -> dict[str, int]:
        return {each.name: each.count for each in self.seen.problems}

    def settled(self, name: str, read: Callable[[Guest], Any]) -> dict[str, float | None]:
        """A counter of all guests by their names, as the core's ledger has it after this collection."""
        guests = self.seen.guests
        values = self.ledger.settle(name, [each.id for each in guests], [read(each) for each in guests], complete=False)
        return {each.name: value for each, value in zip(guests, values, strict=True)}


@contextmanager
def collecting(vcenter: VCenter, **options: Any) -> Iterator[Collected]:
    """A session that is closed at the end."""
    collected = Collected(vcenter, **options)
    try:
        yield collected
    finally:
        collected.session.close()
