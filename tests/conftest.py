"""Fixtures that any test may ask for. The real back ends live in tests/backends and are started once per run."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.backends import prometheus as prometheus_backend
from tests.backends.need import need

# How long an example takes depends on what else the machine does.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

BACKENDS = {"libvirt_lab", "estate", "prometheus"}


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for a back end is marked as such, whether or not its author thought of it."""
    for item in items:
        if BACKENDS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.backend)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A test that runs a command in this process sets up the logs of all: what the next one logs must still be seen."""
    loggers = [logging.getLogger(name) for name in (None, "apscheduler", "tornado.access", "tornado.general")]
    root, levels = loggers[0], [each.level for each in loggers]
    before = list(root.handlers)
    yield
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)
    for handler in set(root.handlers) - set(before):
        if type(handler) is logging.StreamHandler:  # pytest's own are of other classes
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def libvirt_lab() -> Iterator:
    """A LibvirtLab for the whole run. Add guests with names of your own, and `discard` them."""
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as lab:
        yield lab


@pytest.fixture(scope="session")
def estate(libvirt_lab):
    """The Estate in `libvirt_lab`. It is shared: what a test changes, it changes back."""
    from tests.backends.estate import build_estate

    return build_estate(libvirt_lab)


@pytest.fixture
def prometheus() -> Iterator:
    """`prometheus(config, files=..., flags=...)` starts a Prometheus that ends with the test."""
    need(prometheus_backend.BINARIES)
    started = []

    def start(*args, **kwargs) -> prometheus_backend.Prometheus:
        started.append(prometheus_backend.Prometheus(*args, **kwargs).start())
        return started[-1]

    yield start
    for each in started:
        each.stop()


def pytest_sessionfinish(session, exitstatus):
    """Leave a mark where every test has run, well or not: only then may `make test-again` run the failed ones alone."""
    mark = session.config.rootpath / ".pytest_cache" / "all-ran"
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
    else:
        mark.unlink(missing_ok=True)
