"""What agents tell of guests: an opt-in group, because an agent is asked on a read-write connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.errors import AgentSilent, Failed, Gone
from collectors.libvirt.client.patience import Occupied
from collectors.libvirt.client.writing import AGENT_SECONDS, Writing
from collectors.libvirt.findings import OBJECT_INACCESSIBLE
from collectors.libvirt.groups.inventory import read_descriptions
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.agent import filesystems, operating_system
from exporter.errors import TimedOut, Unsupported
from exporter.model import Guest, Observation

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
    told = {
        domain: found
        for domain in running
        if domain.uuid in connected and (found := _told(around, writing, domain)) is not None
    }
    _remember_systems(around, running, told)
    guests = tuple(
        Guest(id=domain.uuid, name=domain.name, filesystems=filesystems(found)) for domain, found in told.items()
    )
    return Observation(collected_at=now, guests=guests, problems=around.findings.problems, partial=around.findings.any)


def _remember_systems(
    around: Surroundings, running: Collection[Domain], told: Mapping[Domain, Mapping[str, object]]
) -> None:
    """What vitals say of a guest's operating system: the agent's word as long as the guest runs."""
    known = around.memory.systems
    systems = {domain.uuid: known[domain.uuid] for domain in running if domain.uuid in known}
    around.memory.systems = systems | {domain.uuid: operating_system(found) for domain, found in told.items()}


def _told(around: Surroundings, writing: Writing, domain: Domain) -> Mapping[str, object] | None:
    """What the guest's agent says, None where it says nothing: the last file systems are kept for a while then."""
    seconds = min(AGENT_SECONDS, around.deadline.remaining_seconds)
    if seconds <= 0:  # what the others said is true all the same
        around.findings.note(OBJECT_INACCESSIBLE, f"guest {domain.name!r}: not asked, others took all the time")
        return None
    try:
        return writing.told(domain, seconds)
    except (TimedOut, Occupied, AgentSilent) as error:
        hung = not isinstance(error, Occupied) or error.itself
        around.findings.note(AGENT_HUNG if hung else OBJECT_INACCESSIBLE, f"guest {domain.name!r}: {error}")
    except Failed as error:
        around.findings.note(OBJECT_INACCESSIBLE, f"the agent of guest {domain.name!r}: {error}")
    except Gone:
        pass
    return None
