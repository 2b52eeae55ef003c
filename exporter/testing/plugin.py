"""Options of the suite. A plugin, because pytest reads a package's conftest too late to learn options from it."""

from __future__ import annotations

import pytest

from exporter.platforms import installed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which platforms, in which worlds."""
    group = parser.getgroup("hypervisor-exporter")
    group.addoption("--platform", action="append", metavar="NAME", help="try only this platform (repeatable)")
    group.addoption(
        "--world", action="append", metavar="NAME=MODULE:FACTORY", help="try a platform in this world, not in its own"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a platform that is not installed before anything is collected."""
    known = platform_names()
    for name in config.getoption("--platform") or ():
        if name not in known:
            raise pytest.UsageError(f"no platform {name!r} is installed; there are {', '.join(known)}")


def platform_names() -> list[str]:
    """Every installed platform, also those that cannot be loaded."""
    found = installed()
    return sorted({*found.platforms, *(broken.name for broken in found.broken)})
