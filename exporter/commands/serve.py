"""The commands that run the daemon: `serve` and `demo`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from exporter import logs
from exporter.commands import FAILED, WRONG, configuration
from exporter.config.model import Config
from exporter.platforms import installed
from exporter.service import Flags, Service
from exporter.sharding import shard
from exporter.web.answer import DEFAULT_MAX_REQUESTS
from exporter.web.links import ExternalUrl
from exporter.web.listening import BadAddress, ListenError

DEMO_INTERVALS = {"vitals": "5s", "storage": "15s", "snapshots": "15s", "inventory": "30s"}


def serve(options: argparse.Namespace) -> int:
    """Run the daemon until a signal ends it."""
    logs.setup(options.log_level, options.log_format)
    try:
        mine = shard(options.shard_index, options.shard_count)
    except ValueError as error:
        print(error, file=sys.stderr)
        return WRONG
    flags = replace(
        _flags(options),
        shard=mine,
        web_config_file=options.web_config_file,
        max_requests=DEFAULT_MAX_REQUESTS if options.max_requests is None else options.max_requests,
        systemd_socket=options.systemd_socket,
        external_url=options.external_url or ExternalUrl(),
        enable_lifecycle=options.enable_lifecycle,
    )
    if options.systemd_socket and not options.listen_addresses:
        flags = replace(flags, listen_addresses=())
    return _run(Service(lambda: configuration.read(options.config_file), flags))


def demo(options: argparse.Namespace) -> int:
    """Run the daemon on the estates that installed platforms can embed."""
    logs.setup(options.log_level, options.log_format)
    with tempfile.TemporaryDirectory(prefix="hypervisor-exporter-demo-") as folder:
        config = _demo_config(Path(folder))
        return _run(Service(lambda: config, _flags(options)), show=_tell)


def _demo_config(folder: Path) -> Config:
    targets: list[Mapping[str, Any]] = []
    for name, platform in installed().platforms.items():
        if platform.demo is not None:
            place = folder / name
            place.mkdir()
            targets.extend(platform.demo(place))
    return configuration.from_targets(targets, "demo", profiles={"default": {"intervals": DEMO_INTERVALS}})


def _tell(addresses: Sequence[str]) -> None:
    for address in addresses:
        print(f"\n  The demo estate: http://{address}/   its metrics: http://{address}/metrics   Ctrl-C ends it.\n")
    sys.stdout.flush()


def _flags(options: argparse.Namespace) -> Flags:
    return Flags(
        listen_addresses=options.listen_addresses or [options.default_address],
        log_level=options.log_level,
        log_format=options.log_format,
        grace_seconds=options.grace_seconds,
    )


def _run(service: Service, show: Callable[[Sequence[str]], object] | None = None) -> int:
    try:
        return service.run(started=show)
    except BadAddress as error:
        print(error, file=sys.stderr)
        return WRONG
    except ListenError as error:
        print(error, file=sys.stderr)
        return FAILED
