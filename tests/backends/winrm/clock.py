"""The time of an estate: it stands still until a test moves it, or runs where somebody watches."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Seconds since the estate was made, which drive its counters, and the date that its hosts believe."""

    def __init__(self, start: datetime | None = None, *, running: bool = False) -> None:
        self.start = start or datetime.now(UTC)
        self.skew_seconds = 0.0
        self._moved = 0.0
        self._since = time.monotonic() if running else None

    @property
    def elapsed(self) -> float:
        """Seconds that have passed in the estate."""
        return self._moved + (time.monotonic() - self._since if self._since is not None else 0.0)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed + self.skew_seconds)

    def advance(self, seconds: float) -> None:
        """Let counters advance; the hosts' dates go along."""
        self._moved += seconds

    def run(self) -> None:
        """From now on the time passes by itself."""
        self._since = self._since or time.monotonic()
