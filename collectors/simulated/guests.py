"""The guests of a fleet: roles, sizes, homes, and what will become of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.simulated import names
from collectors.simulated.curves import BATCHES, DAY, HOUR, MINUTE, ORIGIN, PHASES, WEEK, Rhythm, Train
from collectors.simulated.dice import Dice, identity
from collectors.simulated.plans import GIB, DiskPlan, Fate, GuestPlan, HostPlan, Pattern, Snaps, Stay, StoragePlan

CROWD = 2.2
"""A crowded host gets so many times the guests of another."""
AFTER_FAILURE = 3 * MINUTE
"""So long after its host's failure a guest is started elsewhere."""
REBOOT_SECONDS = 90.0
_RESTLESS_SECONDS = 20 * MINUTE
"""One guest of a fleet moves that often: who looks for a while sees it."""
_LOCAL = 0.2
"""Share of guests on their host's own storage, where it has one."""
_MOST_NASTY_FROM = 12
_DISKS_GIB = (20, 40, 40, 60, 80, 100, 200, 500)
_SNAPS = (Snaps.FORGOTTEN, Snaps.DAILY, Snaps.TREE, Snaps.BACKUP, Snaps.FORGOTTEN, Snaps.TREE)
_FATES_OF_GUESTS = (
    (0.07, Pattern.OFF),
    (0.09, Pattern.SUSPENDED),
    (0.11, Pattern.PAUSED),
    (0.12, Pattern.CRASHED),
    (0.14, Pattern.TEMPLATE),
    (0.22, Pattern.OFFICE),
    (0.30, Pattern.MOVER),
)
_FIRST = (Pattern.STEADY, Pattern.STEADY, Pattern.MOVER, Pattern.OFF, Pattern.OFFICE, Pattern.SUSPENDED,
          Pattern.TEMPLATE, Pattern.PAUSED, Pattern.CRASHED)  # fmt: skip
"""Small estates have one of each, too."""
_QUIET = (Fate.STEADY, Fate.CUT_OFF)
_STILL = (Pattern.OFF, Pattern.PAUSED, Pattern.SUSPENDED, Pattern.CRASHED, Pattern.TEMPLATE)


def plan(
    seed: str, count: int, hosts: Sequence[HostPlan], storages: Mapping[str, Sequence[StoragePlan]], snapshots: int
) -> tuple[GuestPlan, ...]:
    """All guests, those of a host beside each other nowhere: they are dealt out in turn."""
    homes = [host for host in hosts if host.fate is not Fate.SPARE] or list(hosts)
    weights = [CROWD if host.fate is Fate.CROWDED else 1.0 for host in homes]
    dealt = [0.0] * len(homes)
    found: list[GuestPlan] = []
    step = count / snapshots if snapshots else 0.0
    noisy: set[str] = set()
    kinds: set[Snaps] = set()
    restless = False
    for index in range(count):
        turn = min(range(len(homes)), key=lambda number: (dealt[number] / weights[number], number))
        dealt[turn] += 1
        guest = _guest(seed, index, homes[turn], storages[homes[turn].cluster.id])
        if homes[turn].fate is Fate.CROWDED and guest.pattern is Pattern.STEADY and homes[turn].id not in noisy:
            noisy.add(homes[turn].id)
            _make_noisy(guest)
        if not restless and _may_move(guest):
            restless = True
            guest.pattern = Pattern.MOVER
            guest.stays = _route(_quiet(guest.home)[:3], guest.cycle.first, _RESTLESS_SECONDS)
        # Spread evenly, to the last one exactly.
        if snapshots and int((index + 1) / step + 1e-9) > int(index / step + 1e-9):
            guest.snaps = _SNAPS[int((index + 1) / step + 1e-9) % len(_SNAPS)]
            guest.first_of_its_kind = guest.snaps not in kinds
            kinds.add(guest.snaps)
        found.append(guest)
    return tuple(found)


def _guest(seed: str, index: int, home: HostPlan, storages: Sequence[StoragePlan]) -> GuestPlan:
    dice = Dice(seed, "guest", index)
    role, vcpus, memory, system = dice.one_of(names.ROLES)
    pattern = _pattern(index, dice.share(), home)
    first = ORIGIN - dice.between(0, 30 * DAY)
    guest = GuestPlan(
        id=identity(seed, "guest", index),
        name=_name(index, role),
        index=index,
        home=home,
        pattern=pattern,
        vcpus=vcpus if dice.share() < 0.8 else 2 * vcpus,
        memory=memory * GIB,
        rhythm=Rhythm(dice.number(PHASES), dice.number(PHASES), dice.number(PHASES), dice.number(BATCHES)),
        busy=(0.02 + dice.between(0, 0.1), dice.between(0.02, 0.35), dice.between(0, 0.1), dice.between(0, 0.15), 0.0),
        cycle=Train(first, dice.between(30, 150) * DAY, 0.0),
        resident=(dice.between(0.35, 0.75), dice.between(0.0, 0.15)),
        ready=dice.between(0.5, 1.0),
        read_rate=10 ** dice.between(4.5, 6.5),
        write_rate=10 ** dice.between(4.3, 6.3),
        network_rate=10 ** dice.between(4.0, 6.0),
        disks=_disks(dice, storages, home, pattern),
        nics=1 if dice.share() < 0.9 else 2,
        network=dice.one_of(names.NETWORKS),
        os=system,
        agent=None if index % 11 == 10 else index % 17 != 16,
        autostart=dice.share() < 0.9,
        rename=f"{role}-{index + 1:03d}-renamed" if index % 40 == 5 else "",
        snapped=dice.share(),
        replica=index % 6 == 1,
        limited=index % 9 == 0,
        tags=f",{role},{'prod' if index % 3 else 'test'}," if index % 4 else "",
    )
    _settle(guest, dice)
    return guest


