"""What is known of a target that does not answer counts for a day, and no longer; what was removed stays removed.

Targets and groups are as by default: vitals every 30 s and shown for 75 s, the others every 2 or 5 minutes. Rules are
evaluated every 3 minutes here, so that days pass quickly.
"""

import pytest

from dashboards.rules.forms import Level
from tests.backends.need import need
from tests.rules.bench import Bench
from tests.rules.story import FAMILIES, World, samples, scraped
from tests.rules.test_alerts import ALERTS, NUMBERED

pytestmark = [pytest.mark.backend, pytest.mark.timeout(600)]
HOUR = 60
GROUPS = {"vitals": (30, 75), "storage": (120, 360), "snapshots": (300, 900), "inventory": (600, 1800)}
HELD = {name for name, alert in ALERTS.items() if alert.holds}
FOLLOWS = {
    name
    for name, alert in ALERTS.items()
    if not alert.holds
    and alert.level in {Level.HOST, Level.GUEST}
    # News that end by themselves.
    and name not in {"HypervisorHostRebooted", "HypervisorGuestFlapping"}
}


def target(down):
    """The target's own series: it answers until `down`."""
    told = {"hypervisor_target_up": f"1x{down - 1} 0x*"}
    for group, (interval, _) in GROUPS.items():
        success = f"0+60x{down - 1} {(down - 1) * 60}x*"
        told[f'hypervisor_target_interval_seconds{{group="{group}"}}'] = f"{interval}x*"
        told[f'hypervisor_target_last_success_timestamp_seconds{{group="{group}"}}'] = success
    return told


def interrupted(series, down, minutes):
    """What the exporter shows of things while their target does not answer: the last page until it is too old."""
    found = {}
    for key, notation in series.items():
        values = samples(notation, minutes)
        shown = GROUPS[FAMILIES[key.partition("{")[0]].group or "vitals"][1] // 60
        found[key] = " ".join([*values[: down + shown], "stale"])
    return found


def lasting(series, minutes, until):
    """What is so at the minute `minutes` stays so, and what grows goes on growing."""
    found = {}
    for key, notation in series.items():
        kept = samples(notation, minutes)[:minutes]
        step = float(kept[-1]) - float(kept[-2])
        found[key] = " ".join([*kept, f"{float(kept[-1]) + step!r}{step:+f}x{until - minutes}"])
    return found


def stories(names):
    """One story of each of these alerts."""
    return {story.alert: story for story in reversed(NUMBERED.values()) if story.alert in names}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    need(["promtool"])
    bench = Bench(tmp_path_factory.mktemp("hold"), step="3m")
    for alert, story in stories(HELD | FOLLOWS).items():
        down = max(300, story.fires // 3 * 3 + 30)
        minutes = down + (27 if alert in HELD else 9) * HOUR
        series = interrupted(lasting(story.series, story.fires + 1, minutes), down, minutes)
        hours = {0: 1, 1: 1, 12: 1, 23.75: 1, 24.5: 0} if alert in HELD else {0: 1, 8: 0}
        moments = {int(down + hour * HOUR): number for hour, number in hours.items()}
        bench.count(alert, alert, scraped({**series, **target(down)}, World(), minutes), moments)
    return bench.run()


@pytest.mark.parametrize("alert", sorted(HELD))
def test_what_is_known_of_a_target_that_is_down_counts_for_a_day(verdicts, alert):
    assert not verdicts[alert], verdicts[alert]


@pytest.mark.parametrize("alert", sorted(FOLLOWS))
def test_an_alert_on_what_happens_now_resolves_with_its_target(verdicts, alert):
    assert not verdicts[alert], verdicts[alert]
