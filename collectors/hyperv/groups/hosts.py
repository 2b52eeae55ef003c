"""Reading hosts: the tables of a group from every host that is asked, slow facts where they are not known yet."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from collectors.hyperv.client.connection import Connection
from collectors.hyperv.client.errors import EXECUTE_METHODS, REMOTE_MANAGEMENT_USERS
from collectors.hyperv.findings import INACCESSIBLE, MALFORMED, MISSING_RIGHT, NODE_UNREAD
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.host import HostFacts, host_facts
from collectors.hyperv.mapping.settings import as_before, settings_of
from collectors.hyperv.mapping.values import Table
from collectors.hyperv.memory import Slow, now
from collectors.hyperv.reach import Reading, denied
from exporter.errors import AuthenticationFailed, CollectorError, Forbidden, Malformed, Unreachable

FACTS: Sequence[Table] = (tables.COMPUTER, tables.PRODUCT, tables.PACKAGES, tables.PHYSICAL_ADAPTERS)
SETTINGS: Sequence[Table] = (
    tables.SYSTEMS,
    tables.MEMORY_SETTINGS,
    tables.PROCESSOR_SETTINGS,
    tables.DISK_FILES,
    tables.CONTROLLERS,
    tables.ADAPTER_SETTINGS,
    tables.PORT_SETTINGS,
)
AGAIN_SECONDS = 60.0
"""Settings are read out of turn this often at most."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the hosts of a target have answered, and why others have not, by node."""

    readings: Mapping[str, Reading]
    errors: Mapping[str, CollectorError]


Then = Callable[[str, Connection, float, Reading], None]


def read_hosts(around: Surroundings, wanted: Sequence[Table], then: Then | None = None) -> Told:
    """Ask every host; `then` may ask one of them more, in its own thread, once its tables are there.

    Raises the error of a single host, or of a cluster whose nodes have all failed, where nothing at all was read.
    """

    def ask(node: str, connection: Connection, until: float) -> Reading:
        reading = around.read(connection, wanted, until)
        if then is not None and reading.error is None and reading.answers:
            then(node, connection, until, reading)
        return reading

    hosts = around.hosts()
    readings, errors = around.reach.every(around.lane, hosts, around.deadline, ask, rests=around.rests)
    for node, reading in list(readings.items()):
        if not reading.answers and not reading.lacking:
            _note_rights(around, node, reading)
            errors[node] = reading.error or _first(reading)
            del readings[node]
    errors = {node: _with_remedy(node, error) for node, error in errors.items()}
    if not readings and errors:
        raise _worst(errors)
    for node, reading in readings.items():
        _note(around, node, reading)
    for node, error in errors.items():
        around.findings.note(NODE_UNREAD, node, f"{node}: {error}")
    return Told(readings, errors)


def _with_remedy(node: str, error: CollectorError) -> CollectorError:
    """A cluster names its nodes as it likes: an address that nobody knows was made by us."""
    if node and isinstance(error, Unreachable) and isinstance(error.__cause__, socket.gaierror):
        return Unreachable(f"{error} If not, options.node_address or node_addresses says where nodes answer")
    return error


def _first(reading: Reading) -> CollectorError:
    return next(iter(reading.failures.values()), Malformed("a host has answered nothing that was asked"))


def _worst(errors: Mapping[str, CollectorError]) -> CollectorError:
    """One for all: refused credentials only where no host accepts them, else what most of them say."""
    found = list(errors.values())
    if all(isinstance(each, AuthenticationFailed) for each in found):
        return found[0]
    return next(each for each in found if not isinstance(each, AuthenticationFailed))


def _note(around: Surroundings, node: str, reading: Reading) -> None:
    """Every failure of a host that has answered something."""
    where = f"{node}: " if node else ""
    for table, error in reading.failures.items():
        problem = INACCESSIBLE
        if isinstance(error, Forbidden):
            problem = MISSING_RIGHT
        elif isinstance(error, Malformed):
            problem = MALFORMED
        around.findings.note(problem, (node, table.class_name), f"{where}{table.class_name}: {error}")
    _note_rights(around, node, reading)


def _note_rights(around: Surroundings, node: str, reading: Reading) -> None:
    """Remember what the account lacks; rights for methods are seen elsewhere."""
    known = around.memory.denied
    refused = {each.right: each.namespace for each in denied(reading)}
    spoken = {"", *(table.namespace for table in reading.answers)} if reading.answers else set()
    if refused and not reading.answers and len({*refused.values()}) > 1:
        known[node, REMOTE_MANAGEMENT_USERS] = ""
        return
    for held, right in [key for key in known if key[0] == node and not key[1].startswith(EXECUTE_METHODS)]:
        if right not in refused and known[held, right] in spoken:
            known.pop((held, right), None)
    if (node, REMOTE_MANAGEMENT_USERS) not in known:
        known.update({(node, right): namespace for right, namespace in refused.items()})


# Slow facts.


def learn_slow(around: Surroundings, node: str, reading: Reading) -> None:
    """Keep the slow facts that a host has told; what it could not tell this time stays as it was."""
    odd: list[str] = []
    before = around.memory.slow.get(node)
    facts = host_facts(reading.answers, odd) if tables.COMPUTER in reading.answers else _facts(before)
    settings = dict(before.settings) if before is not None else {}
    if tables.SYSTEMS in reading.answers:
        settings = as_before(settings_of(reading.answers, odd), settings, reading.answers)
    around.odd(odd, node or facts.name)
    around.memory.learn(node, Slow(facts, settings, now()))


def _facts(before: Slow | None) -> HostFacts:
    return before.facts if before is not None else HostFacts()


def missing(around: Surroundings, node: str, *, unsettled: bool) -> Sequence[Table]:
    """Slow tables to ask besides: all where nothing is known, settings where something new has turned up."""
    if node not in around.memory.slow:
        return (*FACTS, *SETTINGS)
    last = around.memory.again_at.get(node)
    if unsettled and (last is None or now() - last >= AGAIN_SECONDS):
        around.memory.again_at[node] = now()
        return SETTINGS
    return ()


def with_slow(around: Surroundings, unsettled: Callable[[str, Reading], bool] | None = None) -> Then:
    """A `then` of `read_hosts` that asks for slow facts where they are needed and keeps them."""

    def then(node: str, connection: Connection, until: float, reading: Reading) -> None:
        new = unsettled is not None and unsettled(node, reading)
        wanted = missing(around, node, unsettled=new)
        if wanted:
            slow = around.read(connection, wanted, until)
            learn_slow(around, node, slow)
            reading.merge(slow)

    return then
