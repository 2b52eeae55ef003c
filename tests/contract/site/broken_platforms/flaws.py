"""One session per flaw, and what would be found by itself: in a mapping, in a session's manners, in a declaration."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from broken_platforms.sound import ENDPOINTS, SECRET, Endpoint, Sample, Session, hanging
from exporter.catalogue import VITALS, Entity, Priority, Section
from exporter.config.model import Target
from exporter.contract import Context, Deadline, Native
from exporter.errors import CollectorError, Malformed, Unreachable
from exporter.model import Guest, GuestCpu, GuestMemory, Observation

sound = Sample("sound", world={"hang": hanging})

# Mappings.


class Undeclared(Session):
    def guest(self, number: str) -> Guest:
        guest = super().guest(number)
        return replace(guest, memory=replace(guest.memory, host_used_bytes=1e9))


class Misplaced(Session):
    def read(self, group: str, endpoint: Endpoint) -> Observation:
        seen = super().read(group, endpoint)
        autostart = True if group == "vitals" else None
        return replace(seen, guests=tuple(replace(guest, autostart=autostart) for guest in seen.guests))


class ZeroForAbsent(Session):
    def stopped(self, number: str) -> Guest:
        return replace(super().stopped(number), cpu=GuestCpu(vcpus=2, seconds=0))


class ZeroSize(Session):
    def guest(self, number: str) -> Guest:
        return replace(super().guest(number), memory=GuestMemory(configured_bytes=0))


class Unstable(Session):
    def guest(self, number: str) -> Guest:
        return replace(super().guest(number), id=str(uuid.uuid4()))


class Milliseconds(Session):
    def guest(self, number: str) -> Guest:
        guest = super().guest(number)
        return replace(guest, cpu=replace(guest.cpu, seconds=time.monotonic() * 1000))


class Falling(Session):
    def guest(self, number: str) -> Guest:
        guest = super().guest(number)
        return replace(guest, cpu=replace(guest.cpu, seconds=1e9 - time.monotonic()))


class Numbered(Session):
    def guest(self, number: str) -> Guest:
        return replace(super().guest(number), id=int(number))


class Words(Session):
    def guest(self, number: str) -> Guest:
        return replace(super().guest(number), memory=GuestMemory(configured_bytes="N/A" if number == "2" else 1e9))


class Uptime(Session):
    def read(self, group: str, endpoint: Endpoint) -> Observation:
        return replace(super().read(group, endpoint), collected_at=time.monotonic())


class Worried(Session):
    def read(self, group: str, endpoint: Endpoint) -> Observation:
        return replace(super().read(group, endpoint), partial=True)


SHARE = Section(Entity.GUEST, VITALS, Priority.GUEST).gauge(
    "hypervisor_percent_guest_busy_ratio", "Share of its processors.", value=lambda _: 55.0
)

undeclared = Sample("undeclared", Undeclared)
misplaced = Sample("misplaced", Misplaced)
zero_for_absent = Sample("zero_for_absent", ZeroForAbsent)
zero_size = Sample("zero_size", ZeroSize)
unstable = Sample("unstable", Unstable)
milliseconds = Sample("milliseconds", Milliseconds)
falling = Sample("falling", Falling)
numbered = Sample("numbered", Numbered)
words = Sample("words", Words)
uptime = Sample("uptime", Uptime)
worried = Sample("worried", Worried)
percent = Sample("percent", families=(SHARE,))
undelivered = Sample("undelivered", support={"hypervisor_guest_snapshots": Native("list")})
stale_excuse = Sample("stale_excuse", world={"undelivered": {"hypervisor_guest_vcpus": "none has any"}})

# Manners.


class Thread(Session):
    def connect(self, deadline: Deadline) -> Endpoint:
        threading.Thread(target=time.sleep, args=(30,), name="keep-alive", daemon=True).start()
        return super().connect(deadline)


class Blabbing(Session):
    def connect(self, deadline: Deadline) -> Endpoint:
        if self.target.address not in ENDPOINTS:
            raise Unreachable(f"nobody answers at monitor:{self.password()}@{self.target.address}")
        return super().connect(deadline)


class Logging(Session):
    def connect(self, deadline: Deadline) -> Endpoint:
        self.context.log.debug("logging in as monitor with %s", self.password())
        return super().connect(deadline)


class Showing(Session):
    def __repr__(self) -> str:
        return f"Session(password={SECRET!r})"


class Foreign(Session):
    def connect(self, deadline: Deadline) -> Endpoint:
        if self.target.address not in ENDPOINTS:
            raise ConnectionRefusedError(111, "Connection refused")
        return super().connect(deadline)


class Early(Session):
    def __init__(self, target: Target, context: Context) -> None:
        super().__init__(target, context)
        Path("/etc/hostname").read_bytes()


class SlowToClose(Session):
    def close(self) -> None:
        time.sleep(2.5 if self.unused else 0)


class CloseOnce(Session):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("not connected")
        self.closed = True


class Cached(Session):
    """Answers from what it remembers while the endpoint hangs."""

    last: Observation | None = None

    def collect(self, group: str, deadline: Deadline) -> Observation:
        endpoint = ENDPOINTS.get(self.target.address)
        if endpoint is not None and not endpoint.awake.is_set() and self.last is not None:
            return replace(self.last, collected_at=time.time())
        self.last = super().collect(group, deadline)
        return self.last


class GivesUp(Session):
    failed = False

    def connect(self, deadline: Deadline) -> Endpoint:
        if self.failed:
            raise Unreachable("the connection was lost before")
        try:
            return super().connect(deadline)
        except Unreachable:
            self.failed = self.target.address in ENDPOINTS
            raise


class AllOrNothing(Session):
    def read(self, group: str, endpoint: Endpoint) -> Observation:
        if endpoint.broken:
            raise Malformed("one guest of two makes no sense")
        return super().read(group, endpoint)


class Unmetered(Session):
    def collect(self, group: str, deadline: Deadline) -> Observation:
        seen = super().collect(group, deadline)
        self.context.meter.take()
        return seen


class Mistaken(Session):
    def connect(self, deadline: Deadline) -> Endpoint:
        try:
            return super().connect(deadline)
        except CollectorError as error:
            raise Unreachable(str(error)) from error


class Overtime(Session):
    def collect(self, group: str, deadline: Deadline) -> Observation:
        if deadline.remaining_seconds < 0.1:
            time.sleep(2.5)
        return super().collect(group, Deadline.after(5))


class OneLane(Session):
    def __init__(self, target: Target, context: Context) -> None:
        super().__init__(target, context)
        self._busy = threading.Lock()

    def collect(self, group: str, deadline: Deadline) -> Observation:
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("the connection is in use")
        try:
            time.sleep(0.05)
            return super().collect(group, deadline)
        finally:
            self._busy.release()


thread = Sample("thread", Thread)
blabbing = Sample("blabbing", Blabbing)
logging_ = Sample("logging", Logging)
showing = Sample("showing", Showing)
foreign = Sample("foreign", Foreign)
early = Sample("early", Early)
slow_to_close = Sample("slow_to_close", SlowToClose)
close_once = Sample("close_once", CloseOnce)
cached = Sample("cached", Cached, world={"hang": hanging})
gives_up = Sample("gives_up", GivesUp)
all_or_nothing = Sample("all_or_nothing", AllOrNothing)
unmetered = Sample("unmetered", Unmetered)
mistaken = Sample("mistaken", Mistaken)
overtime = Sample("overtime", Overtime)
one_lane = Sample("one_lane", OneLane)

# Declarations.


class LaxOptions(BaseModel):
    depth: int = 1


lax = Sample("lax", options=LaxOptions)
worldless = Sample("worldless")
groupless = Sample("groupless", groups=("vitals",))
