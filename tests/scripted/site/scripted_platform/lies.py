"""What an answer can be instead of true, by the fault's kind: functions of the healthy observation. No I/O."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from exporter.errors import Forbidden
from exporter.model import Guest, GuestMemory, GuestState, Observation, Parts, Problem
from scripted_platform.counters import Clock, samples, without_part
from scripted_platform.estate import host_name, identity
from scripted_platform.script import Fault, Script

_TEN_MEGABYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Scene:
    """The healthy answer to a call, and what it was made from."""

    seen: Observation
    group: str
    script: Script
    clock: Clock


def flood(scene: Scene, fault: Fault) -> Observation:
    """`guests` copies of the first guest under other names, or `series` marks on the first one."""
    first = scene.seen.guests[0]
    if series := int(fault.options.get("series", 0)):
        marked = replace(first, extra=dict.fromkeys((f"flood-{n}" for n in range(series)), 1.0))
        return replace(scene.seen, guests=(marked, *scene.seen.guests[1:]))
    copies = (replace(first, id=f"flood-{n:08d}", name=f"flood-{n}") for n in range(int(fault.options["guests"])))
    return replace(scene.seen, guests=(*scene.seen.guests, *copies))


def lie(scene: Scene, fault: Fault) -> Observation:
    """The lie `what` about the first `guests` guests, one by default."""
    count = int(fault.options.get("guests", 1))
    tell = LIES[fault.options["what"]]
    liars = tuple(tell(guest) for guest in scene.seen.guests[:count])
    return replace(scene.seen, guests=(*liars, *scene.seen.guests[count:]))


def repeat(scene: Scene, _fault: Fault) -> Observation:
    """Every guest twice, with the same id."""
    return replace(scene.seen, guests=scene.seen.guests * 2)


def half(scene: Scene, fault: Fault) -> Observation:
    """Only the first guests, the others as a problem: `problem` names it, `keep` says how many guests stay."""
    keep = int(fault.options.get("keep", len(scene.seen.guests) // 2))
    missing = len(scene.seen.guests) - keep
    problem = Problem(fault.options.get("problem", "object_inaccessible"), missing, "scripted: half an answer")
    return replace(scene.seen, guests=scene.seen.guests[:keep], problems=(problem,), partial=True)


def vanish(scene: Scene, fault: Fault) -> Observation:
    """The last `guests` guests are gone, and that is complete."""
    return replace(scene.seen, guests=scene.seen.guests[: -int(fault.options.get("guests", 1))])


def lose_right(scene: Scene, fault: Fault) -> Observation:
    """The account lacks `right`: for the whole group, or with `partial` for the guests' counters only."""
    right = fault.options.get("right", "Scripted.Read")
    if not fault.options.get("partial"):
        raise Forbidden(f"the account lacks the right {right}", right)
    bare = tuple(replace(guest, cpu=replace(guest.cpu, seconds=None), disks=(), nics=()) for guest in scene.seen.guests)
    problem = Problem("missing_right", len(bare), f"the account lacks the right {right}")
    return replace(scene.seen, guests=bare, problems=(problem,), partial=True)


def migrate(scene: Scene, fault: Fault) -> Observation:
    """The first guest is on two hosts: the running copy, and the one that comes in. `arrived`: only the other host."""
    first, other = scene.seen.guests[0], host_name(scene.script, 1)
    there = replace(first, host=other, host_id=identity(scene.script, other), native_id="g-1-incoming")
    if fault.options.get("arrived"):
        return replace(scene.seen, guests=(there, *scene.seen.guests[1:]))
    incoming = replace(there, state=GuestState.MIGRATING, migrating=None, disks=(), nics=(), memory=GuestMemory())
    incoming = replace(incoming, cpu=replace(first.cpu, seconds=None, ready_seconds=None))
    return replace(scene.seen, guests=(incoming, replace(first, migrating=True), *scene.seen.guests[1:]))


def lose_vcpu(scene: Scene, fault: Fault) -> Observation:
    """The first guest's last virtual CPU is `unknown` this time, or `gone` for good."""
    first = scene.seen.guests[0]
    last = str(scene.script.vcpus - 1)
    complete = fault.options.get("how", "unknown") == "gone"
    seconds = Parts(without_part(first.cpu.seconds, last), complete=complete)
    cpu = replace(first.cpu, seconds=seconds, vcpus=scene.script.vcpus - 1 if complete else scene.script.vcpus)
    return replace(scene.seen, guests=(replace(first, cpu=cpu), *scene.seen.guests[1:]))


def reboot(scene: Scene, fault: Fault) -> Observation:
    """The first guest was booted when the fault began: its parts count from zero, in another epoch."""
    first, since = scene.seen.guests[0], scene.clock.seconds - (fault.at or 0.0)
    share = scene.script.cpu_rate / scene.script.vcpus
    seconds = Parts({str(part): share * since for part in range(scene.script.vcpus)}, epoch=f"boot-{fault.at}")
    return replace(scene.seen, guests=(replace(first, cpu=replace(first.cpu, seconds=seconds)), *scene.seen.guests[1:]))


def gaps(scene: Scene, _fault: Fault) -> Observation:
    """Every other sample of the first guest's CPU is missing."""
    first = scene.seen.guests[0]
    seconds = samples(scene.script, scene.clock, scene.script.cpu_rate, gaps=True)
    return replace(scene.seen, guests=(replace(first, cpu=replace(first.cpu, seconds=seconds)), *scene.seen.guests[1:]))


def garbage(_scene: Scene, fault: Fault) -> Any:
    """No observation at all."""
    return {"none": None, "text": "N/A", "list": []}[fault.options.get("what", "none")]


def _cpu(**values: Any) -> Callable[[Guest], Guest]:
    return lambda guest: replace(guest, cpu=replace(guest.cpu, **values))


LIES: Mapping[str, Callable[[Guest], Guest]] = {
    "nan": _cpu(seconds=math.nan, vcpus=math.nan),
    "infinite": _cpu(seconds=math.inf, vcpus=-math.inf),
    "negative": _cpu(seconds=-1.0),
    "falling": _cpu(seconds=1.0),
    "enormous": _cpu(seconds=10**400),
    "text": _cpu(seconds="N/A", vcpus="N/A"),
    "object": _cpu(seconds=object()),
    "no_name": lambda guest: replace(guest, name=None),
    "no_id": lambda guest: replace(guest, id=None),
    "empty_name": lambda guest: replace(guest, name=""),
    "surrogate": lambda guest: replace(guest, name="broken \udcff name"),
    "control": lambda guest: replace(guest, name='a "quoted"\n\\ name\x00\x1b[31m'),
    "long_label": lambda guest: replace(guest, name="x" * _TEN_MEGABYTES),
    "no_disk": lambda guest: replace(guest, disks=None),
    "bad_state": lambda guest: replace(guest, state="N/A"),
}

CHANGES: Mapping[str, Callable[[Scene, Fault], Any]] = {
    "flood": flood,
    "lie": lie,
    "repeat": repeat,
    "half": half,
    "vanish": vanish,
    "lose_right": lose_right,
    "migrate": migrate,
    "lose_vcpu": lose_vcpu,
    "reboot": reboot,
    "gaps": gaps,
    "garbage": garbage,
}
