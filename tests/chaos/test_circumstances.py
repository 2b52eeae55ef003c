"""What is not there today may be there tomorrow: secrets, libraries, files, the right time. Nothing needs a restart."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.need import need
from tests.backends.processes import Scratch, until
from tests.chaos.conftest import FAST, Watch, counted, healthy
from tests.scripted.build import ENV, fail, scripted

pytestmark = pytest.mark.timeout(120)

PROFILES = {"default": {"intervals": FAST, "timeout": "800ms"}}
BACK_SECONDS = 60
"""A few failures, each doubling a back-off of one second at most."""
OUT = "hypervisor_target_problems"


class Wrapped(Daemon):
    """A daemon that is started through another command."""

    def __init__(self, config: str, *command: str, env: Mapping[str, str]) -> None:
        super().__init__(config, env=env)
        self.command = command

    def start(self):
        self.scratch = Scratch("wrapped")
        try:
            self.file = self.scratch.file("config.yml", self.config)
            self.child = self.scratch.start(
                "exporter",
                *(*self.command, sys.executable, "-m", "exporter", "serve"),
                *(f"--config.file={self.file}", f"--web.listen-address={self.address}"),
                env=self.env,
            )
            until(lambda: self.get("/-/ready").status == 200, 70, "ready exporter", self.child)
        except BaseException:
            self.stop()
            raise
        return self

    def reload_as_it_is(self) -> None:
        self.child.send(signal.SIGHUP)


def config(targets, **rest) -> str:
    return document(targets, profiles=PROFILES, workers=1, **rest)


def accounts(secret: Path) -> dict:
    return {"a": {"username": "u", "password": {"file": str(secret)}}}


def replace(path: Path, text: str) -> None:
    """As Kubernetes and configuration management do it: the old or the new, never half of it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@contextmanager
def unharmed(daemon, names):
    """Meanwhile these targets are collected at every tick."""
    for name in names:
        daemon.wait_for("hypervisor_target_up", 1, target=name)
    watch = Watch(daemon, names)
    yield
    watch.check()


def is_down(daemon, target: str, *sentences: str) -> None:
    daemon.wait_for("hypervisor_target_up", 0, target=target)
    until(lambda: all(sentence in daemon.log() for sentence in sentences), 5, f"{sentences} in the log", daemon.child)


def is_back(daemon, target: str) -> None:
    page = daemon.wait_for("hypervisor_target_up", 1, target=target, timeout_seconds=BACK_SECONDS)
    assert page.find("hypervisor_guest_state", target=target) != []
    assert "the target is up again" in daemon.log()


# Secrets.


def test_a_secret_that_is_missing_at_first(tmp_path):
    good, world, secret = scripted(tmp_path, name="good"), scripted(tmp_path, password="Canary-1"), tmp_path / "secret"
    with Daemon(config([*healthy(good, 2), world.target("late", auth="a")], auths=accounts(secret)), env=ENV) as daemon:
        with unharmed(daemon, ["healthy-0", "healthy-1"]):
            is_down(daemon, "late", f"the secret file {secret} cannot be read")
            page = daemon.wait_for(OUT, 1, target="late", group="vitals", problem="secret_unreadable")
            assert page.value("hypervisor_target_breaker_state", target="late", state="auth_locked") in (None, 0)
            assert world.journal.count("refused") == 0  # nobody was asked
            replace(secret, "Canary-1\n")
            is_back(daemon, "late")
            assert not daemon.page().find(OUT, target="late", group="vitals", problem="secret_unreadable")
        assert "Canary-1" not in daemon.log()


def test_a_secret_that_is_empty_and_then_too_long_and_then_right(tmp_path):
    world, secret = scripted(tmp_path, password="Canary-2"), tmp_path / "secret"
    secret.write_text("")
    with Daemon(config([world.target("odd", auth="a")], auths=accounts(secret)), env=ENV) as daemon:
        is_down(daemon, "odd", "is empty")
        replace(secret, "x" * 100_000)
        until(lambda: "is larger than" in daemon.get("/").text, BACK_SECONDS, "other sentence", daemon.child)
        replace(secret, "Canary-2")
        is_back(daemon, "odd")


def test_a_password_that_is_changed_on_both_sides_while_the_account_is_locked(tmp_path):
    world, secret = scripted(tmp_path, password="Canary-3"), tmp_path / "secret"
    secret.write_text("Canary-3")
    with Daemon(config([world.target("rotated", auth="a")], auths=accounts(secret)), env=ENV) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="rotated")

        def locked(times: int) -> None:
            """At most one attempt per lane, and no more while nothing changes."""
            daemon.wait_for("hypervisor_target_breaker_state", 1, target="rotated", state="auth_locked")
            until(lambda: world.journal.count("refused") >= times, 5, "refusal", daemon.child)
            held = counted(daemon.page(), "rotated", "held")
            until(lambda: counted(daemon.page(), "rotated", "held") >= held + 3, 10, "ticks", daemon.child)
            assert times <= world.journal.count("refused") <= 2 * times

        # The endpoint's side first; the session that is open ends.
        world.change(password="Canary-4", faults=[fail(error="Unreachable", group="vitals")])
        daemon.wait_for("hypervisor_target_up", 0, target="rotated")
        world.change(faults=[])
        locked(1)
        replace(secret, "Canary-5")  # our side, mistyped: that is one more attempt
        locked(2)
        replace(secret, "Canary-4")
        is_back(daemon, "rotated")
        assert "Canary" not in daemon.log() + daemon.get("/").text + daemon.get("/metrics").text


