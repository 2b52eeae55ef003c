"""A WinRM server that holds an estate of CIM instances and speaks the real protocol on a real socket.

    with WinRM(stand_alone(build=2022, guests=3)) as server:
        server.url, server.user, server.password     # http://127.0.0.1:4711, LAB\\monitor, …
        server.estate.clock.advance(30)               # counters advance by known amounts (counters.py, hosts.py)
        server.estate.row("Msvm_ComputerSystem", ElementName="guest-1")["HealthState"] = 25
        with server.misbehave("fault", name="quota_operations", operation="Enumerate", times=1): …
        server.counts["Enumerate"], server.asked, server.open_enumerations

A cluster listens once per node: 127.0.0.1, 127.0.0.2, … at the same port; `server.node("HV-2")` has its own
`misbehave`, `counts`, `asked`, `stop()` and `start()`. To reach nodes by name without a name server let names be
numbers: `cluster(4, 400, node_names=["1", "2", "3", "4"])` with the option `node_address: "127.0.0.{node}"`.

What is assumed rather than known stands in DIFFERENCES.md.
"""

from tests.backends.winrm.checkpoints import add_checkpoint, remove_checkpoint
from tests.backends.winrm.cim import BUILDS, Ago, Counter, Reference
from tests.backends.winrm.clock import Clock
from tests.backends.winrm.clusters import Cluster, Migration
from tests.backends.winrm.estate import Estate
from tests.backends.winrm.estates import cluster, stand_alone
from tests.backends.winrm.guest import Guest
from tests.backends.winrm.guests import add_guest, remove_guest, set_state
from tests.backends.winrm.server import Site, WinRM

__all__ = [
    "BUILDS",
    "Ago",
    "Clock",
    "Cluster",
    "Counter",
    "Estate",
    "Guest",
    "Migration",
    "Reference",
    "Site",
    "WinRM",
    "add_checkpoint",
    "add_guest",
    "cluster",
    "remove_checkpoint",
    "remove_guest",
    "set_state",
    "stand_alone",
]
