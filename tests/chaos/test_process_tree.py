"""The processes of the daemon: whom they obey, when they end, and that they leave nothing behind, whatever hangs."""

import os
import signal
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
import pytest

from tests.backends.daemon import Daemon, document
from tests.backends.processes import Child, Scratch, free_port, until
from tests.chaos.conftest import FAST, Watch, daemon_of, healthy
from tests.scripted.build import ENV, die, fault, hang, scripted, seize

pytestmark = pytest.mark.timeout(180)

GRACE_SECONDS = 4
FOR_EVER = 120
STUCK = {
    "a call hangs": [hang(group="vitals")],
    "a call cannot be unblocked and logging out hangs": [hang(), hang(phase="close")],
    "the interpreter lock is held": [seize(group="vitals", seconds=FOR_EVER)],
    "the process is stopped": [die(group="vitals", signal="SIGSTOP")],
}
"""What keeps a worker from ending by itself."""


def ended(daemon, status: int = 0) -> None:
    """The daemon said goodbye with this exit status; -15 would be the signal's own doing."""
    until(lambda: f"[ended with status {status}]" in daemon.log(), 5, f"exit status {status}")


def family(daemon) -> list[psutil.Process]:
    """Every process of the daemon but the first."""
    return psutil.Process(daemon.child.pid).children(recursive=True)


def gone(processes, timeout_seconds: float = 5) -> None:
    _, alive = psutil.wait_procs(processes, timeout=timeout_seconds)
    assert alive == []


@contextmanager
def stuck_daemon(tmp_path, faults=None, **rest):
    """A daemon with a worker for each way of being stuck, and in each worker a call that is stuck that way."""
    ways = STUCK if faults is None else {"it": faults}
    worlds = [scripted(tmp_path, name=f"stuck-{number}") for number in range(len(ways))]
    targets = [world.target(f"stuck-{number}") for number, world in enumerate(worlds)]
    with daemon_of(targets, workers=len(worlds), flags=[f"--shutdown.grace={GRACE_SECONDS}s"], **rest) as daemon:
        for number in range(len(worlds)):
            daemon.wait_for("hypervisor_target_up", 1, target=f"stuck-{number}")
        processes = family(daemon)
        for world, faults_of in zip(worlds, ways.values(), strict=True):
            world.change(faults=faults_of)
        for number in range(len(worlds)):
            daemon.wait_for("hypervisor_target_up", 0, target=f"stuck-{number}")
        yield daemon, {*processes, *family(daemon)}


def test_signals_meant_for_the_daemon_leave_its_workers_at_work(tmp_path):
    world = scripted(tmp_path)
    with daemon_of(healthy(world, 4), workers=2) as daemon:
        names = [f"healthy-{number}" for number in range(4)]
        daemon.wait_for("hypervisor_target_up", 1, target=names[-1])
        workers = {worker.pid for worker in daemon.workers()}
        watch = Watch(daemon, names)
        for pid in workers:
            assert os.getpgid(pid) != os.getpgid(daemon.child.pid)  # Ctrl-C at a terminal is for the parent alone
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
                os.killpg(os.getpgid(pid), number)
        until(watch.goes_on, 20, "collections", daemon.child)
        watch.check()
        assert {worker.pid for worker in daemon.workers()} == workers
        processes = family(daemon)
        os.killpg(os.getpgid(daemon.child.pid), signal.SIGINT)
        assert daemon.child.wait(10)
        ended(daemon)
        gone(processes)


def test_workers_die_with_a_parent_that_is_killed_however_stuck_they_are(tmp_path):
    with stuck_daemon(tmp_path) as (daemon, processes):
        assert len(daemon.workers()) >= len(STUCK)
        daemon.child.send(signal.SIGKILL)
        gone(processes)


def test_a_parent_that_is_stopped_and_killed_takes_its_workers_along(tmp_path):
    with stuck_daemon(tmp_path, STUCK["the interpreter lock is held"]) as (daemon, processes):
        daemon.child.send(signal.SIGSTOP)
        daemon.child.send(signal.SIGKILL)
        gone(processes)


def test_it_ends_in_time_however_stuck_its_workers_are(tmp_path):
    with stuck_daemon(tmp_path) as (daemon, processes):
        begun = time.monotonic()
        assert daemon.terminate(GRACE_SECONDS), daemon.child.log_tail()
        assert time.monotonic() - begun <= GRACE_SECONDS
        ended(daemon)
        gone(processes, 1)
        assert "a worker did not end in time and is killed" in daemon.log()


