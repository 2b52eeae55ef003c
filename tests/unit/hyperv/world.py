"""Rows of a small host, as text: what a test does not say is not there."""

from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.guest import HostView

WEB, SQL, DISK_2 = (f"{letter * 8}-0000-0000-0000-00000000000{n}" for n, letter in enumerate("abc"))
HOST = HostView("host-uuid", "HV-1", memory_bytes=64 * 2**30)


def system(identity, name, state=2, **more):
    return {"Name": identity.upper(), "ElementName": name, "EnabledState": str(state), "HealthState": "5",
            "OperationalStatus": "2", "OnTimeInMilliseconds": "60000", "ReplicationMode": "0", **more}  # fmt: skip


def processor(name, number, run, wait=0, dispatches=0):
    return {"Name": f"{name}:Hv VP {number}", "PercentTotalRunTime": str(run), "CPUWaitTimePerDispatch": str(wait),
            "CPUWaitTimePerDispatch_Base": str(dispatches)}  # fmt: skip


def answers(**by_name):
    """Answers by the name of their table."""
    return {getattr(tables, name): rows for name, rows in by_name.items()}
