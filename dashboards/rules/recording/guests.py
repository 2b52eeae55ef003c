"""Guests: where they are, what they use and what they wait for."""

from __future__ import annotations

import re

from dashboards.rules.expressions import EXCEPTED, GUEST, PLACES, held, one, placed, quoted, rate
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_PLACE = PLACES[GUEST]
_PLACED = """topk by (target, guest_id) (1,
  max by (target, platform, guest_id, guest, host, host_id, compute_cluster_id, compute_cluster)
    (hypervisor_guest_info{kind=~"guest|container",role!="replica"}))"""


def records(settings: Settings) -> tuple[Record, ...]:
    """One series for each guest, or each of its disks."""
    vcpus = one("hypervisor_guest_vcpus", GUEST)
    return (
        Record(_PLACE, held(_PLACE, _PLACED, GUEST, "vitals")),
        *_excepted(settings),
        *(
            Record(
                f"guest:hypervisor_{what}:ratio_rate",
                placed(f"{rate(f'hypervisor_guest_{what}_seconds_total', GUEST, settings)}\n/ {vcpus}", GUEST),
            )
            for what in ("cpu", "cpu_ready", "cpu_costop")
        ),
        Record(
            "guest:hypervisor_memory_swap_in:bytes_rate",
            placed(rate("hypervisor_guest_memory_swap_in_bytes_total", GUEST, settings), GUEST),
        ),
        *(_latency(kind, count, settings) for kind, count in (("read", "reads"), ("write", "writes"))),
        Record(
            "guest:hypervisor_filesystem_used:ratio",
            placed(
                f"1 - {one('hypervisor_guest_filesystem_free_bytes', GUEST, 'mountpoint')}\n"
                f"/ {one('hypervisor_guest_filesystem_size_bytes', GUEST, 'mountpoint')}",
                GUEST,
            ),
        ),
    )


def _excepted(settings: Settings) -> tuple[Record, ...]:
    """The guests that no alert is about, also while their target does not answer."""
    chosen = [f"guest=~{quoted(settings.exclude_guests)}"] if settings.exclude_guests else []
    if settings.exclude_tag:
        chosen.append(f"tags=~{quoted(f'.*,{re.escape(settings.exclude_tag)},.*')}")
    if not chosen:
        return ()
    found = " or ".join(f"hypervisor_guest_info{{{each}}}" for each in chosen)
    return (Record(EXCEPTED, held(EXCEPTED, f"max by (target, guest_id) ({found})", GUEST, "vitals")),)


def _latency(kind: str, count: str, settings: Settings) -> Record:
    """Seconds an operation of a disk takes on average; absent while there are none."""
    seconds = rate(f"hypervisor_guest_disk_{kind}_seconds_total", GUEST, settings, "disk")
    operations = rate(f"hypervisor_guest_disk_{count}_total", GUEST, settings, "disk")
    return Record(
        f"guest_disk:hypervisor_{kind}_latency:seconds_rate", placed(f"{seconds}\n/ ({operations} > 0)", GUEST)
    )
