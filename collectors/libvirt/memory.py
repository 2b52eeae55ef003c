"""What a session remembers between collections: descriptions, the host's identity, sizes, freshness of reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collectors.libvirt.mapping.description import Description

UNKNOWN_VCPUS = 8
"""Virtual CPUs taken for a guest that was never asked, when calls are cut to size."""
STALE_PERIODS = 5
STALE_SECONDS = 60
"""A guest's memory report is old after five of its periods, or a minute where the period is not known or shorter."""


class Memory:
    """Written by both lanes, each its own part; what they share is replaced as a whole."""

    def __init__(self) -> None:
        self.descriptions: Mapping[str, Description] = {}
        self.systems: Mapping[str, str] = {}
        """Operating systems as guest agents name them, by guest."""
        self.vcpus: dict[str, int] = {}
        self.layers: Mapping[str, Mapping[str, int]] = {}
        self._hosts: dict[str, str] = {}
        self._reports: dict[str, tuple[int, float]] = {}

    def host_id(self, hostname: str, uuid: str, fallback: str) -> str:
        """The host's UUID as first seen under this name: without SMBIOS libvirtd invents one at each start."""
        if not uuid:
            return self._hosts.get(hostname, fallback)
        return self._hosts.setdefault(hostname, uuid)

    def fresh(self, guest: str, reported: int | None, now: float, period: int | None) -> bool:
        """Whether the guest's memory report is of these minutes.

        A report that differs from the one before is new, whatever the clocks of host and exporter say; the first one
        seen is judged by the clock.
        """
        if reported is None:
            return False
        last, seen = self._reports.get(guest, (None, now))
        if last is None:
            seen = float(reported)
        elif last != reported:
            seen = now
        self._reports[guest] = reported, seen
        return abs(now - seen) <= max(STALE_SECONDS, STALE_PERIODS * (period or 0))

    def forget_all_but(self, guests: Collection[str]) -> None:
        """Drop what concerns guests that are gone."""
        self.vcpus = {guest: count for guest, count in self.vcpus.items() if guest in guests}
        self._reports = {guest: report for guest, report in self._reports.items() if guest in guests}
