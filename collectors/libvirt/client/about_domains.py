"""Questions about domains and their snapshots, one call for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.libvirt.answers import Domain, SnapshotName
from collectors.libvirt.client.asking import Asking, domain_of
from collectors.libvirt.client.errors import Gone
from collectors.libvirt.client.flags import Listing
from exporter.errors import Unsupported

_LEAVES = 4
_WITHOUT_DOMAIN = 2


class AboutDomains(Asking):
    """Lists domains, and asks single ones."""

    def domains(self, which: Listing = Listing.ALL) -> list[Domain]:
        """The domains of the host in every state, or those that a filter of the daemon leaves.

        By name: libvirt lists in the order of a hash table, which is another one in each process.
        """
        domains = [domain_of(handle) for handle in self._ask(self._host, "listAllDomains", int(which))]
        return sorted(domains, key=lambda domain: (domain.name, domain.uuid))

    def state(self, domain: Domain) -> Sequence[int]:
        """State and reason."""
        answer: Sequence[int] = self._ask(domain.handle, "state", 0)
        return answer

    def control(self, domain: Domain) -> Sequence[int] | None:
        """Of the way to the domain's monitor: state, details, milliseconds in that state; or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "controlInfo", 0)
        return answer

    def vcpus(self, domain: Domain) -> Sequence[Sequence[int]]:
        """Of each virtual CPU of a running domain: number, state, CPU time (ns), processor."""
        answer: Sequence[Sequence[int]] = self._ask(domain.handle, "vcpus")[0]
        return answer

    def info(self, domain: Domain) -> Sequence[int]:
        """State, most memory (KiB), memory now (KiB), virtual CPUs, CPU time (ns)."""
        answer: Sequence[int] = self._ask(domain.handle, "info")
        return answer

    def memory(self, domain: Domain) -> Mapping[str, int] | None:
        """Memory statistics in KiB, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(domain.handle, "memoryStats")
        return answer

    def block(self, domain: Domain, disk: str) -> Sequence[int] | None:
        """Read requests and bytes, write requests and bytes, errors of a disk, -1 where unknown; or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "blockStats", disk)
        return answer

    def block_sizes(self, domain: Domain, disk: str) -> Sequence[int] | None:
        """Capacity, allocation, physical size of a disk in bytes, or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "blockInfo", disk, 0)
        return answer

    def interface(self, domain: Domain, device: str) -> Sequence[int] | None:
        """Received bytes, packets, errors, drops, then the same sent, -1 where unknown; or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "interfaceStats", device)
        return answer

    def disk_errors(self, domain: Domain) -> Mapping[str, int] | None:
        """Error codes by disk, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(domain.handle, "diskErrors", 0)
        return answer

    def job(self, domain: Domain) -> Mapping[str, object] | None:
        """What the domain is busy with, or None. Asks the monitor of a domain that has a job."""
        answer: Mapping[str, object] | None = self._ask_if_offered(domain.handle, "jobStats", 0)
        return answer

    def xml(self, domain: Domain) -> str:
        """The description of the domain as it runs, else as it would start; without secrets."""
        answer: str = self._ask(domain.handle, "XMLDesc", 0)
        return answer

    def snapshots(self, domain: Domain) -> list[SnapshotName]:
        """The domain's snapshots, name by name where the driver cannot list them at once."""
        try:
            return [SnapshotName(each.getName(), each) for each in self._ask(domain.handle, "listAllSnapshots", 0)]
        except Unsupported:
            names = self._ask(domain.handle, "snapshotListNames", 0)
            return [SnapshotName(name, self._ask(domain.handle, "snapshotLookupByName", name, 0)) for name in names]

    def snapshot_xml(self, snapshot: SnapshotName) -> str:
        """The description of a snapshot."""
        answer: str = self._ask(snapshot.handle, "getXMLDesc", 0)
        return answer

    def current_snapshot(self, domain: Domain) -> str | None:
        """Name of the snapshot the domain is at; None without one, or where the driver cannot say."""
        try:
            answer = self._ask_if_offered(domain.handle, "snapshotCurrent", 0)
        except Gone:
            return None
        return None if answer is None else str(answer.getName())

    def newest_checkpoints(self, domain: Domain) -> list[str]:
        """The descriptions of the domain's checkpoints that no other follows."""
        leaves = self._ask(domain.handle, "listAllCheckpoints", _LEAVES)
        return [self._ask(leaf, "getXMLDesc", _WITHOUT_DOMAIN) for leaf in leaves]
