"""What the target is: one host, or a cluster, whose word is taken from one node and from the next if that fails."""

from __future__ import annotations

import time
from collections.abc import Sequence

from collectors.hyperv.client.connection import Connection
from collectors.hyperv.client.errors import NotThere
from collectors.hyperv.client.rows import Row
from collectors.hyperv.client.settings import Address
from collectors.hyperv.findings import MISSING_RIGHT
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.cluster import Node, Owners, identity_of, nodes_of
from collectors.hyperv.mapping.values import Table
from collectors.hyperv.memory import Topology, now
from collectors.hyperv.reach import NODE_SECONDS, Resting
from exporter.errors import (
    AuthenticationFailed,
    CollectorError,
    Forbidden,
    Malformed,
    TimedOut,
    Unreachable,
    Unsupported,
)

FRESH_SECONDS = 60.0
"""Other groups use what vitals have learned of a cluster's nodes so lately."""


def learn(around: Surroundings, *, again: bool) -> Topology:
    """The topology; asked for if it is not known or a cluster, `again` also if it is a single host."""
    known = around.memory.topology
    if known is not None and not known.is_cluster and not again:
        return known
    if known is not None and not again and not around.is_fast and now() - known.learned_at < FRESH_SECONDS:
        return known
    found = _cluster(around, known) if known is not None and known.is_cluster else _first(around)
    around.memory.topology = found
    return found


def _first(around: Surroundings) -> Topology:
    """From the entrance: nobody else is known."""
    connection = around.reach.link(around.lane, around.reach.entrance.address)
    until = _until(around)
    try:
        rows = connection.rows(tables.CLUSTER.query, until)
    except (NotThere, Unsupported, Malformed):
        # A host with the feature installed and no cluster has the classes, and they answer with an error.
        return Topology()
    except Forbidden as error:
        around.findings.note(MISSING_RIGHT, tables.CLUSTER.namespace, str(error))
        return Topology()
    identity, name = identity_of(rows)
    return _told(around, connection, Topology(identity, name), until) if identity else Topology()


def _cluster(around: Surroundings, known: Topology) -> Topology:
    """From any node: first the entrance, then all that were up."""
    unheard: list[CollectorError] = []
    answered = False
    doors = _doors(around, known)
    # Of a target of which nothing answers the core decides when it is asked again, and it has just decided.
    around.rests = not all(around.reach.rests(around.lane, address) for address in doors)
    for address in doors:
        if around.deadline.remaining_seconds <= 0 and unheard:
            break
        try:
            return around.reach.ask(
                around.lane, address, lambda way: _told(around, way, known, _until(around)), rests=around.rests
            )
        except (Unsupported, Forbidden, Malformed) as error:
            answered = True
            unheard.append(error)
        except AuthenticationFailed:
            raise
        except (Unreachable, TimedOut) as error:
            unheard.append(error)
    if not answered and unheard:
        raise next((error for error in unheard if not isinstance(error, Resting)), unheard[0])
    if any(isinstance(error, Forbidden) for error in unheard):
        first = next(error for error in unheard if isinstance(error, Forbidden))
        around.findings.note(MISSING_RIGHT, tables.NODES.namespace, str(first))
    around.findings.unread = True
    # Hosts answer and none has a cluster's service: what was known of the nodes' states holds no more.
    nodes = tuple(Node(node.name) for node in known.nodes)
    return Topology(known.id, known.name, nodes, known.owners, answered=False)


def _doors(around: Surroundings, known: Topology) -> list[Address]:
    addresses = [around.reach.entrance.address]
    addresses += [around.address(node.name) for node in sorted(known.nodes, key=lambda node: not node.contacted)]
    return list(dict.fromkeys(addresses))


def _told(around: Surroundings, connection: Connection, known: Topology, until: float) -> Topology:
    odd: list[str] = []
    nodes = nodes_of(connection.rows(tables.NODES.query, until), odd)
    owners = known.owners
    rows = _optional(around, connection, tables.ROLES, until)
    if rows is not None:
        owners = Owners(rows)
    groups = _optional(around, connection, tables.RESOURCE_GROUPS, until)
    around.odd(odd, f"the cluster {known.name}")
    if not nodes:
        raise Malformed(f"the cluster {known.name} names none of its nodes", "MSCluster_Node")
    around.memory.forget_others({node.name.lower() for node in nodes})
    return Topology(known.id, known.name, tuple(nodes), owners, groups, now())


def _optional(around: Surroundings, connection: Connection, table: Table, until: float) -> Sequence[Row] | None:
    try:
        return connection.rows(table.query, until)
    except (Unsupported, Malformed):
        return None
    except Forbidden as error:
        around.findings.note(MISSING_RIGHT, table.class_name, str(error))
        return None


def _until(around: Surroundings) -> float:
    return time.monotonic() + min(around.deadline.remaining_seconds, NODE_SECONDS)
