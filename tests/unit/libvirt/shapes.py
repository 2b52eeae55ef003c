"""Answers in the shapes of libvirt's drivers without bulk statistics, as their sources give them: no libvirt needed."""

from collectors.libvirt.answers import OFF, Domain, Node
from collectors.libvirt.client.endpoint import Listing
from collectors.libvirt.drivers import DRIVERS, NO, ZERO
from collectors.libvirt.findings import Findings
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.groups.verified import verified
from collectors.libvirt.memory import Memory
from exporter.contract import Deadline
from exporter.errors import Unsupported

NOW = 1_795_240_000.0
SECONDS = 7 * 10**9
MEMORY = {
    "xen": {"actual": 1024, "available": 2048},
    "lxc": {"actual": 1024, "swap_in": 300, "rss": 300},
    "bhyve": {"actual": 1024, "rss": 500},
    "test": {
        "actual": 1024,
        "available": 1000,
        "unused": 200,
        "rss": 600,
        "swap_in": 0,
        "swap_out": 0,
        "last_update": int(NOW),
    },
}
XML = (
    "<domain type='{kind}' id='1'><name>{name}</name><vcpu>2</vcpu><devices>{disks}"
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><target dev='vif1'/></interface>"
    "<interface type='bridge'><mac address='52:54:00:00:00:02'/><target dev='vif2'/></interface></devices></domain>"
)
DISK = "<disk type='file'><source file='/{disk}'/><target dev='{disk}'/></disk>"


class Shape:
    """`Questions` to a host of one driver. `failing`: an exception by name of the call, or by call, guest and part."""

    def __init__(self, driver, guests=("a",), failing=None, off=()):
        (self.row,) = (each for each in DRIVERS if each.type == driver)
        self.guests, self.off = guests, off
        self.failing = failing or {}
        self.asked = []

    def _answer(self, call, answer, domain=None, part=None):
        self.asked.append((call, domain.name if domain else None, part))
        for key in (call, (call, domain and domain.name), (call, domain and domain.name, part)):
            if isinstance(failure := self.failing.get(key), Exception):
                raise failure
            if failure is not None:
                return failure
        return answer

    def driver(self):
        return self.row.type

    def node(self):
        return Node(self.row.type.upper(), 9_000_000, 9_000_000, "kvm-7", ("x86_64", 4096, 4, 2000, 1, 1, 2, 2))

    def online_cpus(self):
        return None

    def node_cpu(self):
        return {"kernel": 10**9, "user": 2 * 10**9, "idle": 9} if self.row.host_cpu != NO else None

    def node_memory(self):
        return {"total": 4096, "free": 1024} if self.row.host_memory == "yes" else None

    def free_memory(self):
        return 3 * 2**20 if self.row.host_memory == "free" else None

    def domains(self, which=Listing.ALL):
        if which not in (Listing.ALL, Listing.TRANSIENT):
            raise Unsupported("no such filter")
        return [Domain(name, name, OFF if name in self.off else 1) for name in self.guests] if not which else []

    def state(self, domain):
        return self._answer("state", (5, 1) if domain.name in self.off else (1, 1), domain)

    def info(self, domain):
        now = 300 if self.row.type == "lxc" else 1024
        return self._answer("info", (1, 2048, now, 2, 0 if self.row.guest_cpu == ZERO else self._sum()), domain)

    def _sum(self):
        return 0 if self.row.type == "ch" else SECONDS

    def vcpus(self, domain):
        return self._answer("vcpus", [(0, 1, SECONDS, 0), (1, 1, 2 * SECONDS, 3)], domain)

    def memory(self, domain):
        return self._answer("memory", MEMORY.get(self.row.type), domain)

    def block(self, domain, disk):
        return self._answer("block", (1, 512, 2, 1024, -1) if self.row.disk_counters != NO else None, domain, disk)

    def block_sizes(self, domain, disk):
        return self._answer("block_sizes", (4096, 2048, 4096) if self.row.disk_sizes != NO else None, domain, disk)

    def interface(self, domain, device):
        counters = (10, 1, 0, 0, 20, 2, 0, 0) if self.row.nic_counters != NO else None
        return self._answer("interface", counters, domain, device)

    def xml(self, domain):
        disks = "".join(DISK.format(disk=disk) for disk in ("vda", "vdb", "vdc"))
        return self._answer("xml", XML.format(kind=self.row.type, name=domain.name, disks=disks), domain)

    def disk_errors(self, domain):
        return self._answer("disk_errors", None, domain)

    def snapshots(self, domain):
        if self.row.snapshots == NO:
            raise Unsupported("virDomainListAllSnapshots is not supported")
        return self._answer("snapshots", [], domain)

    def current_snapshot(self, _domain):
        return None

    def pools(self):
        if self.row.pools == NO:
            raise Unsupported("virConnectListAllStoragePools is not supported")
        return []


def around(shape, seconds=60):
    """A collection of this host."""
    return Surroundings(verified(shape), Memory(), Findings(), Deadline.after(seconds), lambda: NOW, "kvm-7")


def collected(shape, group):
    """The guests by name, and the problems by name with count and example."""
    observation = group.collect(around(shape))
    problems = {each.name: (each.count, each.example) for each in observation.problems}
    assert observation.partial is bool(problems)
    return {guest.name: guest for guest in observation.guests}, problems
