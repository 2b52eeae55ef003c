"""All of it at a glance: what is wrong, and where."""

from __future__ import annotations

from dashboards.lib.forms import Dashboard, Row, Unit
from dashboards.lib.panels import course, limits, number
from dashboards.lib.variables import CHOSEN, MIN_STEP, PLATFORM, TARGET
from dashboards.rules.settings import Settings


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "fleet",
        "Fleet overview",
        "All hypervisors at a glance: what is wrong, and where.",
        (
            Row(
                "Is everything there?",
                (
                    number(
                        "Targets that do not answer",
                        "Endpoints whose last collection did not reach them.",
                        f"count(max by (target, platform) (hypervisor_target_up{{{CHOSEN}}}) == 0) or vector(0)",
                        warns=limits(critical=1),
                    ),
                    number(
                        "Guests that run",
                        "Guests that run now; one that is moving counts once.",
                        f"sum(max by (guest_id) (hypervisor_guest_running{{{CHOSEN}}}))",
                    ),
                ),
            ),
            Row(
                "Is it busy?",
                (
                    course(
                        "How busy are the hosts' CPUs?",
                        "The busiest host and the mean of all, by platform.",
                        (
                            f"max by (platform) (host:hypervisor_cpu_busy:ratio_rate{{{CHOSEN}}})",
                            "{{platform}} busiest",
                        ),
                        (f"avg by (platform) (host:hypervisor_cpu_busy:ratio_rate{{{CHOSEN}}})", "{{platform}} mean"),
                        unit=Unit.SHARE,
                        warns=limits(settings.host_cpu),
                        highest=1,
                    ),
                ),
            ),
        ),
        (PLATFORM, TARGET, MIN_STEP),
    )
