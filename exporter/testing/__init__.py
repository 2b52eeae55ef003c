"""The contract suite, for our platforms and everyone's: `python -m exporter.testing --platform NAME`.

A platform hands over a `World` behind an entry point of the group `hypervisor_exporter.testing`; docs/contract.md says
how. This module and `world` need no pytest; the rest comes with the extra `testing`.
"""

from exporter.testing.world import ENTRY_POINTS, Unavailable, World

__all__ = ["ENTRY_POINTS", "Unavailable", "World"]
