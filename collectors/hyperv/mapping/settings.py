"""Settings of guests: processors, memory, disks with their places on controllers, adapters. Read slowly, kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.hyperv.client.rows import Row, many
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.states import ALWAYS_STARTED
from collectors.hyperv.mapping.values import Oddities, Table, flag, guid, is_guid, number, whole, word

Answers = Mapping[Table, Sequence[Row]]
"""Rows of one host by what was asked; what could not be read is not there."""

IDE = "83f8638b-8dca-4152-9eda-2ca8b33039b4"
"""The one IDE controller's GUID that all guests of the first generation share."""
_HARD_DISK = 31
_LAST_PART = {"l", "d"}
_MOST_TAG_CHARACTERS = 256
_REAL = "microsoft:hyper-v:system:realized"


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A virtual disk: where it is plugged in, and the file that is written to now."""

    disk: str
    path: str

    @property
    def differencing(self) -> bool:
        """Whether its file holds only what differs from a parent, by its name."""
        return self.path.lower().endswith((".avhdx", ".avhd"))


@dataclass(frozen=True, slots=True)
class NicSettings:
    """A synthetic network adapter."""

    nic: str
    mac: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class GuestSettings:
    """What changes only when somebody changes it; None for unknown, sizes in bytes, shares of all processors."""

    name: str = ""
    is_guest: bool = False
    """False for a checkpoint, whose disks are known by its own id."""
    vcpus: float | None = None
    cpu_limit: float | None = None
    cpu_reservation: float | None = None
    dynamic_memory: bool | None = None
    startup_bytes: float | None = None
    minimum_bytes: float | None = None
    maximum_bytes: float | None = None
    autostart: bool | None = None
    version: str = ""
    generation: str = ""
    bios_uuid: str = ""
    notes: str = ""
    disks: tuple[DiskFile, ...] | None = None
    nics: tuple[NicSettings, ...] | None = None


def path_of(instance_id: str) -> list[str]:
    r"""The parts of an InstanceID `Microsoft:<GUID>\<part>\...`, in lower case; [] for templates and others."""
    _, colon, rest = instance_id.replace("\\\\", "\\").partition(":")
    parts = rest.lower().split("\\") if colon else []
    return parts if parts and is_guid(parts[0]) else []


def settings_of(answers: Answers, odd: Oddities) -> dict[str, GuestSettings]:
    """Settings by guest id. Settings of checkpoints have the checkpoint's id and are asked for by nobody."""
    found: dict[str, GuestSettings] = {}
    for row in answers.get(tables.SYSTEMS, ()):
        if word(row, "VirtualSystemType").lower() == _REAL:
            identity = guid(word(row, "VirtualSystemIdentifier")) or guid(word(row, "InstanceID"))
            found[identity] = _system(row, odd)
    for row in answers.get(tables.MEMORY_SETTINGS, ()):
        _update(found, row, _memory(row, odd))
    for row in answers.get(tables.PROCESSOR_SETTINGS, ()):
        _update(found, row, _processors(row, odd))
    for identity, disks in (disks_of(answers) or {}).items():
        found[identity] = dataclasses.replace(found.get(identity, GuestSettings()), disks=disks)
    for identity, nics in (nics_of(answers) or {}).items():
        found[identity] = dataclasses.replace(found.get(identity, GuestSettings()), nics=nics)
    none_read = {} if tables.DISK_FILES not in answers else {"disks": ()}
    return {
        identity: dataclasses.replace(each, **none_read) if each.disks is None else each  # type: ignore[arg-type]
        for identity, each in found.items()
    }


_FIELDS: Mapping[Table, Sequence[str]] = {
    tables.MEMORY_SETTINGS: ("dynamic_memory", "startup_bytes", "minimum_bytes", "maximum_bytes"),
    tables.PROCESSOR_SETTINGS: ("vcpus", "cpu_limit", "cpu_reservation"),
    tables.DISK_FILES: ("disks",),
    tables.ADAPTER_SETTINGS: ("nics",),
}


def as_before(
    told: Mapping[str, GuestSettings], before: Mapping[str, GuestSettings], answers: Answers
) -> dict[str, GuestSettings]:
    """Settings with what they were before, where that could not be read this time."""
    names = [name for table, of_table in _FIELDS.items() if table not in answers for name in of_table]
    return {
        identity: dataclasses.replace(each, **{name: getattr(before[identity], name) for name in names})
        if names and identity in before
        else each
        for identity, each in told.items()
    }


def _update(found: dict[str, GuestSettings], row: Row, values: dict[str, object]) -> None:
    parts = path_of(word(row, "InstanceID"))
    if parts:
        found[parts[0]] = dataclasses.replace(found.get(parts[0], GuestSettings()), **values)  # type: ignore[arg-type]


def _system(row: Row, odd: Oddities) -> GuestSettings:
    start = whole(row, "AutomaticStartupAction", odd)
    return GuestSettings(
        name=word(row, "ElementName") or guid(word(row, "InstanceID")),
        is_guest=True,
        autostart=None if start is None else start == ALWAYS_STARTED,
        version=word(row, "Version"),
        generation=word(row, "VirtualSystemSubType").rpartition(":")[2],
        bios_uuid=guid(word(row, "BIOSGUID")),
        notes="\n".join(many(row, "Notes")).strip(),
    )


