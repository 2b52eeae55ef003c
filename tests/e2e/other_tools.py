"""What virsh, qemu-img, /proc and /sys say of a lab, read once; nothing of the exporter is used here.

Guests are named, not numbered: the crowd's names are unique. Times in seconds, sizes in bytes.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree as ET

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
KIB = 1024
BLOCK = 512
NODES = Path("/sys/devices/system/node")


def table(text: str, separator: str = ":") -> dict[str, str]:
    """Lines of `Key:   value`."""
    pairs = (line.partition(separator) for line in text.splitlines())
    return {key.strip(): value.strip() for key, found, value in pairs if found}


def number(text: str) -> int:
    """The number that a text such as `4096 KiB` begins with."""
    return int(re.match(r"-?\d+", text)[0])


class Look:
    """One reading of everything that moves; what stands still is read when it is asked for, and kept."""

    def __init__(self, lab, names) -> None:
        self.lab, self.names = lab, sorted(names)
        self.at = time.time()
        self.active = [name for name in self.names if name in lab.virsh("list", "--name").splitlines()]
        self.stats = dict(self._domstats())
        self.threads = {name: self._threads(name) for name in self.active}
        self.resident = {name: self._resident(name) for name in self.active}
        self.busy = self._busy()
        self.numa_free = numa_free()
        self.meminfo = {key: number(value) * KIB for key, value in table(Path("/proc/meminfo").read_text()).items()}

    def _domstats(self) -> Iterator[tuple[str, dict[str, str]]]:
        for section in self.lab.virsh("domstats", "--list-active").split("Domain: ")[1:]:
            name, _, rest = section.partition("\n")
            yield name.strip("'"), table(rest, "=")

    def _threads(self, name: str) -> tuple[float, float]:
        """CPU and waiting time of the threads that are virtual CPUs, from /proc."""
        run = waited = 0.0
        for task in Path(f"/proc/{self.lab.guest_pid(name)}/task").iterdir():
            if re.fullmatch(r"CPU \d+/TCG", (task / "comm").read_text().strip()):
                fields = (task / "stat").read_text().rpartition(")")[2].split()
                run += (int(fields[11]) + int(fields[12])) * TICK
                waited += int((task / "schedstat").read_text().split()[1]) / 1e9
        return run, waited

    def _resident(self, name: str) -> int:
        return int(Path(f"/proc/{self.lab.guest_pid(name)}/statm").read_text().split()[1]) * PAGE

    @staticmethod
    def _busy() -> float:
        user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
        return (user + nice + system + irq + softirq) * TICK

    def blocks(self, name: str) -> dict[str, dict[str, float]]:
        """Block counters of a running guest by disk, those with a medium."""
        stats = self.stats[name]
        found = {}
        for at in range(int(stats["block.count"])):
            prefix = f"block.{at}."
            if f"{prefix}capacity" in stats:
                entries = {key.removeprefix(prefix): value for key, value in stats.items() if key.startswith(prefix)}
                found[entries["name"]] = {key: float(value) for key, value in entries.items() if value.isdecimal()}
        return found


class Facts:
    """What stands still while the lab is looked at."""

    def __init__(self, lab, names) -> None:
        self.lab, self.names = lab, sorted(names)
        self.info = {name: table(lab.virsh("dominfo", name)) for name in self.names}
        self.xml = {name: ET.fromstring(lab.virsh("dumpxml", name)) for name in self.names}
        self.uuids = {name: lab.virsh("domuuid", name).strip() for name in self.names}
        states = {name: lab.virsh("domstate", name, "--reason").strip() for name in self.names}
        self.states = {name: re.fullmatch(r"(.+) \((.+)\)", state).groups() for name, state in states.items()}

    @cached_property
    def disks(self) -> dict[str, dict[str, str]]:
        """Files of the disks with a medium, "" where it is none, by guest and target."""
        return {name: dict(self._disks(name)) for name in self.names}

    def _disks(self, name: str) -> Iterator[tuple[str, str]]:
        for disk in self.xml[name].iterfind("devices/disk"):
            if (source := disk.find("source")) is not None:
                yield disk.find("target").get("dev"), source.get("file", "")

    @cached_property
    def images(self) -> dict[tuple[str, str], list[dict]]:
        """The chain of every disk that is a file, newest first, as qemu-img tells it."""
        return {
            (name, disk): self.image(path, self.format(name, disk))
            for name, disks in self.disks.items()
            for disk, path in disks.items()
            if path
        }

    def image(self, path: str, image_format: str) -> list[dict]:
        options = ["--force-share", "--backing-chain", "--output=json", "-f", image_format]
        return json.loads(self.lab.run("qemu-img", "info", *options, path))

    def format(self, name: str, disk: str) -> str:
        return self.xml[name].find(f"devices/disk/target[@dev='{disk}']/../driver").get("type")

    @cached_property
    def snapshots(self) -> dict[str, dict[str, dict]]:
        """By guest and name: when it was made, its parent, its files and more."""
        return {name: dict(self._snapshots(name)) for name in self.names}

    def _snapshots(self, name: str) -> Iterator[tuple[str, dict]]:
        for snapshot in self.lab.virsh("snapshot-list", name, "--name").splitlines():
            if snapshot.strip():
                root = ET.fromstring(self.lab.virsh("snapshot-dumpxml", name, snapshot.strip()))
                info = table(self.lab.virsh("snapshot-info", name, snapshot.strip()))
                files = [each.get("file") for each in root.iterfind("disks/disk[@snapshot='external']/source")]
                yield (
                    snapshot.strip(),
                    {
                        "created": int(root.findtext("creationTime")),
                        "parent": info["Parent"].strip("-"),
                        "current": "1" if info["Current"] == "yes" else "0",
                        "state": info["State"],
                        "memory": "1" if root.find("memory").get("snapshot") == "internal" else "0",
                        "bytes": sum(Path(file).stat().st_blocks * BLOCK for file in files) if files else None,
                    },
                )

    def depth(self, name: str) -> int:
        """Snapshots on the longest way from a root."""
        parents = {snapshot: each["parent"] for snapshot, each in self.snapshots[name].items()}

        def steps(snapshot: str) -> int:
            return 1 + steps(parents[snapshot]) if snapshot else 0

        return max(map(steps, parents), default=0)

    @cached_property
    def pools(self) -> dict[str, dict[str, str]]:
        names = self.lab.virsh("pool-list", "--all", "--name").split()
        return {name: table(self.lab.virsh("pool-info", "--bytes", name)) for name in names}

    def pool_path(self, name: str) -> Path:
        return Path(ET.fromstring(self.lab.virsh("pool-dumpxml", name)).findtext("target/path"))


def topology() -> tuple[int, int, int]:
    """Sockets, cores and threads of this machine by /sys."""
    cpus = [path / "topology" for path in Path("/sys/devices/system/cpu").glob("cpu[0-9]*") if online(path)]
    places = [
        tuple(int((cpu / name).read_text()) for name in ("physical_package_id", "die_id", "core_id")) for cpu in cpus
    ]
    return len({place[0] for place in places}), len(set(places)), len(places)


def online(cpu: Path) -> bool:
    state = cpu / "online"  # the first processor often has none
    return not state.exists() or state.read_text().strip() == "1"


def numa_free() -> dict[str, int]:
    """Free bytes by node."""
    found = {}
    for node in NODES.glob("node[0-9]*"):
        line = next(line for line in (node / "meminfo").read_text().splitlines() if "MemFree" in line)
        found[node.name.removeprefix("node")] = int(line.split()[3]) * KIB
    return found


def hugepages_free() -> dict[str, int]:
    """Free pages by size in bytes."""
    folders = Path("/sys/kernel/mm/hugepages").glob("hugepages-*kB")
    return {
        str(number(each.name.removeprefix("hugepages-")) * KIB): int((each / "free_hugepages").read_text())
        for each in folders
    }
