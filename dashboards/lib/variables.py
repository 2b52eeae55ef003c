"""The choices that every dashboard offers, under the same names, so that links keep them."""

from __future__ import annotations

from dashboards.lib.forms import Variable

PLATFORM = Variable("platform", "Platform", "label_values(hypervisor_target_interval_seconds, platform)")
TARGET = Variable("target", "Target", 'label_values(hypervisor_target_interval_seconds{platform=~"$platform"}, target)')
COMPUTE_CLUSTER = Variable(
    "compute_cluster",
    "Cluster",
    'label_values(hypervisor_host_info{platform=~"$platform", target=~"$target"}, compute_cluster)',
)
HOST = Variable(
    "host",
    "Host",
    'label_values(hypervisor_host_info{platform=~"$platform", target=~"$target", '
    'compute_cluster=~"$compute_cluster"}, host)',
)
GUEST = Variable(
    "guest",
    "Guest",
    'label_values(hypervisor_guest_info{platform=~"$platform", target=~"$target", host=~"$host"}, guest)',
)
MIN_STEP = Variable(
    "min_step",
    "Least step",
    "query_result(ceil(1.25 * max(hypervisor_target_interval_seconds"
    '{group="vitals", platform=~"$platform", target=~"$target"})))',
    regex=r"/.* ([0-9.]+) [0-9]+/",
    several=False,
    hidden=True,
)
"""A quarter more than the longest interval of vitals: four of it, which is `$__rate_interval`, are five intervals."""

CHOSEN = 'platform=~"$platform", target=~"$target"'
"""The selector of what was chosen, for series of any level."""
ON_HOST = f'{CHOSEN}, compute_cluster=~"$compute_cluster", host=~"$host"'
"""The same for recorded series of hosts and guests, which say where the thing is."""
