"""The choices that dashboards offer, under the same names everywhere, so that links keep them."""

from __future__ import annotations

from dataclasses import replace

from dashboards.lib.forms import Variable

_TOLD = "hypervisor_target_interval_seconds"


def among(name: str) -> str:
    """The matcher of a label for what was chosen of it.

    A raw string, because Grafana up to 13 does not escape the quotes of a name for a string in quotes.
    """
    return f"{name}=~`${{{name}:regex}}`"


OF_PLATFORM = among("platform")
CHOSEN = f"{OF_PLATFORM}, {among('target')}"
"""The selector of what was chosen, for series of any level."""
IN_CLUSTER = f"{CHOSEN}, {among('compute_cluster')}"
ON_HOST = f"{IN_CLUSTER}, {among('host')}"
"""The same for recorded series of hosts and guests, which say where the thing is."""
OF_HOST = f"{CHOSEN}, {among('host')}"
OF_GUEST = f"{CHOSEN}, {among('guest')}"
"""For families of hosts and guests as the exporter shows them, which do not say where the thing is."""
OF_STORAGE = f"{OF_PLATFORM}, {among('storage')}"
OF_NAMED_CLUSTER = f'{among("compute_cluster")}, compute_cluster_id!=""'
"""Storage and clusters may be seen by several targets, so their recorded series name none; what follows chooses."""
SEEN_STORAGE = f"\nand on (platform, storage_key) storage:hypervisor_info:keyed{{{CHOSEN}}}"
SEEN_CLUSTER = f"\nand on (platform, compute_cluster_id) host:hypervisor_info:placed{{{CHOSEN}}}"

PLATFORM = Variable("platform", "Platform", f"label_values({_TOLD}, platform)")
TARGET = Variable("target", "Target", f"label_values({_TOLD}{{{OF_PLATFORM}}}, target)")
COMPUTE_CLUSTER = Variable(
    "compute_cluster", "Cluster", f"label_values(hypervisor_host_info{{{CHOSEN}}}, compute_cluster)"
)
HOST = Variable("host", "Host", f"label_values(hypervisor_host_info{{{IN_CLUSTER}}}, host)")
GUEST = Variable("guest", "Guest", f"label_values(hypervisor_guest_info{{{ON_HOST}}}, guest)")
STORAGE = Variable("storage", "Storage", f"label_values(hypervisor_storage_info{{{CHOSEN}}}, storage)")
THE_HOST, THE_GUEST = replace(HOST, everything=False), replace(GUEST, everything=False)
"""On the pages of one thing: one, or a few to compare, but never all of them."""
GUEST_OF_TARGET = replace(GUEST, query=f"label_values(hypervisor_guest_info{{{CHOSEN}}}, guest)")
MIN_STEP = Variable(
    "min_step",
    "Least step",
    f'query_result(ceil(1.25 * max({_TOLD}{{group="vitals", {CHOSEN}}})) or vector(38))',
    regex=r"/.* ([0-9.]+) [0-9]+/",
    several=False,
    hidden=True,
)
"""A quarter more than the longest interval of vitals: four of it, which is `$__rate_interval`, are five intervals.

Where there are no targets yet it is that of 30 s: without a number every panel would show an error.
"""


def rate(family: str, selector: str, *labels: str) -> str:
    """A counter's growth per second, once for each thing, whoever shows it."""
    return f"max by ({', '.join(('target', *labels))}) (rate({family}{{{selector}}}[$__rate_interval]))"


def value(family: str, selector: str, *labels: str) -> str:
    """A gauge, once for each thing, whoever shows it."""
    return f"max by ({', '.join(('target', *labels))}) ({family}{{{selector}}})"


def top(number: int, recorded: str, seen: str = "") -> str:
    """The recorded series that were highest within the time shown: the same ones from its start to its end."""
    return f"{recorded}\nand topk({number}, max_over_time({recorded}[$__range] @ end()){seen})"


def last_placed(selector: str) -> str:
    """Where a guest is, once: after a restart of Prometheus its place before a move is seen for minutes too."""
    return f"topk by (target, guest_id) (1, guest:hypervisor_info:placed{{{selector}}})"
