"""What tests of alerts live in: guests with old snapshots whose hosts promise more memory than they have, at a real
libvirtd, a simulated vCenter and the tests' Hyper-V host; the daemon; a Prometheus with our rules; an Alertmanager.

Intervals are four seconds, and what an alert waits for is scaled down to fit.
"""

import datetime as dt
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree as ET

import yaml

from tests.backends import estate
from tests.backends.alertmanager import Alertmanager
from tests.backends.daemon import Daemon, document, libvirt, repository
from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.prometheus import Prometheus, scrape
from tests.backends.vcenter import PASSWORD, USER, VCenter, flags_of
from tests.backends.winrm import Ago, Guest, WinRM, add_checkpoint, add_guest, remove_checkpoint, set_state, stand_alone
from tests.backends.winrm.guest import OFF
from tests.backends.winrm.hosts import Hardware, stable_id

DAY = 86_400
INTERVALS = dict.fromkeys(("vitals", "storage", "snapshots", "inventory"), "4s")
RUNBOOKS = "https://runbooks.example.org/hypervisors"
RULES = ("--for-scale=0.015", "--rate-window=1m", f"--runbook-url={RUNBOOKS}")
LAB, VC, HV, GONE = "lab", "vc", "hv", "gone"
WEEKS_OLD, MONTHS_OLD = "ten days old", "forty days old"
AGES = {WEEKS_OLD: 10, MONTHS_OLD: 40}
BIG = tuple(f"big {number}" for number in range(3))
"""Guests that may take half of the host's memory each."""


def rules() -> str:
    """What the command `rules` prints."""
    command = [sys.executable, "-m", "exporter", "rules", *RULES]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=repository(), timeout=60).stdout


def inhibitions() -> list[dict[str, Any]]:
    """The generated rules of which alert silences which."""
    return yaml.safe_load((repository() / "dashboards/alertmanager/inhibit-rules.yml").read_text())["inhibit_rules"]


