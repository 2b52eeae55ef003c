"""The command `platforms`: what is installed, ours and third parties'."""

from __future__ import annotations

import argparse
import sys

from exporter.commands import FAILED, WELL
from exporter.contract import Absent
from exporter.platforms import installed


def platforms(_options: argparse.Namespace) -> int:
    """Print one line per platform; those that cannot be loaded go to stderr and make the command fail."""
    found = installed()
    names = max(map(len, found.platforms), default=0)
    titles = max((len(platform.title) for platform in found.platforms.values()), default=0)
    for name, platform in sorted(found.platforms.items()):
        delivered = sum(not isinstance(support, Absent) for support in platform.support.values())
        families = f"{delivered + len(platform.families)} families"
        print(f"{name:<{names}}  {platform.title:<{titles}}  {families:<12}  {platform.distribution}")
    for broken in found.broken:
        print(f"{broken.name} ({broken.distribution}): {broken.sentence}", file=sys.stderr)
    return FAILED if found.broken else WELL
