"""The worlds of the simulated platform for the contract suite, one for each look, with every fault."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from exporter.config.model import Auth, Target
from exporter.secrets import SecretSource
from exporter.testing import World

SECRET = "correct horse battery"  # noqa: S105  leads nowhere
_SEED = "contract"
_GUESTS = 60


def _world(platform: str) -> Callable[[], AbstractContextManager[World]]:
    @contextmanager
    def world() -> Iterator[World]:
        """A fleet with a file of faults, which is empty until one is entered."""
        with tempfile.TemporaryDirectory(prefix="simulated-") as folder:
            file = Path(folder) / "faults.json"

            def target(**options: object) -> Target:
                given = {"seed": _SEED, "guests": _GUESTS, **options}
                auth = Auth("contract", "monitor", SecretSource("literal", SECRET))
                return Target("contract", platform, "simulated://contract", auth=auth, options=given)

            yield World(
                target=target(faults_file=str(file)),
                unreachable=target(faults=[{"kind": "unreachable"}]),
                refused=target(faults=[{"kind": "refuse"}]),
                secret=SECRET,
                hang=partial(_struck, file, "hang"),
                vanish=partial(_struck, file, "unreachable"),
                break_part=partial(_struck, file, "break_part"),
                deadline_seconds=10.0,
                pause_seconds=0.5,
            )

    return world


@contextmanager
def _struck(file: Path, kind: str) -> Iterator[None]:
    file.write_text(json.dumps([{"kind": kind}]), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink()


plain = _world("simulated")
vsphere = _world("simulated.vsphere")
hyperv = _world("simulated.hyperv")
libvirt = _world("simulated.libvirt")
proxmox = _world("simulated.proxmox")
