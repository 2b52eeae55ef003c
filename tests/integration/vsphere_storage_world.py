"""A session of the simulated vCenter for the groups storage and snapshots, and files of guests as one sets them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from collectors.vsphere.session import open_session
from exporter.config.model import Auth, Profile, Target, Tls
from exporter.contract import Context, Deadline, Meter
from exporter.model import Guest, Observation, Storage
from exporter.secrets import SecretSource
from tests.backends.vcenter import PASSWORD, USER, VCenter

ACCOUNT = Auth("monitor", USER, SecretSource("literal", PASSWORD))


class Estate:
    """A simulated vCenter as one session sees it; `collect("storage")` is what was seen last."""

    def __init__(self, vcenter: VCenter, **options: Any) -> None:
        self.vcenter = vcenter
        tls = Tls(insecure_skip_verify=True)
        target = Target("lab", "vsphere", vcenter.sdk, auth=ACCOUNT, tls=tls, options=options, profile=Profile())
        self.session = open_session(target, Context(Meter(), logging.getLogger("lab")))
        self.seen: Observation

    def collect(self, group: str, seconds: float = 60) -> Observation:
        self.seen = self.session.collect(group, Deadline.after(seconds))
        return self.seen

    def guest(self, reference: str) -> Guest:
        """A guest by its reference, `VirtualMachine:vm-52`."""
        (found,) = (each for each in self.seen.guests if each.native_id == reference.split(":")[1])
        return found

    def storage(self, reference: str) -> Storage:
        (found,) = (each for each in self.seen.storages if each.id == reference.split(":")[1])
        return found

    def problems(self) -> dict[str, int]:
        return {each.name: each.count for each in self.seen.problems}

    def asked(self, group: str) -> int:
        """How often properties are asked for in one collection."""
        self.vcenter.calls()
        self.collect(group)
        return self.vcenter.calls().get("RetrievePropertiesEx", 0)


@contextmanager
def estate(vcenter: VCenter, **options: Any) -> Iterator[Estate]:
    opened = Estate(vcenter, **options)
    try:
        yield opened
    finally:
        opened.session.close()


Layers = Sequence[tuple[str, int]]


class Files:
    """`layoutEx` of a guest put together: `layer` and `file` give keys, `value` what the control port takes."""

    def __init__(self) -> None:
        self.files: list[dict[str, Any]] = []

    def file(self, path: str, size: int, kind: str = "diskExtent", **more: Any) -> int:
        key = len(self.files)
        self.files.append({"key": key, "name": path, "type": kind, "size": size, "uniqueSize": size, **more})
        return key

    def layer(self, path: str, size: int) -> dict[str, Any]:
        """A layer of a disk: a descriptor of 100 bytes and an extent of `size`."""
        descriptor = self.file(path, 100, "diskDescriptor")
        return {"fileKey": [descriptor, self.file(path.replace(".vmdk", "-delta.vmdk"), size)]}

    def value(
        self,
        disks: Mapping[int, Sequence[dict[str, Any]]],
        snapshots: Sequence[dict[str, Any]] = (),
        timestamp: str = "2026-01-02T03:04:05Z",
    ) -> dict[str, Any]:
        return {
            "file": self.files,
            "disk": chains(disks),
            "snapshot": [*snapshots],
            "timestamp": timestamp,
        }


def chains(disks: Mapping[int, Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"key": key, "chain": [*layers]} for key, layers in disks.items()]


def frozen(
    reference: str, data: int, disks: Mapping[int, Sequence[dict[str, Any]]], memory: int = -1
) -> dict[str, Any]:
    """What a snapshot holds on to."""
    key = {"type": "VirtualMachineSnapshot", "value": reference}
    return {"key": key, "dataKey": data, "memoryKey": memory, "disk": chains(disks)}