@pytest.mark.parametrize("more", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_second_signal_neither_hurries_nor_stops_the_end(tmp_path, more):
    with stuck_daemon(tmp_path, STUCK["a call hangs"]) as (daemon, processes):
        daemon.child.send(signal.SIGTERM)
        until(lambda: "msg=stopping" in daemon.log() or 'msg="stopping"' in daemon.log(), 5, "its end", daemon.child)
        daemon.child.send(more)
        assert daemon.child.wait(GRACE_SECONDS), daemon.child.log_tail()
        ended(daemon)
        gone(processes, 1)


def test_a_worker_that_is_stopped_is_replaced_and_ended(tmp_path):
    good = scripted(tmp_path, name="good")
    with daemon_of(healthy(good, 4), workers=2) as daemon:
        names = [f"healthy-{number}" for number in range(4)]
        daemon.wait_for("hypervisor_target_up", 1, target=names[-1])
        stopped = daemon.workers()[0]
        before = {name: good.journal.pids(target=name)[-1] for name in names}
        watch = Watch(daemon, [name for name in names if before[name] != stopped.pid])
        assert len(watch.names) == 2
        stopped.suspend()
        gone([stopped], 60)
        watch.check()
        until(Watch(daemon, names).goes_on, 60, "collections of every target", daemon.child)
        assert stopped.pid not in {good.journal.pids(target=name)[-1] for name in names}


# Signals while it is busy with itself.


@dataclass
class Unready:
    """A daemon that was started a moment ago; `mark` is in the environment of all its processes."""

    address: str
    child: Child
    mark: str

    def log(self) -> str:
        return self.child.log.read_text(errors="replace")

    def answers(self) -> bool:
        return Daemon.get(self, "/-/healthy").status == 200

    def left(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("CHAOS_MARK") == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
        return found


@contextmanager
def launched(targets):
    """A daemon that nobody waits for."""
    profiles = {"default": {"intervals": FAST, "timeout": "800ms"}}
    with Scratch("starting") as scratch:
        file = scratch.file("config.yml", document(targets, profiles=profiles, workers=2))
        address, mark = f"127.0.0.1:{free_port()}", uuid.uuid4().hex
        command = (sys.executable, "-m", "exporter", "serve", f"--config.file={file}")
        flags = (f"--web.listen-address={address}", f"--shutdown.grace={GRACE_SECONDS}s")
        child = scratch.start("exporter", *command, *flags, env={**os.environ, **ENV, "CHAOS_MARK": mark})
        yield Unready(address, child, mark)


MOMENTS = {
    "before it can listen": lambda daemon: daemon.left(),
    "when it answers": lambda daemon: daemon.answers(),
    "when workers run": lambda daemon: any("exporter.runtime.worker" in command for command in daemon.left()),
    "when a call hangs": lambda daemon: daemon.hung(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_it_ends_in_time_before_it_is_ready(tmp_path, moment):
    world = scripted(tmp_path, faults=[hang(phase="connect")])
    with launched([world.target(f"slow-{number}") for number in range(6)]) as daemon:
        daemon.hung = lambda: world.journal.count("hang")
        until(lambda: MOMENTS[moment](daemon), 30, moment, daemon.child)
        daemon.child.send(signal.SIGTERM)
        assert daemon.child.wait(GRACE_SECONDS), daemon.child.log_tail()
        until(lambda: not daemon.left(), 3, f"end of every process: {daemon.left()}")
        assert "Traceback" not in daemon.log()


def test_it_ends_in_time_during_a_reload(tmp_path):
    world = scripted(tmp_path)
    slow_start = scripted(tmp_path, name="new", faults=[hang(phase="connect")])
    with daemon_of(healthy(world, 2), flags=[f"--shutdown.grace={GRACE_SECONDS}s"]) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="healthy-1")
        profiles = {"default": {"intervals": FAST}}
        daemon.reload(document([slow_start.target(f"new-{n}") for n in range(40)], profiles=profiles, workers=4))
        processes = family(daemon)
        assert daemon.terminate(GRACE_SECONDS), daemon.child.log_tail()
        ended(daemon)
        gone(processes, 1)
        assert "the configuration is loaded" in daemon.log()  # orders are carried out one after the other
        assert "Traceback" not in daemon.log()


# What is left behind.


def sizes(daemon) -> list[tuple[int, int, int]]:
    """Threads, descriptors and children of the parent and of every worker, oldest first."""
    processes = [psutil.Process(daemon.child.pid), *sorted(daemon.workers(), key=lambda each: each.pid)]
    return [(each.num_threads(), each.num_fds(), len(each.children())) for each in processes]


def test_nothing_is_left_behind_by_fifty_reloads(tmp_path):
    world = scripted(tmp_path)
    scraps = tmp_path / "tmp"
    scraps.mkdir()
    profiles = {"default": {"intervals": FAST}}

    def config(number):
        # One target stays, one changes, and one comes or goes.
        changed = world.target("changed", labels={"site": f"s{number}"})
        return document(
            [world.target("stays"), changed, *([world.target("guest")] if number % 2 else [])],
            profiles=profiles,
            workers=2,
        )

    def used(daemon, site):
        mine = {"target": "changed"}
        until(lambda: daemon.page().find("hypervisor_target_info", **mine, site=site), 10, "label", daemon.child)
        until(lambda: daemon.page().find("hypervisor_target_up", **mine), 10, "vitals", daemon.child)

    def reload(daemon, numbers):
        for number in numbers:
            daemon.reload(config(number))
            until(lambda n=number: daemon.log().count("the configuration is loaded") == n, 10, "reload", daemon.child)
            if number % 5 == 0:  # some sessions are closed before they were used, some later
                used(daemon, f"s{number}")

    with Daemon(config(0), env={**ENV, "TMPDIR": str(scraps)}) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="stays")
        sessions = world.journal.count("login", target="stays")
        reload(daemon, range(1, 11))
        until(lambda: len(sizes(daemon)) == 3, 10, "workers", daemon.child)
        before = sizes(daemon)
        reload(daemon, range(11, 51))
        until(lambda: not_more(sizes(daemon), before), 20, f"sizes as they were: {before}", daemon.child)
        assert world.journal.count("login", target="stays") == sessions
        assert world.journal.count("logout", target="changed") >= 5
        assert list(scraps.iterdir()) == []
        assert daemon.terminate(10)
        assert list(scraps.iterdir()) == []


def not_more(after, before) -> bool:
    """A descriptor or a thread may be in use just now; none per reload may stay."""
    return len(after) == len(before) and all(
        now <= then + slack
        for each, other in zip(after, before, strict=True)
        for now, then, slack in zip(each, other, (2, 3, 0), strict=True)
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_no_file_outlives_the_daemon(tmp_path, how):
    scraps = tmp_path / "tmp"
    scraps.mkdir()
    world = scripted(tmp_path)
    profiles = {"default": {"intervals": FAST}}
    with Daemon(document([world.target("a")], profiles=profiles), env={**ENV, "TMPDIR": str(scraps)}) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="a")
        processes = family(daemon)
        daemon.child.send(how)
        assert daemon.child.wait(10)
        gone(processes)
        assert list(scraps.iterdir()) == []


# Secrets.


def test_no_secret_is_on_a_command_line_or_in_a_log(tmp_path):
    canaries = {kind: f"Canary-{kind}-{uuid.uuid4().hex}" for kind in ("file", "env", "credential")}
    (tmp_path / "secret").write_text(canaries["file"] + "\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "hv").write_text(canaries["credential"])
    sources = {
        "file": {"file": str(tmp_path / "secret")},
        "env": {"env": "CHAOS_SECRET"},
        "credential": {"credential": "hv"},
    }
    auths = {kind: {"username": "u", "password": source} for kind, source in sources.items()}
    worlds = {kind: scripted(tmp_path, name=kind, password=canaries[kind]) for kind in sources}
    targets = [world.target(kind, auth=kind) for kind, world in worlds.items()]
    profiles = {"default": {"intervals": FAST}}
    config = document(targets, auths=auths, profiles=profiles, workers=2)
    env = {**ENV, "CHAOS_SECRET": canaries["env"], "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    with Daemon(config, env=env, flags=["--log.level=debug"]) as daemon:
        for kind in sources:
            daemon.wait_for("hypervisor_target_up", 1, target=kind)
        for world in worlds.values():  # so that something is said about them
            world.change(faults=[fault("bug", group="storage"), fault("fail", group="vitals", error="Unreachable")])
        for kind in sources:
            daemon.wait_for("hypervisor_target_up", 0, target=kind)
        processes = [psutil.Process(daemon.child.pid), *family(daemon)]
        assert len(processes) >= 3
        for process in processes:
            assert not any(canary in argument for canary in canaries.values() for argument in process.cmdline())
            environment = "\n".join(process.environ().values())
            assert canaries["file"] not in environment
            assert canaries["credential"] not in environment
        told = daemon.log() + "".join(daemon.get(path).text for path in ("/", "/config", "/metrics", "/-/healthy"))
        assert len(told) > 1000
        assert not any(canary in told for canary in canaries.values())
