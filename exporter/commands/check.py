"""The command `check`: is the configuration right, and with --connect, can every target be collected with it."""

from __future__ import annotations

import argparse
import sys

from exporter import logs
from exporter.catalogue import VITALS
from exporter.commands import FAILED, WELL, configuration
from exporter.commands.once import Result, collect_all
from exporter.config.durations import written
from exporter.config.model import Config
from exporter.errors import SecretUnreadable
from exporter.platforms import installed


def check(options: argparse.Namespace) -> int:
    """Print what is found: static mistakes end with 2 before this is reached, circumstances with 1."""
    logs.setup(options.log_level, options.log_format)
    config = configuration.read(options.config_file)
    for warning in (*config.warnings, *_rare(config)):
        print(f"warning: {warning}", file=sys.stderr)
    circumstances = _unreadable(config)
    for sentence in circumstances:
        print(sentence, file=sys.stderr)
    if not options.connect:
        print(f"{config.source}: {len(config.targets)} targets, no mistakes")
        return FAILED if circumstances else WELL
    results = collect_all(config.targets, config, installed(), examine=True)
    for result in results:
        _show(result)
    return WELL if all(result.well for result in results) and not circumstances else FAILED


def _rare(config: Config) -> list[str]:
    """Targets whose counters step too rarely for the rates of the rules as they are by default."""
    from dashboards.rules.settings import RATE_INTERVALS, Settings  # noqa: PLC0415  nobody else needs the table here

    needed = {target.name: RATE_INTERVALS * target.profile.interval(VITALS) for target in config.targets}
    rare = [name for name, seconds in needed.items() if seconds > Settings().rate_window]
    if not rare:
        return []
    window = written(max(needed.values()))
    names = f"{', '.join(rare[:3])}{f' and {len(rare) - 3} more' if len(rare) > 3 else ''}"
    return [f"{names}: rates need five collections; make the rules with `rules --rate-window {window}`"]


def _unreadable(config: Config) -> list[str]:
    """Secrets and certificates that cannot be read now."""
    sentences = []
    for target in config.targets:
        if target.auth is not None and target.auth.password is not None:
            try:
                target.auth.password.read()
            except SecretUnreadable as error:
                sentences.append(f"{target.name}: {error}")
        for key in ("ca_file", "cert_file", "key_file"):
            file = getattr(target.tls, key)
            if file is not None:
                try:
                    with open(file, "rb"):  # noqa: PTH123  only whether it can be opened
                        pass
                except OSError as error:
                    hint = "is the path right, and may this user read it?"
                    sentences.append(f"{target.name}: tls.{key} {file} cannot be read: {error.strerror}; {hint}")
    return sentences


def _show(result: Result) -> None:
    objects = ", ".join(f"{count} {kind}" for kind, count in sorted(result.state.objects.items()) if count)
    verdict = "ok" if result.well else "FAILED"
    product = " ".join(part for part in (result.state.endpoint.product, result.state.endpoint.version) if part)
    print(f"{result.target.name}: {verdict}: {product or result.target.platform}{': ' + objects if objects else ''}")
    for line in result.complaints():
        print(f"  {line}", file=sys.stderr)
