"""Pieces of PromQL that every rule uses, so that what an expression must not do is decided in one place.

Two exporters may show the same target, and two groups may disagree on a display name for minutes: so a raw family is
always reduced to one series for each thing, and things are joined by `target` and their id.
"""

from __future__ import annotations

from dashboards.rules.settings import Settings

HOST, GUEST, STORAGE, CLUSTER = "host", "guest", "storage", "compute_cluster"
_PLACED = {
    GUEST: "guest, host, host_id, compute_cluster, compute_cluster_id",
    HOST: "host, compute_cluster, compute_cluster_id",
    STORAGE: "storage, storage_key",
}
_PLACES = {
    GUEST: "guest:hypervisor_info:placed",
    HOST: "host:hypervisor_info:placed",
    STORAGE: "storage:hypervisor_info:keyed",
}


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
    return f"({expr})\n* on (target, {level}_id) group_left ({_PLACED[level]}) {_PLACES[level]}"


def held(expr_of_family: str, family: str, group: str, settings: Settings) -> str:
    """What `expr_of_family` says, with `{}` for the family; for a target that is down, what was known of it last."""
    return (
        f"{expr_of_family.format(family)}\n"
        f"or ({expr_of_family.format(f'last_over_time({family}[{settings.held()}])')}\n"
        f'    and on (target) target_group:hypervisor_data_expired:bool{{group="{group}"}} == 1)'
    )
