"""File systems of guests by their agents: an opt-in group, because the agent is asked on a read-write connection."""

from __future__ import annotations

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.errors import AgentSilent, Failed, Gone
from collectors.libvirt.client.patience import Occupied
from collectors.libvirt.client.writing import AGENT_SECONDS, Writing
from collectors.libvirt.findings import OBJECT_INACCESSIBLE
from collectors.libvirt.groups.inventory import read_descriptions
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.agent import filesystems
from exporter.errors import TimedOut, Unsupported
from exporter.model import Guest, GuestFilesystem, Observation

AGENT = "agent"
AGENT_HUNG = "agent_hung"


def collect(around: Surroundings) -> Observation:
    """What the agents say that are connected now.

    Raises `Unsupported` for drivers that reach none, `Forbidden` without a read-write connection.
    """
    writing = around.writing
    if writing is None or around.endpoint.driver() != "qemu":
        raise Unsupported("only QEMU's guests have an agent that libvirt can ask for file systems")
    now = around.now()
    domains = around.endpoint.domains()
    running = [domain for domain in domains if domain.active]
    connected = {uuid for uuid, each in read_descriptions(around, running, among=domains).items() if each.agent_up}
    guests = tuple(
        Guest(id=domain.uuid, name=domain.name, filesystems=found)
        for domain in running
        if domain.uuid in connected and (found := _filesystems(around, writing, domain)) is not None
    )
    return Observation(collected_at=now, guests=guests, problems=around.findings.problems, partial=around.findings.any)


def _filesystems(around: Surroundings, writing: Writing, domain: Domain) -> tuple[GuestFilesystem, ...] | None:
    """The guest's file systems, None where its agent does not tell: the last ones are kept for a while then."""
    seconds = min(AGENT_SECONDS, around.deadline.remaining_seconds)
    if seconds <= 0:  # what the others said is true all the same
        around.findings.note(OBJECT_INACCESSIBLE, f"guest {domain.name!r}: not asked, others took all the time")
        return None
    try:
        return filesystems(writing.filesystems(domain, seconds))
    except (TimedOut, Occupied, AgentSilent) as error:
        hung = not isinstance(error, Occupied) or error.itself
        around.findings.note(AGENT_HUNG if hung else OBJECT_INACCESSIBLE, f"guest {domain.name!r}: {error}")
    except Failed as error:
        around.findings.note(OBJECT_INACCESSIBLE, f"the agent of guest {domain.name!r}: {error}")
    except Gone:
        pass
    return None
