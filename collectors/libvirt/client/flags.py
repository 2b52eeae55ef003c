"""The numbers that libvirt's calls take, by name: its ABI, while several names are younger than what we run on."""

from __future__ import annotations

from enum import IntFlag


class Stats(IntFlag):
    """Groups of bulk statistics (virDomainStatsTypes)."""

    STATE = 1
    BALLOON = 4
    VCPU = 8
    INTERFACE = 16
    BLOCK = 32


class Listing(IntFlag):
    """Which domains a list names (virConnectListAllDomainsFlags)."""

    ALL = 0
    TRANSIENT = 8
    MANAGED_SAVE = 256
    AUTOSTART = 1024
    HAS_SNAPSHOT = 4096
    HAS_CHECKPOINT = 16384


class How(IntFlag):
    """Flags of a bulk call (virConnectGetAllDomainStatsFlags)."""

    PLAIN = 0
    ACTIVE = 1
    NOWAIT = 1 << 29
    BACKING = 1 << 30