# Libraries.


def test_a_library_that_is_installed_while_the_daemon_runs(tmp_path):
    need([], ["libvirt"])
    fake = tmp_path / "libvirt.py"  # found before the real one
    fake.write_text("raise ModuleNotFoundError(\"No module named 'libvirt'\", name='libvirt')\n")
    path = os.pathsep.join([str(tmp_path), ENV["PYTHONPATH"]])
    good = scripted(tmp_path, name="good")
    targets = [*healthy(good, 2), libvirt("bare", "test:///default")]
    with Daemon(config(targets), env={"PYTHONPATH": path}) as daemon, unharmed(daemon, ["healthy-0", "healthy-1"]):
        is_down(daemon, "bare", "pip install")
        daemon.wait_for(OUT, 1, target="bare", group="vitals", problem="sdk_missing")
        fake.unlink()
        is_back(daemon, "bare")


# Files.


def test_a_world_that_vanishes_and_returns(tmp_path):
    good, world = scripted(tmp_path, name="good"), scripted(tmp_path)
    targets = [*healthy(good, 2), world.target("flickering")]
    with Daemon(config(targets), env=ENV) as daemon, unharmed(daemon, ["healthy-0", "healthy-1"]):
        daemon.wait_for("hypervisor_target_up", 1, target="flickering")
        away = world.path.rename(tmp_path / "away")
        is_down(daemon, "flickering", "there is no script at")
        until(lambda: not daemon.page().find("hypervisor_guest_state", target="flickering"), 10, "end of old data")
        assert daemon.page().find("hypervisor_target_last_success_timestamp_seconds", target="flickering") != []
        away.rename(world.path)
        is_back(daemon, "flickering")
        assert daemon.log().count("the target is down") == 1


def test_files_that_may_not_be_read_and_then_may(tmp_path):
    """Root may read everything, unless it has given that power away."""
    need(["setpriv"])
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--"]
    world, secret = scripted(tmp_path, password="Canary-6"), tmp_path / "secret"
    secret.write_text("Canary-6")
    secret.chmod(0)
    text = config([world.target("shut", auth="a")], auths=accounts(secret))
    with Wrapped(text, *(powerless if os.geteuid() == 0 else []), env=ENV) as daemon:
        is_down(daemon, "shut", f"the secret file {secret} cannot be read: Permission denied")
        secret.chmod(0o400)
        is_back(daemon, "shut")
        successful = "hypervisor_exporter_config_last_reload_successful"
        daemon.file.chmod(0)
        daemon.reload_as_it_is()
        daemon.wait_for(successful, 0)
        assert "Permission denied" in daemon.log()
        daemon.file.chmod(0o600)
        daemon.reload_as_it_is()
        daemon.wait_for(successful, 1)
        assert daemon.page().value("hypervisor_target_up", target="shut") == 1


# The time of day.


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@pytest.mark.skipif(FAKETIME is None, reason="not installed: libfaketime")
@pytest.mark.parametrize("step", [7200, -7200], ids=["forth", "back"])
def test_a_wall_clock_that_is_put_forth_or_back_costs_no_data(tmp_path, step):
    worlds = [scripted(tmp_path, name=form, cpu_counter=form) for form in ("native", "samples")]
    hands = tmp_path / "clock"
    hands.write_text("+0")
    fake = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(hands),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    names = ["native", "samples"]
    targets = [world.target(name) for name, world in zip(names, worlds, strict=True)]
    with Wrapped(config(targets), "env", *(f"{name}={value}" for name, value in fake.items()), env=ENV) as daemon:
        for name in names:
            daemon.wait_for("hypervisor_target_up", 1, target=name)
        watch = Watch(daemon, names)
        until(watch.goes_on, 20, "collections", daemon.child)
        hands.write_text(f"{step:+d}")
        until(lambda: "the wall clock moved by" in daemon.log(), 10, "notice of the step", daemon.child)
        after = Watch(daemon, names)
        until(after.goes_on, 20, "collections", daemon.child)
        shown = daemon.page().value("hypervisor_target_last_success_timestamp_seconds", target="native", group="vitals")
        assert shown == pytest.approx(time.time() + step, abs=10)
        page = daemon.page()
        for name in names:
            assert len(page.find("hypervisor_guest_state", target=name)) == 3
            done = counted(page, name, "success") - counted(watch.before, name, "success")
            assert done >= time.monotonic() - watch.since - 4
        # Nothing that was counted is lost and the two hours are not counted: at most the minute of samples that the
        # endpoint, whose clock was put as well, offers under other times.
        for series, value in watch.counters.items():
            assert value <= watch._counters(page)[series] <= value + 0.5 * (time.monotonic() - watch.since + 63), series
        assert "a bug in" not in daemon.log()
