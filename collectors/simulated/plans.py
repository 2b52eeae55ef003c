"""What never changes about the things of a fleet: sizes, rhythms, fates. Made once per fleet, kept small."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from collectors.simulated.curves import Basis, Rhythm, Train, Weights

GIB = 1024.0**3


class Fate(Enum):
    """What becomes of a host."""

    STEADY = auto()
    CROWDED = auto()
    """Holds more guests than it should, one of which is noisy."""
    FAILING = auto()
    """Fails now and then; its guests are started elsewhere and come back a day later."""
    CUT_OFF = auto()
    """Loses its connection to the management now and then; its guests run on."""
    SPARE = auto()
    """Holds no guests; is in maintenance now and then."""


class Pattern(Enum):
    """How a guest lives."""

    STEADY = auto()
    OFFICE = auto()
    """Runs on working days only."""
    MOVER = auto()
    """Moves from host to host, live."""
    REFUGEE = auto()
    """Lives on a host that fails now and then."""
    OFF = auto()
    PAUSED = auto()
    SUSPENDED = auto()
    CRASHED = auto()
    TEMPLATE = auto()


class Snaps(Enum):
    """Which snapshots a guest has."""

    NONE = auto()
    FORGOTTEN = auto()
    """One, taken long ago; it grows."""
    DAILY = auto()
    """One of each of the last days."""
    TREE = auto()
    """Made by people: a chain with a branch."""
    BACKUP = auto()
    """A backup's own, which is not always taken away."""


@dataclass(slots=True)
class ClusterPlan:
    """A compute cluster."""

    id: str
    name: str
    datacenter: str
    hosts: list[HostPlan] = field(default_factory=list)


@dataclass(slots=True)
class HostPlan:
    """A host."""

    id: str
    name: str
    index: int
    cluster: ClusterPlan
    fate: Fate
    rhythm: Rhythm
    boot: float
    episode: Train
    """When its fate strikes: it is down, cut off or in maintenance."""
    sockets: int = 2
    cores: int = 16
    memory: float = 64 * GIB
    contention: Weights = (0.0, 0.0, 0.0, 0.0, 0.0)
    """Share of a virtual CPU's time that it must wait here."""
    pressure: float = 0.0
    """Share of their memory that guests lack here."""
    native: str = ""

    @property
    def threads(self) -> int:
        """Logical processors."""
        return 2 * self.cores


@dataclass(slots=True)
class StoragePlan:
    """A datastore, pool or volume."""

    id: str
    name: str
    key: str
    shared: bool
    hosts: int
    period: float
    """After so many seconds of filling somebody cleans up."""
    offset: float
    filling: float
    """Share of its disks' capacity that is filled and emptied again."""
    home: str = ""
    """Id of the host that alone has it."""
    outage: Train | None = None
    overhead: float = 40 * GIB
    capacity: float = 0.0


@dataclass(slots=True)
class DiskPlan:
    """A virtual disk."""

    storage: StoragePlan
    capacity: float
    written: float
    """Share of the capacity that is always written."""


@dataclass(slots=True)
class Stay:
    """Where a guest is, and when."""

    host: HostPlan
    train: Train


@dataclass(slots=True)
class GuestPlan:
    """A guest."""

    id: str
    name: str
    index: int
    home: HostPlan
    pattern: Pattern
    vcpus: int
    memory: float
    rhythm: Rhythm
    busy: Weights
    """Share of a virtual CPU's time that it runs."""
    cycle: Train
    """From one boot to the next; for office guests one working day, for refugees from failure to failure."""
    stays: tuple[Stay, ...] = ()
    """Where it is when; empty if it is always at home."""
    resident: tuple[float, float] = (0.5, 0.1)
    """Share of its memory that it always occupies, and that it occupies at its peak beyond."""
    ready: float = 1.0
    """How much of its host's contention it feels."""
    read_rate: float = 1e6
    write_rate: float = 5e5
    network_rate: float = 2e5
    disks: tuple[DiskPlan, ...] = ()
    nics: int = 1
    network: str = ""
    os: str = ""
    agent: bool | None = True
    autostart: bool = True
    rename: str = ""
    """The name it bears half of the time."""
    snaps: Snaps = Snaps.NONE
    snapped: float = 0.0
    """Chance that decides ages and sizes of its snapshots."""
    first_of_its_kind: bool = False
    """Whether it is the first guest of the fleet with such snapshots."""
    replica: bool = False
    limited: bool = False
    tags: str = ""
    boot: tuple[float, Basis, float] | None = None
    """Kept, not part of the plan: the newest boot, integrals at that instant, and contention until then."""

    @property
    def snapshot_bytes(self) -> float:
        """The most that its snapshots may take."""
        return 0.0 if self.snaps is Snaps.NONE or not self.disks else 0.25 * self.disks[0].capacity
