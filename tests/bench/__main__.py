"""Every benchmark of the core, one after the other; exits 1 when a goal was missed. `--full` adds the large sizes."""

from __future__ import annotations

import subprocess
import sys

PARTS = ("render", "scrape", "growth", "estate", "flood")


def main() -> int:
    commands = [[sys.executable, "-m", f"tests.bench.{part}", *sys.argv[1:]] for part in PARTS]
    return max([subprocess.run(command, check=False).returncode for command in commands])


if __name__ == "__main__":
    sys.exit(main())
