"""The world of the contract suite: a failover cluster of two hosts behind the WinRM server that our tests use.

The server belongs to a checkout (`tests/backends/winrm`); elsewhere there is no such world.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exporter.config.model import Auth, Target, Tls
from exporter.secrets import SecretSource
from exporter.testing import Unavailable, World

_CHECKOUT = Path(__file__).parents[2]
_SECRET = "a-secret-of-the-contract"  # noqa: S105  of nobody
_SYSTEM, _SETTINGS = "Msvm_ComputerSystem", "Msvm_VirtualSystemSettingData"
_RELATION = "Msvm_ReplicationRelationship"
_MERGING = 32772

UNDELIVERED: Mapping[str, str] = {}
"""What the small cluster does not show."""


def _double() -> Any:
    """The server's package."""
    if not (_CHECKOUT / "tests" / "backends" / "winrm").is_dir():
        raise Unavailable("the WinRM server of the tests is not here: run this in a checkout")
    for library in ("winrm", "spnego", "trustme"):
        if importlib.util.find_spec(library) is None:
            raise Unavailable(f"{library} is not installed: pip install -e . in a checkout, with the group dev")
    if str(_CHECKOUT) not in sys.path:
        sys.path.append(str(_CHECKOUT))
    return importlib.import_module("tests.backends.winrm")


def _estate(double: Any) -> Any:
    """Two hosts with three guests each, of which one is off, and something of everything that is told."""
    made = double.cluster(nodes=2, guests=6)
    first, second = made.nodes
    by_name = {guest.name: guest for guest in made.guests.values()}
    now = datetime.now(UTC)
    guest, replicated = by_name["guest-1"], by_name["guest-2"]
    double.add_checkpoint(first, guest, "before the update", now - timedelta(days=3))
    double.add_checkpoint(first, guest, "backup", now - timedelta(hours=1), kind="backup")
    row = first.row(_SYSTEM, Name=guest.guid)
    row["LastSuccessfulBackupTime"] = now - timedelta(hours=6)
    row["OperationalStatus"] = [2, _MERGING]
    setting = next(
        row for row in first.rows("Msvm_ProcessorSettingData") if row["InstanceID"].startswith(guest.path + "\\")
    )
    setting["Limit"], setting["Reservation"] = 50_000, 10_000
    second.row(_SYSTEM, Name=replicated.guid).update(ReplicationMode=1, ReplicationHealth=1)
    second.add(
        _RELATION,
        InstanceID=f"{replicated.path}\\HVR\\0",
        ReplicationHealth=1,
        ReplicationState=3,
        LastReplicationTime=now - timedelta(minutes=4),
    )
    made.clock.run()
    return made


class _Endpoint:
    """The cluster's hosts behind one server."""

    def __init__(self, double: Any) -> None:
        self.server = double.WinRM(_estate(double), tls=True, password=_SECRET)
        self.server.start()

    def target(self, password: str = _SECRET) -> Target:
        """The cluster, entered at its first node."""
        auth = Auth("contract", self.server.user, SecretSource("literal", password))
        addresses = {site.name: site.host for site in self.server.sites}
        return Target(
            "contract",
            "hyperv",
            self.server.url,
            auth=auth,
            tls=Tls(ca_file=self.server.ca_file),
            options={"node_addresses": addresses},
        )

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Every host takes requests, and answers none."""
        with ExitStack() as stack:
            for site in self.server.sites:
                stack.enter_context(site.misbehave("hang"))
            yield

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Every host is down; afterwards they are back."""
        for site in self.server.sites:
            site.stop()
        try:
            yield
        finally:
            for site in self.server.sites:
                site.start()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Counters of virtual processors may not be read; everything else may."""
        with ExitStack() as stack:
            for site in self.server.sites:
                order = site.misbehave(
                    "fault",
                    name="access_denied",
                    operation="Enumerate",
                    class_name="Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor",
                )
                stack.enter_context(order)
            yield


@contextmanager
def world() -> Iterator[World]:
    """A small cluster whose hosts can hang, vanish, and refuse a class."""
    endpoint = _Endpoint(_double())
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"https://127.0.0.1:{free.getsockname()[1]}"
    try:
        target = endpoint.target()
        yield World(
            target=target,
            unreachable=dataclasses.replace(target, address=nobody),
            refused=endpoint.target("not-the-secret"),
            secret=_SECRET,
            sdk=("winrm",),
            undelivered=UNDELIVERED,
            hang=endpoint.hung,
            vanish=endpoint.gone,
            break_part=endpoint.refusing,
            pause_seconds=2.0,
        )
    finally:
        endpoint.server.stop()
