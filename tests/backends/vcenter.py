"""A vCenter or ESXi of govmomi's simulator for tests, and govc to look at it with other eyes than ours.

What the simulator does otherwise than a real vCenter stands in vcsim/DIFFERENCES.md.
"""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.backends.processes import BackendError, Child, Scratch, until

BUILT = Path(__file__).parents[2] / "build" / "vcsim"
USER, PASSWORD = "monitor@vsphere.local", "secret"


class VCenter:
    """`with VCenter("--hosts=3", "--machines=2") as vcenter: vcenter.govc("find", "/")`; flags: `vcenter -help`."""

    def __init__(self, *flags: str) -> None:
        self.flags = flags
        self.scratch: Scratch
        self.child: Child
        self.sdk = self._control = ""

    def start(self) -> Self:
        if not (BUILT / "vcenter").exists():
            raise BackendError("the simulated vCenter is not built: make vcsim")
        self.scratch = Scratch("vcenter")
        try:
            self._serve()
        except BaseException:
            self.stop()
            raise
        return self

    def _serve(self, *flags: str) -> None:
        self.child = self.scratch.start("vcenter", str(BUILT / "vcenter"), *self.flags, *flags)
        line = until(self._first_line, 60, "address of the vCenter", self.child)
        self.sdk, self._control = line["sdk"], line["control"]

    def _first_line(self) -> dict[str, str] | None:
        for line in self.child.log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}"):
                return json.loads(line)
        return None

    def restart(self) -> None:
        """End the process and start it again at the same address: sessions and changes are gone."""
        self.child.stop()
        self.child.log.unlink()
        self._serve(f"--listen={self.address}")

    def stop(self) -> None:
        self.scratch.close()

    @property
    def address(self) -> str:
        """Host and port of the SDK."""
        return self.sdk.split("/")[2]

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def order(self, path: str, **body: Any) -> Any:
        """Something of the control port; raises BackendError with its sentence."""
        request = urllib.request.Request(f"{self._control}/{path}", data=json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise BackendError(f"{path}: {error.read().decode().strip()}") from error

    def set(self, reference: str, properties: Mapping[str, Any]) -> None:
        """New values of properties by path, as the API's JSON has them; None takes a value away."""
        self.order("set", object=reference, properties=dict(properties))

    def fault(self, fault: str, **where: Any) -> None:
        """Answer calls with a fault: method, type, name, message, properties, times, delayMs, probability."""
        self.order("fault", fault=fault, **where)

    def refuse(self, **privileges: str) -> None:
        """Refuse calls for properties by `Type.path`, each for want of a privilege."""
        self.order("refuse", **privileges)

    def clear(self) -> None:
        """No more faults and delays."""
        self.order("faults/clear")

    def calls(self) -> dict[str, int]:
        """Calls by method since the last time."""
        return self.order("calls")

    def sessions(self) -> list[str]:
        """The users of the sessions there are."""
        return self.order("sessions")["users"]

    def govc(self, *arguments: str) -> str:
        """Run govc; raises BackendError with what it says."""
        env = {
            **os.environ,
            "GOVC_URL": self.sdk,
            "GOVC_USERNAME": USER,
            "GOVC_PASSWORD": PASSWORD,
            "GOVC_INSECURE": "1",
            "GOVC_PERSIST_SESSION": "false",
            "GOVC_SHOW_UNRELEASED": "true",
        }
        command = [str(BUILT / "govc"), *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise BackendError(f"govc {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def collect(self, path: str, *properties: str) -> dict[str, Any]:
        """Properties of an object by its inventory path or reference, as JSON."""
        found = json.loads(self.govc("object.collect", "-json", path, *properties))
        return {each["name"]: each.get("val") for each in found}

    def references(self, kind: str) -> dict[str, str]:
        """References (`VirtualMachine:vm-52`) by inventory path of a kind (govc's letter: m, h, s, c, p)."""
        paths = self.govc("find", "-type", kind, "/").split("\n")
        references = self.govc("find", "-i", "-type", kind, "/").split("\n")
        return {path: reference for path, reference in zip(paths, references, strict=True) if path}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def flags_of(**counts: int) -> Sequence[str]:
    """Flags for the size of an inventory."""
    return [f"--{name}={count}" for name, count in counts.items()]
