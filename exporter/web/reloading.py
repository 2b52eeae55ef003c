"""What POST /-/reload asks of the daemon: the type of the question and of a refusal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

Reload = Callable[[], Future[None]]
"""Asks for a reload. The future fails with ReloadRefused where the new configuration is wrong and the old one stays."""


class ReloadRefused(Exception):
    """The new configuration was refused; the text has every mistake on a line."""


class Stopping(Exception):
    """The daemon ends and reads no configuration any more."""
