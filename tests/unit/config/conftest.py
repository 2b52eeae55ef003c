"""Three made-up platforms and a small catalogue, for loading documents in tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pydantic
import pytest

from exporter.config import loading
from exporter.config.model import Config

CORE = frozenset({"vitals", "storage", "snapshots", "inventory"})


class Options(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)


class LibvirtOptions(Options):
    refresh_pools: bool = False
    keepalive: int = pydantic.Field(5, ge=1, le=60)


class Retry(Options):
    attempts: int = 3


class HypervOptions(Options):
    node_address: str | None = None
    cpu_wait_unit: Literal["100ns", "ns"] = "100ns"
    retry: Retry = Retry()


@dataclass(frozen=True)
class Platform:
    name: str
    options: type[pydantic.BaseModel] = Options
    groups: frozenset[str] = CORE
    opt_in_groups: frozenset[str] = frozenset()
    refused_schemes: tuple[str, ...] = field(default=())

    def check_address(self, address: str) -> str | None:
        scheme = address.partition("://")[0]
        return f"the URI scheme {scheme} is not supported" if scheme in self.refused_schemes else None


PLATFORMS = {
    "vsphere": Platform("vsphere"),
    "libvirt": Platform(
        "libvirt", LibvirtOptions, opt_in_groups=frozenset({"agent"}), refused_schemes=("phyp", "xenapi")
    ),
    "hyperv": Platform("hyperv", HypervOptions),
}
LABELS = frozenset({"target", "platform", "host", "guest", "guest_id", "disk"})
FAMILIES = frozenset({
    "hypervisor_guest_disk_read_seconds_total",
    "hypervisor_guest_disk_write_seconds_total",
    "hypervisor_guest_disk_flushes_total",
    "hypervisor_guest_cpu_seconds_total",
    "hypervisor_host_up",
})  # fmt: skip


@pytest.fixture(scope="session")
def load():
    """Loads a file with the platforms and the catalogue of these tests."""

    def with_platforms(path) -> Config:
        return loading.load(path, platforms=PLATFORMS, known_labels=LABELS, known_families=FAMILIES)

    return with_platforms


@pytest.fixture(scope="session")
def loads():
    """Loads a text with the platforms and the catalogue of these tests."""

    def with_platforms(text: str) -> Config:
        return loading.loads(text, platforms=PLATFORMS, known_labels=LABELS, known_families=FAMILIES)

    return with_platforms


@pytest.fixture(scope="session")
def platforms():
    return PLATFORMS