def _name(index: int, role: str) -> str:
    nasty = index - _MOST_NASTY_FROM
    return names.NASTY[nasty] if 0 <= nasty < len(names.NASTY) else f"{role}-{index + 1:03d}"


def _pattern(index: int, share: float, home: HostPlan) -> Pattern:
    pattern = next((pattern for below, pattern in _FATES_OF_GUESTS if share < below), Pattern.STEADY)
    if index < len(_FIRST):
        pattern = _FIRST[index]
    if home.fate is Fate.FAILING and pattern not in _STILL:
        return Pattern.REFUGEE
    if pattern is Pattern.MOVER and (home.fate not in _QUIET or len(_quiet(home)) < 2):
        return Pattern.STEADY
    return pattern


def _quiet(home: HostPlan) -> list[HostPlan]:
    """Hosts of the cluster that guests may move between."""
    return [host for host in home.cluster.hosts if host.fate in _QUIET]


def _may_move(guest: GuestPlan) -> bool:
    """Whether the guest runs all the time, on storage that other hosts have too, where guests may move."""
    movable = guest.pattern in (Pattern.STEADY, Pattern.MOVER) and guest.home.fate in _QUIET
    return movable and len(_quiet(guest.home)) > 1 and not guest.disks[0].storage.home


def _disks(dice: Dice, storages: Sequence[StoragePlan], home: HostPlan, pattern: Pattern) -> tuple[DiskPlan, ...]:
    """Up to three on one storage; of those who stay where they are some on their host's own."""
    count = 1 + int(dice.share() < 0.4) + int(dice.share() < 0.1)
    local = [storage for storage in storages if storage.home == home.id]
    stays = pattern in (Pattern.STEADY, Pattern.OFFICE, Pattern.OFF)
    wanted = dice.share() < _LOCAL
    storage = dice.one_of(local if wanted and stays and local else [one for one in storages if one.shared])
    return tuple(DiskPlan(storage, dice.one_of(_DISKS_GIB) * GIB, dice.between(0.15, 0.6)) for _ in range(count))


def _settle(guest: GuestPlan, dice: Dice) -> None:
    """When it boots and where it is, as far as that is not always and at home."""
    if guest.pattern is Pattern.OFFICE:
        opens = ORIGIN + 6 * HOUR + dice.between(0, 2) * HOUR
        # The origin is a Wednesday: days 0, 1, 2 and 5, 6 of a week that begins with it are working days.
        guest.stays = tuple(Stay(guest.home, Train(opens + day * DAY, WEEK, 11 * HOUR)) for day in (0, 1, 2, 5, 6))
    elif guest.pattern is Pattern.MOVER:
        route = _quiet(guest.home)[:3]
        every = dice.between(6, 48) * HOUR
        first = ORIGIN - dice.between(0, 2) * DAY
        guest.stays = _route(route, first, every)
    elif guest.pattern is Pattern.REFUGEE:
        fails = guest.home.episode
        others = [h for h in guest.home.cluster.hosts if h.fate in (Fate.STEADY, Fate.CUT_OFF)]
        others = others or [h for h in guest.home.cluster.hosts if h is not guest.home]
        started = AFTER_FAILURE + dice.between(0, 120)
        back = DAY + dice.between(0, HOUR)
        guest.stays = (
            Stay(dice.one_of(others), Train(fails.first + started, fails.period, back - started)),
            Stay(guest.home, Train(fails.first + back, fails.period, fails.period - back)),
        )
        guest.cycle = Train(fails.first + started, fails.period, 0.0)


def _route(hosts: Sequence[HostPlan], first: float, every: float) -> tuple[Stay, ...]:
    """From host to host and round again."""
    return tuple(
        Stay(host, Train(first + place * every, len(hosts) * every, every)) for place, host in enumerate(hosts)
    )


def _make_noisy(guest: GuestPlan) -> None:
    """While its batch runs, everybody else on its host waits."""
    host = guest.home
    host.rhythm = Rhythm(host.rhythm.day, host.rhythm.week, host.rhythm.texture, guest.rhythm.batch)
    guest.vcpus, guest.ready = 16, 0.1
    guest.busy = (0.03, 0.02, 0.0, 0.02, 0.8)
    guest.name = f"batch-{guest.index + 1:03d}"
