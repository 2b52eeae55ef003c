"""Whether a target may be asked now: back-off with full jitter, and the lock after refused credentials. Pure, no clock.

The supervisor feeds it the outcomes of vitals, and refused credentials of any group.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

AUTH_LOCK_SECONDS = 30 * 60
LEAST_CAP_SECONDS = 120.0
FAILURES = frozenset({"unreachable", "timed_out"})


@dataclass
class Breaker:
    """State of one target. Back-off grows from `base_seconds`, its vitals interval, to the larger of 2 min and that."""

    base_seconds: float
    state: str = "closed"
    failures: int = 0
    _until: float = 0.0
    _fingerprint: str = ""
    _random: random.Random = field(default_factory=random.Random)

    def allows(self, now: float, fingerprint: str) -> bool:
        """Whether a collection may be attempted at monotonic time `now`, with the secret as it is now.

        The first attempt that is allowed after a back-off or a lock makes the breaker half open.
        """
        if self.state == "auth_locked" and fingerprint != self._fingerprint:
            self._until = now
        if self.state in ("open", "auth_locked"):
            if now < self._until:
                return False
            self.state = "half_open"
        return True

    def record(self, outcome: str, now: float, fingerprint: str) -> None:
        """Learn how an attempt ended."""
        if outcome == "auth_failed":
            self.failures += 1
            self.state, self._until, self._fingerprint = "auth_locked", now + AUTH_LOCK_SECONDS, fingerprint
        elif outcome in FAILURES:
            self.failures += 1
            cap = max(LEAST_CAP_SECONDS, self.base_seconds)
            # The exponent is bounded: after a week of failures 2**failures would no longer fit a float.
            highest = min(cap, self.base_seconds * 2 ** min(self.failures - 1, 16))
            self.state, self._until = "open", now + self._random.uniform(0, highest)
        else:
            self.state, self.failures = "closed", 0
