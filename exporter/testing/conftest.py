"""Fixtures of the suite: every installed platform once, its world, and the record of a stay in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from exporter.contract import Platform
from exporter.platforms import installed
from exporter.testing.plugin import platform_names
from exporter.testing.visit import Record, record
from exporter.testing.world import Unavailable, World, factory_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run of every test per platform."""
    if "platform_name" in metafunc.fixturenames:
        names = metafunc.config.getoption("--platform", default=None) or platform_names()
        metafunc.parametrize("platform_name", names, scope="session")


@pytest.fixture(scope="session")
def chosen_world(platform_name: str, request: pytest.FixtureRequest) -> str | None:
    """`MODULE:FACTORY` where the command line chose a world."""
    chosen = dict(choice.split("=", 1) for choice in request.config.getoption("--world", default=None) or ())
    return chosen.get(platform_name)


@pytest.fixture(scope="session")
def platform(platform_name: str) -> Platform:
    """The platform's declaration."""
    found = installed().platforms.get(platform_name)
    if found is None:
        pytest.skip("the platform cannot be loaded")
    return found


@pytest.fixture(scope="session")
def entered(platform: Platform, chosen_world: str | None) -> Iterator[World | Exception | None]:
    """The platform's world, for as long as its tests last; or why there is none. One test tells that, not thirty."""
    with contextlib.ExitStack() as stack:
        try:
            factory = factory_of(platform.name, chosen_world)
            found = None if factory is None else stack.enter_context(factory())
        except Exception as error:  # noqa: BLE001  a platform's author wants to see it, whatever it is
            yield error
        else:
            yield found


@pytest.fixture(scope="session")
def world(entered: World | Exception | None) -> World:
    """The platform's world; without it nothing can be tried."""
    if isinstance(entered, Unavailable):
        pytest.skip(f"its world cannot be had here: {entered}")
    if not isinstance(entered, World):
        pytest.skip("the platform has no world")
    return entered


@pytest.fixture(scope="session")
def seen(platform: Platform, world: World) -> Record:
    """What two rounds of one session and one of another have brought."""
    return record(
        platform,
        world.target,
        installed().families,
        seconds=world.deadline_seconds,
        pause_seconds=world.pause_seconds,
    )
