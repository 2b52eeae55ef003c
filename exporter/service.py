"""The composition root of `serve`: builds the parts, hands signals on, stops everything in reverse order. No logic."""

from __future__ import annotations

import gc
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from exporter import __version__
from exporter.config.loading import ConfigError
from exporter.config.model import Config
from exporter.config.watching import DiscoveryWatch
from exporter.estate import Estate
from exporter.platforms import installed
from exporter.runtime.memory import use_one_arena
from exporter.runtime.messages import Settings
from exporter.runtime.reporting import Reporting
from exporter.runtime.stores import Stores
from exporter.runtime.supervisor import Supervisor
from exporter.sharding import Shard
from exporter.web.answer import DEFAULT_MAX_REQUESTS, Places, Site
from exporter.web.app import PATHS, build_app
from exporter.web.gate import Gate
from exporter.web.links import ExternalUrl
from exporter.web.live import LiveWebConfig
from exporter.web.reloading import ReloadRefused, Stopping
from exporter.web.selfmetrics import SelfMetrics
from exporter.web.server import Server

log = logging.getLogger("service")

KILL_BEFORE_END_SECONDS = 2.0
DISCOVERY_SECONDS = 2.0
GARBAGE_AFTER = 10_000
"""New objects before Python looks for cycles. Its own 700 is a page or two; what is held are trees."""


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags of `serve`."""

    listen_addresses: Sequence[str]
    log_level: str = "info"
    log_format: str = "logfmt"
    grace_seconds: float = 10.0
    web_config_file: Path | None = None
    max_requests: int = DEFAULT_MAX_REQUESTS
    systemd_socket: bool = False
    external_url: ExternalUrl = field(default_factory=ExternalUrl)
    enable_lifecycle: bool = False
    shard: Shard = field(default_factory=Shard)


class Service:
    """The daemon. `read` reads the configuration anew and raises `ConfigError`; it is called for every reload."""

    def __init__(self, read: Callable[[], Config], flags: Flags) -> None:
        self._read_all, self._flags = read, flags
        self._orders: queue.SimpleQueue[Future[None] | None] = queue.SimpleQueue()
        """Reloads that are asked for, one after the other; None is the order to stop."""
        self._stopping = False
        self._last_resort: threading.Timer | None = None

    def run(self, *, started: Callable[[Sequence[str]], object] | None = None) -> int:
        """Serve until a signal ends it; `started` is told the addresses. Returns the exit code."""
        use_one_arena()
        gc.set_threshold(GARBAGE_AFTER, 10, 10)
        signal.signal(signal.SIGHUP, lambda *_: self._orders.put(Future()))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._order_end())
        live = LiveWebConfig(self._flags.web_config_file)
        config = self._read()
        _warn(config)
        found = installed()
        stores = Stores.empty(found.families)
        reporting = Reporting(stores, found.families, config.limits, self._flags.shard)
        settings = Settings("", self._flags.log_level, self._flags.log_format, config.limits)
        supervisor = Supervisor(found, stores, reporting, settings)
        selfmetrics = SelfMetrics(PATHS)
        estate = Estate(stores, reporting, supervisor, selfmetrics, config)
        server = self._server(estate, selfmetrics, live)
        server.start()
        supervisor.start()
        supervisor.apply(config).result()
        log.info(
            "hypervisor-exporter %s watches %d targets",
            __version__,
            len(config.targets),
            extra={"fields": {"listening": " ".join(server.addresses), "tls": "on" if live.now.context else "off"}},
        )
        if started is not None:
            started(server.addresses)
        gc.freeze()  # what was loaded until now stays for good, and need not be searched
        self._obey(supervisor, reporting, estate)
        self._stop(supervisor, server, estate)
        return 0

    def _read(self) -> Config:
        return self._flags.shard.own(self._read_all())

    def _order_end(self) -> None:
        """Stop; whatever the main thread is busy with, the process is gone when the grace period is over."""
        self._orders.put(None)
        if self._last_resort is None:
            self._last_resort = threading.Timer(self._flags.grace_seconds, os._exit, args=(1,))
            self._last_resort.daemon = True
            self._last_resort.start()

    def reload(self) -> Future[None]:
        """Have the configuration read anew by the thread that runs, as SIGHUP does; any thread may ask."""
        answer: Future[None] = Future()
        if self._stopping:
            answer.set_exception(Stopping())
        else:
            self._orders.put(answer)
        return answer

    def _server(self, estate: Estate, selfmetrics: SelfMetrics, live: LiveWebConfig) -> Server:
        flags = self._flags
        site = Site(
            estate,
            selfmetrics,
            external=flags.external_url,
            places=Places(flags.max_requests),
            reload=self.reload if flags.enable_lifecycle else None,
            headers=lambda: live.now.config.headers,
        )
        gate = Gate(live, selfmetrics, PATHS, flags.external_url.prefix)
        return Server(build_app(site), flags.listen_addresses, gate, live, from_systemd=flags.systemd_socket)

    def _obey(self, supervisor: Supervisor, reporting: Reporting, estate: Estate) -> None:
        """Reload whenever that is asked for, until told to stop."""
        watch = DiscoveryWatch(estate.config)
        while (answer := self._next_order(watch)) is not None:
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                config = self._read()
                supervisor.apply(config).result()
            except Exception as error:  # noqa: BLE001  whatever is wrong with it, the daemon goes on
                _refuse(error)
                supervisor.call(reporting.reload_refused)
                answer.set_exception(ReloadRefused(str(error)))
                continue
            _warn(config)
            estate.config, watch = config, DiscoveryWatch(config)
            log.info("the configuration is loaded", extra={"fields": {"targets": str(len(config.targets))}})
            answer.set_result(None)
        self._stopping = True
        while not self._orders.empty():
            if (answer := self._orders.get()) is not None:
                answer.set_exception(Stopping())

    def _next_order(self, watch: DiscoveryWatch) -> Future[None] | None:
        """Wait for an order; a discovery file that appears, changes or vanishes is an order to reload."""
        while True:
            try:
                return self._orders.get(timeout=DISCOVERY_SECONDS)
            except queue.Empty:
                if watch.changed():
                    log.info("discovery files have changed")
                    return Future()

    def _stop(self, supervisor: Supervisor, server: Server, estate: Estate) -> None:
        """Stop in reverse order, within the grace period that began with the signal."""
        until = time.monotonic() + self._flags.grace_seconds
        log.info("stopping")
        estate.stopping = True
        supervisor.stop(max(0.5, self._flags.grace_seconds - KILL_BEFORE_END_SECONDS))
        server.stop(max(0.1, min(1.0, until - time.monotonic() - 0.5)))
        if self._last_resort is not None:
            self._last_resort.cancel()
        log.info("stopped")


def _refuse(error: Exception) -> None:
    if isinstance(error, ConfigError):
        log.error("the new configuration is refused and the old one stays:\n%s", error)
    else:
        log.error("a bug while loading the configuration; please report it", exc_info=error)


def _warn(config: Config) -> None:
    for mistake in config.warnings:
        log.warning("%s", mistake)
