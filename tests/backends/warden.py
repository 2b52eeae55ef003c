"""The process that looks after a back end's processes and scratch directory. Standard library only; processes.py
starts it.

It starts what it is told to (one JSON object per line on standard input) and answers with the process id. When its
input ends, because the back end is closed or because the test run died in whatever way, it kills every descendant and
removes the directory. As "child subreaper" it also inherits what puts itself into the background, such as the QEMU
processes of libvirtd.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class Warden:
    def __init__(self, directory: Path, parent: int) -> None:
        self.directory = directory
        self.parent = parent
        self.logs: dict[int, Path] = {}
        self.starting = False

    def run(self) -> None:
        """Carry out orders until they end, then leave nothing behind."""
        signal.signal(signal.SIGCHLD, self.reap)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        signal.signal(signal.SIGUSR1, self.leave_if_orphaned)
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, lambda *_: None)  # a handler, since children would inherit SIG_IGN
        try:
            libc = ctypes.CDLL(None)
            libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
            self.leave_if_orphaned()
            try:
                for line in sys.stdin:
                    print(json.dumps(self.start(json.loads(line))), flush=True)
            finally:  # the input's end and the signal come together; only one of them may interrupt
                signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        finally:
            for signum in (signal.SIGTERM, signal.SIGUSR1):
                signal.signal(signum, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            kill_descendants()
            shutil.rmtree(self.directory, ignore_errors=True)

    def leave_if_orphaned(self, *_) -> None:
        """End if the test run is gone: the signal also comes when only the thread that started us has ended."""
        if os.getppid() != self.parent:
            sys.exit()

    def start(self, order: dict) -> dict:
        """Start `order["command"]`; it also dies when the warden is killed."""
        command = ["setpriv", "--pdeathsig", "KILL", *order["credentials"], "--", *order["command"]]
        log = Path(order["log"])
        self.starting = True
        try:
            with log.open("ab") as output:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=order["env"],
                    cwd=self.directory,
                    start_new_session=True,
                )
            self.logs[child.pid] = log
            child.returncode = 0  # reaped below, not by Popen
        except OSError as error:
            return {"error": str(error)}
        else:
            return {"pid": child.pid}
        finally:
            self.starting = False
            self.reap()

    def reap(self, *_) -> None:
        if self.starting:
            return
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if log := self.logs.pop(ended[0], None):
                    with log.open("a") as output:
                        output.write(f"[ended with status {os.waitstatus_to_exitcode(ended[1])}]\n")


def kill_descendants() -> None:
    """Kill children until there are none: the children of a killed one become ours."""
    with suppress(ChildProcessError):
        while True:
            for pid in children():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)


def children() -> list[int]:
    """Ids of the processes whose parent is this one."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


if __name__ == "__main__":
    Warden(Path(sys.argv[1]), int(sys.argv[2])).run()
