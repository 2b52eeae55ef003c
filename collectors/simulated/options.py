"""What an operator may set for a simulated target."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from collectors.simulated.curves import ORIGIN
from exporter.contract import Options

LATEST = 4_102_444_800.0
"""2100-01-01: nobody plans further."""
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}

Look = Literal["vsphere", "hyperv", "libvirt", "proxmox"]
LOOKS: tuple[Look, ...] = ("vsphere", "hyperv", "libvirt", "proxmox")
FaultKind = Literal["slow", "hang", "unreachable", "refuse", "lose_right", "malformed", "break_part"]


def unix_seconds(text: str) -> float:
    """An instant as people write it, as Unix seconds; without a zone it is UTC. Raises ValueError with a sentence."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant; write it as in 2026-01-01T00:00:00Z") from None
    instant = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    if not ORIGIN <= instant <= LATEST:
        raise ValueError(f"{text!r} must lie between 2025-01-01 and 2100-01-01")
    return instant


def seconds(text: str) -> float:
    """A duration as people write it, in seconds; raises ValueError with a sentence."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration; write it with its unit, as in 30s, 2m or 1h")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _instant(text: str) -> str:
    unix_seconds(text)
    return text


def _duration(text: str) -> str:
    if seconds(text) <= 0:
        raise ValueError("must be longer than nothing")
    return text


Instant = Annotated[str, AfterValidator(_instant)]
Duration = Annotated[str, AfterValidator(_duration)]


class Fault(Options):
    """Something that goes wrong, for a while or for good. Instants are those of the simulated clock."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    kind: FaultKind
    group: str | None = None
    """Only collections of this group; otherwise of every group."""
    seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """slow: how long a collection takes."""
    begins: Instant | None = Field(None, alias="from")
    until: Instant | None = None
    every: Duration | None = None
    """Strikes anew after every so long, and lasts for `lasts`."""
    lasts: Duration | None = None

    @model_validator(mode="after")
    def _whole(self) -> Fault:
        if (self.kind == "slow") != (self.seconds is not None):
            raise ValueError("slow, and no other kind, needs seconds beside it")
        if (self.every is None) != (self.lasts is None):
            raise ValueError("every and lasts need each other")
        if self.every is not None and self.lasts is not None and seconds(self.lasts) >= seconds(self.every):
            raise ValueError("lasts must be shorter than every")
        if self.begins and self.until and unix_seconds(self.begins) >= unix_seconds(self.until):
            raise ValueError("until must be later than from")
        return self

    def strikes(self, group: str, instant: float) -> bool:
        """Whether it strikes a collection of the group at this instant of the simulated clock."""
        if self.group not in (None, group):
            return False
        begins = ORIGIN if self.begins is None else unix_seconds(self.begins)
        if instant < begins or (self.until is not None and instant >= unix_seconds(self.until)):
            return False
        if self.every is None or self.lasts is None:
            return True
        return (instant - begins) % seconds(self.every) < seconds(self.lasts)


@cache
def _first_read() -> str:
    """When this process first read a simulated target: a reload must not turn its clock back."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")


class SimulatedOptions(Options):
    """`options` of a simulated target."""

    like: Look | None = None
    """The platform whose gaps, names and own families it has; without it every shared family is delivered."""
    seed: str = "fleet"
    """Another seed, another estate; the same one is the same estate everywhere and for ever."""
    guests: Annotated[int, Field(ge=0, le=100_000)] = 60
    hosts: Annotated[int, Field(ge=1, le=5_000)] | None = None
    """Without it one for every 14 guests, and one more."""
    snapshots: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Guests that have snapshots; without it a third of them."""
    start: Instant | None = None
    """What the simulated clock shows at `began`; without it and with speed 1, the real time."""
    speed: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    """Simulated seconds per second."""
    began: Instant | None = None
    """The real instant at which the simulated clock shows `start`; without it when the configuration was first read."""
    faults: list[Fault] = Field(default_factory=list)
    faults_file: str | None = None
    """A file that holds more faults, as a list in YAML or JSON; read at each collection, it need not exist."""

    @field_validator("snapshots")
    @classmethod
    def _not_more_than_guests(cls, given: int | None, info: Any) -> int | None:
        guests = info.data.get("guests")
        if given is not None and guests is not None and given > guests:
            raise ValueError(f"there are only {guests} guests")
        return given

    @model_validator(mode="before")
    @classmethod
    def _begin(cls, given: Any) -> Any:
        """Settle when the clock began, so that every process has the same clock."""
        runs_apart = isinstance(given, dict) and (given.get("start") is not None or given.get("speed", 1) != 1)
        if runs_apart and given.get("began") is None:
            return {**given, "began": _first_read()}
        return given

    @model_validator(mode="after")
    def _alone_where_targets_are_hosts(self) -> SimulatedOptions:
        if self.like == "libvirt" and self.hosts not in (None, 1):
            raise ValueError("a target that looks like libvirt is one host: leave hosts out, or add targets")
        return self


def options_class(look: Look) -> type[SimulatedOptions]:
    """The options of a target that is always of this look."""

    class Always(SimulatedOptions):
        @field_validator("like")
        @classmethod
        def _this_one(cls, given: Look | None) -> Look | None:
            if given not in (None, look):
                raise ValueError(f"simulated.{look} is always like {look}: leave it out, or name platform: simulated")
            return given

    Always.__name__ = f"{look.capitalize()}Options"
    return Always
