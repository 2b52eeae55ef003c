"""The web configuration in force: read again when its file, or a certificate that it names, has changed.

A broken file or certificate changes nothing and is logged once; connections and requests take what is in force then.
"""

from __future__ import annotations

import logging
import os
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exporter.config.mistakes import ConfigError
from exporter.web.passwords import Passwords
from exporter.web.tls import context_for
from exporter.web.webconfig import WebConfig, parse

log = logging.getLogger(__name__)

CHECK_SECONDS = 0.5
"""Between two looks at the files. What changed is read when two looks saw the same: it is complete then."""

_Stamps = tuple[tuple[int, ...] | None, ...]


class Bucket:
    """A token bucket: `burst` requests at once, then one per interval."""

    def __init__(self, interval_seconds: float, burst: int) -> None:
        self._interval, self._burst = interval_seconds, burst
        self._tokens, self._filled = float(burst), time.monotonic()

    def take(self) -> float:
        """0 if a request may pass, else the seconds until one may."""
        if not self._interval:
            return 0.0
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) / self._interval)
        self._filled = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) * self._interval


@dataclass(frozen=True, slots=True)
class InForce:
    """A web configuration with what is made of it."""

    config: WebConfig
    context: ssl.SSLContext | None
    passwords: Passwords
    bucket: Bucket


class LiveWebConfig:
    """`now` is what is in force; `look` is called every CHECK_SECONDS, by one thread at a time."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises ConfigError: at the start a broken configuration is nothing to fall back from."""
        self._path = path
        self._named: tuple[Path, ...] = ()
        self._pending: _Stamps | None = None
        nothing = WebConfig()
        self.now = InForce(nothing, None, Passwords({}), Bucket(0, 1))
        if path is not None:
            self.now = self._read(path)
        self._stamps = _stamps(self._named)

    def look(self) -> None:
        """Read what has changed and stayed the same since the last look; a mistake is logged and changes nothing."""
        seen = _stamps(self._named)
        if self._path is None or seen == self._stamps:
            self._pending = None
            return
        if seen != self._pending:
            self._pending = seen
            return
        try:
            self.now = self._read(self._path)
        except ConfigError as error:
            log.error("the web configuration is refused and the old one stays:\n%s", error)  # noqa: TRY400
        else:
            log.info("the web configuration is loaded")
        self._stamps, self._pending = _stamps(self._named), None

    def _read(self, path: Path) -> InForce:
        self._named = tuple(dict.fromkeys((path, *self._named)))
        config, document = parse(path)
        tls = config.tls
        self._named = (path, *((tls.cert_file, tls.key_file) if tls else ()))
        if tls and tls.client_ca_file:
            self._named = (*self._named, tls.client_ca_file)
        before = self.now
        same_users = before.config.users == config.users
        same_rate = (before.config.interval_seconds, before.config.burst) == (config.interval_seconds, config.burst)
        return InForce(
            config=config,
            context=context_for(tls, document) if tls else None,
            passwords=before.passwords if same_users else Passwords(config.users),
            bucket=before.bucket if same_rate else Bucket(config.interval_seconds, config.burst),
        )


def _stamps(paths: Iterable[Path]) -> _Stamps:
    """What changes when a file is written, replaced or made readable."""
    return tuple(map(_stamp, paths))


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  (Path.stat costs twice as much, twice a second for ever)
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