def _memory(row: Row, odd: Oddities) -> dict[str, object]:
    return {
        "dynamic_memory": flag(row, "DynamicMemoryEnabled", odd),
        "startup_bytes": tables.STARTUP(row, odd),
        "minimum_bytes": tables.MINIMUM(row, odd),
        "maximum_bytes": tables.MAXIMUM(row, odd),
    }


def _processors(row: Row, odd: Oddities) -> dict[str, object]:
    return {
        "vcpus": tables.CPU_COUNT(row, odd),
        "cpu_limit": tables.CPU_LIMIT(row, odd),
        "cpu_reservation": tables.CPU_RESERVATION(row, odd),
    }


# Disks.


def disks_of(answers: Answers) -> dict[str, tuple[DiskFile, ...]] | None:
    """Hard disks with a file by the id of a guest or checkpoint; None where they were not read."""
    rows = answers.get(tables.DISK_FILES)
    if rows is None:
        return None
    plugged = [(path_of(word(row, "InstanceID")), files) for row in rows if (files := _files(row))]
    controllers = _controllers(answers.get(tables.CONTROLLERS, ()), [parts for parts, _ in plugged])
    found: dict[str, list[DiskFile]] = {}
    for parts, files in plugged:
        if parts:
            name = _place(parts, controllers)
            found.setdefault(parts[0], []).append(DiskFile(name, files[0]))
    return {identity: tuple(sorted(_distinct(disks), key=_in_order)) for identity, disks in found.items()}


def _files(row: Row) -> tuple[str, ...]:
    kind = number(row, "ResourceType", [])
    files = tuple(path for path in many(row, "HostResource") if path.strip())
    return files if kind == _HARD_DISK else ()


def _controllers(rows: Sequence[Row], plugged: Sequence[Sequence[str]]) -> dict[tuple[str, str], int]:
    """Numbers of SCSI controllers by guest and GUID, in the order in which Hyper-V lists them, as PowerShell does."""
    listed = [path_of(word(row, "InstanceID")) for row in rows]
    known: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    for parts in (*listed, *plugged):
        if len(parts) > 1 and parts[1] != IDE and (parts[0], parts[1]) not in known:
            known[parts[0], parts[1]] = counts.get(parts[0], 0)
            counts[parts[0]] = known[parts[0], parts[1]] + 1
    return known


def _place(parts: Sequence[str], controllers: Mapping[tuple[str, str], int]) -> str:
    r"""`SCSI 0:1` from `<guest>\<controller>\<bus>\<slot>\L`."""
    rest = [part for part in parts[2:] if part not in _LAST_PART]
    slot = rest[-1] if rest else "0"
    if len(parts) < 2:
        return "disk 0:0"
    if parts[1] == IDE:
        return f"IDE {rest[0] if len(rest) > 1 else 0}:{slot}"
    return f"SCSI {controllers[parts[0], parts[1]]}:{slot}"


def _distinct(disks: Sequence[DiskFile]) -> list[DiskFile]:
    taken: dict[str, int] = {}
    out = []
    for each in disks:
        taken[each.disk] = taken.get(each.disk, 0) + 1
        again = taken[each.disk]
        out.append(each if again == 1 else dataclasses.replace(each, disk=f"{each.disk} ({again})"))
    return out


def _in_order(each: DiskFile) -> tuple[int, str]:
    return len(each.disk), each.disk


# Adapters.


def nics_of(answers: Answers) -> dict[str, tuple[NicSettings, ...]] | None:
    """Synthetic adapters by guest; None where they were not read."""
    rows = answers.get(tables.ADAPTER_SETTINGS)
    if rows is None:
        return None
    switches = {
        tuple(parts[:2]): word(row, "LastKnownSwitchName")
        for row in answers.get(tables.PORT_SETTINGS, ())
        if len(parts := path_of(word(row, "InstanceID"))) > 1
    }
    found: dict[str, dict[str, NicSettings]] = {}
    for row in rows:
        parts = path_of(word(row, "InstanceID"))
        if len(parts) > 1:
            nic = guid(parts[1]) or parts[1]
            mac = _mac(word(row, "Address"))
            found.setdefault(parts[0], {})[nic] = NicSettings(nic, mac, switches.get((parts[0], parts[1]), ""))
    return {identity: tuple(nics[nic] for nic in sorted(nics)) for identity, nics in found.items()}


def _mac(address: str) -> str:
    """`00155D012A03` with colons, in lower case; "" for the zeros of an adapter that has had no address yet."""
    plain = address.replace("-", "").replace(":", "").lower()
    if len(plain) != 12 or not plain.strip("0"):
        return ""
    return ":".join(plain[i : i + 2] for i in range(0, 12, 2))


def tag_of(notes: str) -> str:
    """Notes as a value of `tags`: `,a,b,`, sorted, of limited length."""
    words = sorted({each.strip() for each in notes.replace("\n", ",").split(",") if each.strip()})
    text = f",{','.join(words)}," if words else ""
    return text if len(text) <= _MOST_TAG_CHARACTERS else text[: _MOST_TAG_CHARACTERS - 1].rpartition(",")[0] + ","
