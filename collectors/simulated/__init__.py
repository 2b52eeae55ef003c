"""The platform `simulated`: a living fleet from a seed, the same everywhere, at any instant of its past.

`observe(options, group, instant)` tells what a target of these options shows at an instant; README.md has the rest.
"""

from collectors.simulated.world import observe

__all__ = ["observe"]
