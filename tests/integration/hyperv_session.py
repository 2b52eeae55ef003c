"""A session of the platform in front of the WinRM server, and what its pages would show."""

import logging
from contextlib import contextmanager

from collectors.hyperv.platform import PLATFORM
from exporter.catalogue import SHARED
from exporter.catalogue.family import VITALS
from exporter.config.model import Auth, Target
from exporter.contract import Context, Deadline, Meter
from exporter.secrets import SecretSource
from exporter.testing.visit import Visit, with_everything

SECONDS = 20.0
FAMILIES = (*SHARED, *PLATFORM.families)


def target_of(server, **options):
    """The server as a target, entered at its first host."""
    addresses = {site.name: site.host for site in server.sites}
    auth = Auth("monitor", server.user, SecretSource("literal", server.password))
    return Target("hv", "hyperv", server.url, auth=auth, options={"node_addresses": addresses, **options})


@contextmanager
def session_of(server, **options):
    """A session, closed at the end."""
    session = PLATFORM.open(target_of(server, **options), Context(Meter(), logging.getLogger("hv")))
    try:
        yield session
    finally:
        session.close()


def collect(session, group=VITALS, seconds=SECONDS):
    return session.collect(group, Deadline.after(seconds))


@contextmanager
def visit_of(server, **options):
    """A session with the pipelines that make its pages."""
    visit = Visit(PLATFORM, with_everything(target_of(server, **options), PLATFORM), FAMILIES)
    try:
        yield visit
    finally:
        visit.close().returned(SECONDS)


def shown(visit, group=VITALS):
    """Values of one collection by family and the labels that name the thing; fails with the collection's error."""
    collected = visit.collect(group, SECONDS)
    assert collected.error is None, collected.error
    return {(sample.family.name, *_names(sample)): sample.value for sample in collected.samples}


def _names(sample):
    own = [name for name in sample.family.all_labels if name not in ("target", "platform") and not name.endswith("_id")]
    return tuple(sample.labels[name] for name in own if name in sample.labels)


def problems(observation):
    return {problem.name: problem.count for problem in observation.problems}


def guests(observation):
    return {guest.name: guest for guest in observation.guests}
