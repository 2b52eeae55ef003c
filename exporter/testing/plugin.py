"""Options of the suite. A plugin, because pytest reads a package's conftest too late to learn options from it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which platforms, in which worlds."""
    group = parser.getgroup("hypervisor-exporter")
    group.addoption("--platform", action="append", metavar="NAME", help="try only this platform (repeatable)")
    group.addoption(
        "--world", action="append", metavar="NAME=MODULE:FACTORY", help="try a platform in this world, not in its own"
    )
