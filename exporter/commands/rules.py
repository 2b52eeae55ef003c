"""The command `rules`: recording rules and alerts for Prometheus, with an operator's own thresholds."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from dashboards.rules.settings import DURATION, Settings, parse
from exporter.commands import WELL
from exporter.config.durations import written


def add_flags(command: argparse.ArgumentParser) -> None:
    """A flag for each field of the settings."""
    for field in dataclasses.fields(Settings):
        command.add_argument(
            f"--{field.name.replace('_', '-')}",
            metavar=field.metadata["form"],
            type=_reader(field.metadata["form"]),
            default=argparse.SUPPRESS,
            help=f"{field.metadata['help']}; default: {_shown(field)}".replace("%", "%%"),
        )


def rules(options: argparse.Namespace) -> int:
    """Print the rule file."""
    from dashboards.rules.text import rules_text  # noqa: PLC0415  the command line is also the daemon's

    known = {field.name for field in dataclasses.fields(Settings)}
    sys.stdout.write(rules_text(Settings(**{name: value for name, value in vars(options).items() if name in known})))
    return WELL


def _reader(form: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return parse(form, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _shown(field: dataclasses.Field[Any]) -> str:
    """A default as it would be written."""
    default: Any = field.default
    if field.metadata["form"] == DURATION:
        return written(default)
    return f"{default}" if default else "none"