class Lab:
    """Our guests in a libvirtd that others use too."""

    target, platform = LAB, "libvirt"

    def __init__(self, lab: LibvirtLab) -> None:
        self._lab, self._guests = lab, []

    def __enter__(self) -> Self:
        for name, days in AGES.items():
            guest = self._lab.define(name, devices=estate.qcow2(self._lab, name.replace(" ", "-")))
            self._guests.append(name)
            estate.redefine_snapshot(guest, "before the update", int(time.time()) - days * DAY)
        for name in BIG:
            self._lab.launch(name, memory_mib=self.host_mib() // 2)
            self._guests.append(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._guests:
            self._lab.discard(name)

    def host_mib(self) -> int:
        total = next(line for line in self._lab.virsh("nodememstats").splitlines() if line.startswith("total"))
        return int(total.split()[2]) // 1024

    def document(self) -> dict[str, Any]:
        return libvirt(LAB, self._lab.uri)

    def accounts(self) -> dict[str, tuple[str, str]]:
        return {}

    def identity(self, guest: str) -> str:
        return self._lab.virsh("domuuid", guest).strip()

    def host(self) -> tuple[str, str]:
        """Name and id."""
        capabilities = ET.fromstring(self._lab.virsh("capabilities"))
        return self._lab.virsh("hostname").strip(), capabilities.findtext("host/uuid", "")

    def overcommit(self) -> float:
        """Memory of guests that are not off over that of the host."""
        names = self._lab.virsh("list", "--name").splitlines()
        info = [self._lab.virsh("dominfo", name).splitlines() for name in names if name.strip()]
        most = (int(line.split()[2]) for lines in info for line in lines if line.startswith("Max memory"))
        return sum(most) / 1024 / self.host_mib()

    def remove_snapshot(self, guest: str) -> None:
        self._lab.virsh("snapshot-delete", guest, "before the update", "--metadata")

    def give_memory_back(self) -> None:
        for name in BIG:
            self._lab.virsh("destroy", name)


class Vc:
    """A simulated vCenter with one host and two guests; what is done to it outlives its end."""

    target, platform = VC, "vsphere"

    def __init__(self, folder: Path) -> None:
        self._saved = folder / "saved"
        self.vcenter = VCenter(*flags_of(clusters=0, hosts=1, machines=2), "--api-version=8.0.3.0")

    def __enter__(self) -> Self:
        self.vcenter.start()
        self._calm()
        references = self.vcenter.references("m")
        self._references = dict(zip(AGES, sorted(references.values()), strict=True))
        for name, reference in self._references.items():
            self.vcenter.set(reference, {"name": name})
            self._give(reference, 4096)
            self._age(reference, AGES[name])
        self.vcenter.govc("object.save", "-d", str(self._saved))
        return self

    def __exit__(self, *_: object) -> None:
        self.vcenter.stop()

    def restart(self) -> None:
        """With what it held when the tests began."""
        self.vcenter.flags = (f"--load={self._saved}", "--api-version=8.0.3.0")
        self.vcenter.restart()
        self._calm()

    def document(self) -> dict[str, Any]:
        target = {"name": VC, "platform": self.platform, "address": self.vcenter.sdk, "auth": VC}
        return {**target, "tls": {"insecure_skip_verify": True}}

    def accounts(self) -> dict[str, tuple[str, str]]:
        return {VC: (USER, PASSWORD)}

    def identity(self, guest: str) -> str:
        return self.vcenter.collect(self._references[guest], "config.instanceUuid")["config.instanceUuid"]

    def host(self) -> tuple[str, str]:
        told = self._of_host("name", "hardware.systemInfo.uuid")
        return told["name"], told["hardware.systemInfo.uuid"]

    def overcommit(self) -> float:
        return 2 * 4096 * 2**20 / self._of_host("hardware.memorySize")["hardware.memorySize"]

    def _of_host(self, *properties: str) -> dict[str, Any]:
        (reference,) = self.vcenter.references("h").values()
        return self.vcenter.collect(reference, *properties)

    def remove_snapshot(self, guest: str) -> None:
        self.vcenter.govc("snapshot.remove", f"-vm={self._references[guest]}", "*")

    def give_memory_back(self) -> None:
        for reference in self._references.values():
            self._give(reference, 32)

    def _calm(self) -> None:
        """The host takes no memory back, whatever its guests might take: otherwise that is a stronger alert."""
        self.vcenter.order("statistics", constant={"mem.vmmemctl.average": 0, "mem.swapinRate.average": 0})

    def _give(self, reference: str, mib: int) -> None:
        """By order, not by `govc vm.change`: of that the simulator tells nobody who waits for changes."""
        self.vcenter.set(reference, {"summary.config.memorySizeMB": mib, "config.hardware.memoryMB": mib})

    def _age(self, reference: str, days: int) -> None:
        self.vcenter.govc("snapshot.create", f"-vm={reference}", "-m=false", "before the update")
        (tree,) = self.vcenter.collect(reference, "snapshot")["snapshot"]["rootSnapshotList"]
        created = dt.datetime.fromtimestamp(time.time() - days * DAY, dt.UTC)
        tree["createTime"] = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.vcenter.set(reference, {"snapshot": {"currentSnapshot": tree["snapshot"], "rootSnapshotList": [tree]}})


class Hv:
    """A host of Hyper-V with two guests."""

    target, platform = HV, "hyperv"

    def __init__(self) -> None:
        self.estate = stand_alone(guests=0)
        self.server = WinRM(self.estate)

    def __enter__(self) -> Self:
        each_mb = Hardware().memory_bytes * 3 // 4 >> 20
        self._guests = {name: add_guest(self.estate, Guest(name, stable_id(name), startup_mb=each_mb)) for name in AGES}
        self._checkpoints = {
            name: add_checkpoint(self.estate, guest, "before the update", Ago(AGES[name] * DAY))
            for name, guest in self._guests.items()
        }
        self.estate.clock.run()
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def document(self) -> dict[str, Any]:
        return {"name": HV, "platform": self.platform, "address": self.server.url, "auth": HV}

    def accounts(self) -> dict[str, tuple[str, str]]:
        return {HV: (self.server.user, self.server.password)}

    def identity(self, guest: str) -> str:
        return self._guests[guest].guid.lower()

    def host(self) -> tuple[str, str]:
        return self.estate.name, self.estate.row("Win32_ComputerSystemProduct")["UUID"].lower()

    def overcommit(self) -> float:
        return 2 * 0.75

    def remove_snapshot(self, guest: str) -> None:
        remove_checkpoint(self.estate, self._checkpoints[guest])

    def give_memory_back(self) -> None:
        for guest in self._guests.values():
            set_state(self.estate, guest, OFF)


class Given:
    """A target that nothing is done for."""

    def __init__(self, **document: Any) -> None:
        self.target, self._document = document["name"], document

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def document(self) -> dict[str, Any]:
        return self._document

    def accounts(self) -> dict[str, tuple[str, str]]:
        return {}


class Watched:
    """`with Watched(Lab(lab), Vc(folder)) as world: world.manager.wait_told("firing", alertname=...)`."""

    def __init__(self, *estates: Any) -> None:
        self.estates = {each.target: each for each in estates}
        self.daemon: Daemon
        self.prometheus: Prometheus
        self.manager: Alertmanager

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for each in self.estates.values():
                stack.enter_context(each)
            accounts = {name: account for each in self.estates.values() for name, account in each.accounts().items()}
            config = document(
                [each.document() for each in self.estates.values()],
                auths={
                    name: {"username": user, "password": {"env": f"PASSWORD_{name}"}}
                    for name, (user, _) in accounts.items()
                },
                profiles={"default": {"intervals": INTERVALS}},
            )
            secrets = {f"PASSWORD_{name}": password for name, (_, password) in accounts.items()}
            self.daemon = stack.enter_context(Daemon(config, env=secrets))
            self.manager = stack.enter_context(Alertmanager(inhibit_rules=inhibitions()))
            self.prometheus = stack.enter_context(
                Prometheus(
                    {
                        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                        "rule_files": ["rules.yml"],
                        "scrape_configs": [scrape("hypervisors", self.daemon.address)],
                        **self.manager.known(),
                    },
                    files={"rules.yml": rules()},
                )
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
