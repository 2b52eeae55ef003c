"""What virtual disks' files hold: two calls each, so each is asked for every half hour, new ones first."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping

from collectors.hyperv.client.connection import Connection
from collectors.hyperv.client.errors import EXECUTE_METHODS, HYPERV_ADMINISTRATORS
from collectors.hyperv.client.parsing import instances
from collectors.hyperv.client.rows import Instance, Namespace, Row, text
from collectors.hyperv.findings import INACCESSIBLE, MISSING_RIGHT
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping.vhd import DiskFileFacts, embedded, file_facts, key_of, parents
from collectors.hyperv.memory import now
from exporter.errors import Forbidden, Malformed, Unsupported

_SERVICE = "Msvm_ImageManagementService"
_FRESH_SECONDS = 1800.0
_SPREAD = 0.25
"""Ages differ by up to this share, so that what was read at once is not due at once."""
_SHARE = 0.6
"""Of the time that is left."""
MOST = 200
"""Files of one host in one collection."""
_DENIED = 32769


def read_files(around: Surroundings, node: str, connection: Connection, until: float, paths: Iterable[str]) -> None:
    """Read the files that are due, and those below them, for as long as there is time. Raises the core's errors."""
    stop = time.monotonic() + _SHARE * (until - time.monotonic())
    paths, asked = list(paths), set[str]()
    while time.monotonic() < stop and len(asked) < MOST:
        due = [path for path in _due(around, paths) if key_of(path) not in asked]
        if not due:
            return
        for path in due[: MOST - len(asked)]:
            if time.monotonic() >= stop:
                return
            asked.add(key_of(path))
            _read(around, node, connection, until, path)


def _due(around: Surroundings, paths: Iterable[str]) -> list[str]:
    """Unknown files first, then those that were read longest ago."""
    files, failed = around.memory.files, around.memory.unreadable
    paths = list(paths)
    wanted = {key_of(path): path for path in (*paths, *parents(paths, files))}
    old = {
        key: path
        for key, path in wanted.items()
        if key not in files or around.now - files[key].read_at > _FRESH_SECONDS * (1 + _SPREAD * _share_of(key))
    }
    rested = [key for key in old if now() - failed.get(key, float("-inf")) > _FRESH_SECONDS]
    return [old[key] for key in sorted(rested, key=lambda key: files[key].read_at if key in files else 0.0)]


def _share_of(key: str) -> float:
    return zlib.crc32(key.encode()) / 2**32


def _read(around: Surroundings, node: str, connection: Connection, until: float, path: str) -> None:
    odd: list[str] = []
    try:
        facts = _facts(around, connection, until, path, odd)
    except Forbidden as error:
        around.findings.note(MISSING_RIGHT, (node, _SERVICE), str(error))
        around.memory.denied[node, error.right] = Namespace.VIRTUALIZATION
        facts = None
    except (Malformed, Unsupported):
        facts = None
    if facts is None:
        around.memory.unreadable[key_of(path)] = now()
        return
    around.odd(odd, path)
    around.memory.denied.pop((node, f"{EXECUTE_METHODS} on {Namespace.VIRTUALIZATION}"), None)
    with around.memory.lock:
        around.memory.files = {**around.memory.files, key_of(path): facts}
    around.memory.unreadable.pop(key_of(path), None)


def _facts(
    around: Surroundings, connection: Connection, until: float, path: str, odd: list[str]
) -> DiskFileFacts | None:
    def ask(method: str, out: str) -> Row | None:
        answer = connection.invoke(Namespace.VIRTUALIZATION, _SERVICE, method, {"Path": path}, until)
        code = text(answer, "ReturnValue")
        if code == str(_DENIED):
            raise Forbidden(f"{method} is denied: the account lacks {HYPERV_ADMINISTRATORS}", HYPERV_ADMINISTRATORS)
        return embedded(answer, out, _parsed) if code in {None, "", "0"} else None

    setting = ask("GetVirtualHardDiskSettingData", "SettingData")
    if setting is None:
        return None
    return file_facts(setting, ask("GetVirtualHardDiskState", "State"), around.now, odd)


def _parsed(document: str) -> Instance | None:
    return next(iter(instances(document, _SERVICE)), None)


def note_unreadable(around: Surroundings, paths: Mapping[str, str]) -> None:
    """Files that cannot be read are a problem of every collection until they can; `paths` by their keys."""
    with around.memory.lock:
        around.memory.files = {key: facts for key, facts in around.memory.files.items() if key in paths}
    for key in list(around.memory.unreadable):
        if key not in paths:
            del around.memory.unreadable[key]
    failed = [paths[key] for key in around.memory.unreadable]
    if failed:
        around.findings.tell(INACCESSIBLE, len(failed), f"the file {failed[0]} could not be read")


def wanted_paths(around: Surroundings, paths: Iterable[str]) -> dict[str, str]:
    """Paths by key, with those of the files below that are known."""
    found = {key_of(path): path for path in paths}
    files = around.memory.files
    for path in list(found.values()):
        at, seen = path, set[str]()
        while at and key_of(at) not in seen:
            seen.add(key_of(at))
            found.setdefault(key_of(at), at)
            facts = files.get(key_of(at))
            at = facts.parent if facts is not None else ""
    return found
