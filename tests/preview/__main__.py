"""Draw every dashboard over simulated fleets: `python -m tests.preview`; what it writes is for a person's eyes.

With `--url` and `--now` an existing Prometheus is asked instead; names of dashboards draw only these.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboards.generate import HERE
from tests.backends import grafana
from tests.backends.processes import find_binary
from tests.backends.prometheus import Prometheus
from tests.preview.asking import View
from tests.preview.estate import INTERVAL, estate
from tests.preview.sheet import pages

OUTPUT = HERE.parent / "build" / "dashboards-preview"
HOURS, SHOWN = 12.5, 6.0
"""How much past there is, and how much of it is shown."""
_EXAMPLES = {"host": ("host", "hypervisor_host_info"), "guest": ("guest", "hypervisor_guest_info")}
"""Pages of one thing are drawn with one chosen, of each platform: there all cannot be."""
_PLATFORMS = ("vsphere", "hyperv", "libvirt", "proxmox")


@contextmanager
def asked(options: argparse.Namespace) -> Iterator[tuple[Prometheus, float]]:
    """A Prometheus, and the last instant that it has everything of."""
    if options.url:
        prometheus = Prometheus([])
        prometheus.url = options.url
        yield prometheus, options.now
        return
    with estate(options.hours) as past:
        yield past.prometheus, past.now


def views(slug: str, prometheus: Prometheus, now: float) -> Iterator[tuple[str, View]]:
    """What of a dashboard is drawn: everything chosen, or a thing of each platform where the page is about one."""

    def view(**chosen: grafana.Choice) -> View:
        return View(prometheus, now, SHOWN * 3600, 2 * INTERVAL, {**grafana.EVERYTHING, **chosen}, INTERVAL)

    if slug not in _EXAMPLES:
        yield slug, view()
        return
    label, family = _EXAMPLES[slug]
    for platform in _PLATFORMS:
        found = prometheus.query(f'{family}{{platform="{platform}"}}', now)
        names = sorted(each.labels[label] for each in found if each.labels.get("kind", "guest") == "guest")
        name = slug if platform == _PLATFORMS[0] else f"{slug}-{platform}"
        yield name, view(**{label: (names[1 % len(names)],)})


def photograph(file: Path, height: int) -> None:
    """The page as a picture, where there is a Chromium."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        subprocess.run(
            [
                *(find_binary("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                *(f"--user-data-dir={profile}", f"--window-size=1624,{height}"),
                *(f"--screenshot={file.with_suffix('.png')}", file.as_uri()),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )


def main() -> int:
    """Draw."""
    parser = argparse.ArgumentParser(prog="python -m tests.preview", description=__doc__)
    parser.add_argument("dashboards", nargs="*", help="slugs; all of them by default")
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--url")
    parser.add_argument("--now", type=float)
    options = parser.parse_args()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    if not find_binary("chromium"):
        print("no chromium here: pages only, no pictures")
    with asked(options) as (prometheus, now):
        for slug, document in grafana.documents().items():
            if options.dashboards and slug not in options.dashboards:
                continue
            for name, view in views(slug, prometheus, now):
                drawn, height = pages(document, view)
                for theme in drawn if name == slug else ("dark",):
                    file = OUTPUT / f"{name}.{theme}.html"
                    file.write_text(drawn[theme])
                    if find_binary("chromium"):
                        photograph(file, height)
            print(f"{slug} is drawn", flush=True)
    print(OUTPUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
