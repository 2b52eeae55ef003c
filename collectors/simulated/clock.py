"""The simulated clock: the real time, or another one that began somewhere and may run faster."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.simulated.options import SimulatedOptions, unix_seconds


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns real Unix seconds into simulated ones. Every process that holds the same options has the same clock."""

    start: float = 0.0
    began: float = 0.0
    speed: float = 1.0

    @classmethod
    def of(cls, options: SimulatedOptions) -> Clock:
        """The clock of a target."""
        if options.began is None:
            return cls()
        began = unix_seconds(options.began)
        return cls(began if options.start is None else unix_seconds(options.start), began, options.speed)

    def at(self, real: float) -> float:
        """What it shows at a real instant."""
        return self.start + (real - self.began) * self.speed
