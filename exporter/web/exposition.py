"""Answers for Prometheus: /metrics, /probe and /sd.

What is exported comes from the Estate, held compressed; here it is filtered, negotiated and sent.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

from exporter.exposition.negotiation import Format, accepts_gzip, negotiate
from exporter.web.answer import Answer, elsewhere, utf8
from exporter.web.links import with_port
from exporter.web.source import Member, ProbeTarget, UnknownTarget

PROBE_SECONDS = 10.0
"""The limit of a probe where the client does not say how long it waits."""
LONGEST_PROBE_SECONDS = 300.0
OFFSET_SECONDS = 0.5
"""How much earlier than the client's limit a probe ends, so that the answer still arrives."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


class _Exposing(Answer):
    """An exposition of some targets or of everything."""

    async def expose(self, member_in: Callable[[Format], Member]) -> None:
        """Answer with a member in the client's format; an unknown target is not found."""
        wanted = negotiate(self.header("Accept"))
        try:
            member = member_in(wanted)
        except UnknownTarget as unknown:
            self.say(404, str(unknown))
            return
        self.set_header("Content-Type", wanted.content_type)
        self.set_header("Vary", "Accept, Accept-Encoding")
        if accepts_gzip(self.header("Accept-Encoding")):
            fragments = member.gzip()
            self.set_header("Content-Encoding", "gzip")
            self.set_header("Content-Length", sum(map(len, fragments)))
            await self.send(fragments)
        else:
            self.set_header("Content-Length", member.size)
            await self._send_inflated(member)

    async def _send_inflated(self, member: Member) -> None:
        """Inflate in another thread, and never further ahead than the client reads."""
        if self.request.method == "HEAD":
            return
        pieces = member.inflate()
        while piece := await elsewhere(lambda: next(pieces, b"")):
            await self.send([piece])


class Metrics(_Exposing):
    """Everything, or with ?target= what is scheduled of these targets."""

    async def answer(self) -> None:
        targets = list(dict.fromkeys(self.get_query_arguments("target", strip=False))) or None
        on_demand = {target.name for target in self.site.estate.probe_targets()} if targets else set()
        for name in targets or ():
            if name in on_demand:
                self.say(404, f"the target {name!r} is collected on demand only: ask /probe for it")
                return
        await self.expose(lambda wanted: self.site.estate.exposition(wanted, targets))


class Probe(_Exposing):
    """One target, collected now."""

    WAITS = True

    async def answer(self) -> None:
        self._left = asyncio.get_running_loop().create_future()
        names = self.get_query_arguments("target", strip=False)
        if len(names) != 1 or not names[0]:
            self.say(400, "exactly one target is probed: /probe?target=NAME, with the name of a configured target")
            return
        seconds = probe_seconds(self.header("X-Prometheus-Scrape-Timeout-Seconds"))
        try:
            fresh = asyncio.wrap_future(self.site.estate.probe(names[0], seconds))
        except UnknownTarget as unknown:
            self.say(404, str(unknown))
            return
        # Waited for and never cancelled: others may wait for the same collection.
        await asyncio.wait({fresh, self._left}, timeout=seconds + 1, return_when=asyncio.FIRST_COMPLETED)
        await self.expose(lambda wanted: self.site.estate.probed(wanted, names[0]))

    def on_connection_close(self) -> None:
        """The client has left: what it waited for goes on without it, its place is free."""
        if (left := getattr(self, "_left", None)) and not left.done():
            left.set_result(None)


class Discovery(Answer):
    """The targets with `mode: probe`, as Prometheus' HTTP service discovery reads them."""

    async def answer(self) -> None:
        external = self.site.external
        address = external.host or with_port(self.request.host, self.request.protocol)
        path = f"{external.prefix}/probe"
        found = [{"targets": [address], "labels": _labels(target, path)} for target in self.site.estate.probe_targets()]
        self.set_header("Content-Type", "application/json")
        self.finish(utf8(json.dumps(found, ensure_ascii=False)))


def _labels(target: ProbeTarget, path: str) -> dict[str, str]:
    """No `target`: every series has that label already, and Prometheus would rename ours."""
    configured = {f"__meta_hypervisor_label_{name}": value for name, value in target.labels.items()}
    return {"__param_target": target.name, "__metrics_path__": path, "instance": target.name, **configured}


def probe_seconds(announced: str | None) -> float:
    """How long a probe may take, from the scrape timeout that Prometheus announces; 10 s where that makes no sense."""
    if not announced or not _SECONDS.fullmatch(announced) or not 0 < float(announced) <= LONGEST_PROBE_SECONDS:
        return PROBE_SECONDS
    return max(float(announced) - OFFSET_SECONDS, float(announced) / 2)
