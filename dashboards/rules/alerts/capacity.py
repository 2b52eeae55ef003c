"""More promised than there is."""

from __future__ import annotations

from dashboards.rules.forms import Alert, Severity
from dashboards.rules.settings import Settings


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """About hosts and clusters."""
    host = "{{ $labels.host }} ({{ $labels.platform }}, {{ $labels.target }})"
    return (
        Alert(
            "HypervisorHostMemoryOvercommitted",
            f"host:hypervisor_memory_overcommit:ratio > {settings.memory_overcommit:g}\n"
            "unless on (target) target:hypervisor_blind_spot:bool == 1",
            Severity.WARNING,
            "host",
            f"Guests of {host} may take {{{{ $value | humanize }}}} times its memory",
            f"The guests of {host} may take {{{{ $value | humanizePercentage }}}} of its memory; "
            f"the limit is {settings.memory_overcommit:.0%}. When they do, the host swaps or guests are killed.",
            for_seconds=1800,
            keep_firing_seconds=900,
            holds=True,
            dashboard="capacity",
        ),
    )
