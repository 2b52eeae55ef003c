"""Pieces of PromQL that every rule uses, so that what an expression must not do is decided in one place.

Two exporters may show the same target, and two groups may disagree on a display name for minutes: so a raw family is
always reduced to one series for each thing, and things are joined by `target` and their id.
"""

from __future__ import annotations

from dashboards.rules.settings import Settings

HELD = "target_group:hypervisor_data_held:bool"
"""1 where nothing newer can be known of a target's group than what was recorded last, 0 where that is too old."""
HOST, GUEST, STORAGE, CLUSTER = "host", "guest", "storage", "compute_cluster"
_PLACED = {
    GUEST: "guest, host, host_id, compute_cluster, compute_cluster_id",
    HOST: "host, compute_cluster, compute_cluster_id",
    STORAGE: "storage, storage_key",
}
ASLEEP = 'max by (target, host_id) (hypervisor_host_state{state="standby"})'
"""1 where power management has sent a host to sleep: it is not up, and nothing is wrong."""
EXCEPTED = "guest:hypervisor_info:excepted"
"""The guests that no alert is to be about; recorded only where there are some."""
ROUTED = "target:hypervisor_info:routed"
"""The operator's labels of a target; recorded only where alerts carry some."""
PLACES = {
    GUEST: "guest:hypervisor_info:placed",
    HOST: "host:hypervisor_info:placed",
    STORAGE: "storage:hypervisor_info:keyed",
}


def quoted(text: str) -> str:
    """A text as PromQL writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def identity(level: str, *more: str) -> str:
    """The labels that tell one thing from another, whoever shows it."""
    return ", ".join(("target", "platform", f"{level}_id", *more))


def one(family: str, level: str, *more: str, selector: str = "", by: str = "max") -> str:
    """A family with one series for each thing."""
    return f"{by} by ({identity(level, *more)}) ({family}{selector})"


def rate(family: str, level: str, settings: Settings, *more: str, selector: str = "") -> str:
    """A counter's growth per second, one series for each thing."""
    return f"max by ({identity(level, *more)}) (rate({family}{selector}[{settings.window()}]))"


def placed(expr: str, level: str) -> str:
    """The same with the labels that say where the thing is; what has no place is left out."""
    return f"({expr})\n* on (target, {level}_id) group_left ({_PLACED[level]}) {PLACES[level]}"


def named(expr: str, level: str) -> str:
    """The same with the thing's name alone: an alert must not begin anew because a guest moved to another host."""
    return f"({expr})\n* on (target, {level}_id) group_left ({level}) {PLACES[level]}"


def held(name: str, expr: str, level: str, group: str) -> str:
    """What `expr` says, recorded as `name`; of a target that tells nothing new, what was recorded last.

    It reads its own last value and not the raw family's: what was removed while the target still answered has none,
    so it does not come back when the target goes down, and no day of samples is read at every evaluation.
    """
    return f'{expr}\nor on (target, {level}_id) ({name} and on (target) {HELD}{{group="{group}"}} == 1)'
