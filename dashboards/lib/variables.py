"""The choices that dashboards offer, under the same names everywhere, so that links keep them."""

from __future__ import annotations

from dashboards.lib.forms import Variable

_TOLD = "hypervisor_target_interval_seconds"
PLATFORM = Variable("platform", "Platform", f"label_values({_TOLD}, platform)")
TARGET = Variable("target", "Target", f'label_values({_TOLD}{{platform=~"$platform"}}, target)')

CHOSEN = 'platform=~"$platform", target=~"$target"'
"""The selector of what was chosen, for series of any level."""
IN_CLUSTER = f'{CHOSEN}, compute_cluster=~"$compute_cluster"'
ON_HOST = f'{IN_CLUSTER}, host=~"$host"'
"""The same for recorded series of hosts and guests, which say where the thing is."""
OF_GUEST = f'{CHOSEN}, guest=~"$guest"'
"""For raw families of guests, which do not say where the guest is."""

COMPUTE_CLUSTER = Variable(
    "compute_cluster", "Cluster", f"label_values(hypervisor_host_info{{{CHOSEN}}}, compute_cluster)"
)
HOST = Variable("host", "Host", f"label_values(hypervisor_host_info{{{IN_CLUSTER}}}, host)")
GUEST = Variable("guest", "Guest", f"label_values(hypervisor_guest_info{{{ON_HOST}}}, guest)")
STORAGE = Variable("storage", "Storage", f"label_values(hypervisor_storage_info{{{CHOSEN}}}, storage)")
MIN_STEP = Variable(
    "min_step",
    "Least step",
    f'query_result(ceil(1.25 * max({_TOLD}{{group="vitals", {CHOSEN}}})))',
    regex=r"/.* ([0-9.]+) [0-9]+/",
    several=False,
    hidden=True,
)
"""A quarter more than the longest interval of vitals: four of it, which is `$__rate_interval`, are five intervals."""


def rate(family: str, selector: str, *labels: str) -> str:
    """A counter's growth per second, once for each thing, whoever shows it."""
    return f"max by ({', '.join(('target', *labels))}) (rate({family}{{{selector}}}[$__rate_interval]))"


def value(family: str, selector: str, *labels: str) -> str:
    """A gauge, once for each thing, whoever shows it."""
    return f"max by ({', '.join(('target', *labels))}) ({family}{{{selector}}})"
