"""The files of a configuration as trees: the document itself and those that its `discovery.files` match."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from exporter.config import nodes
from exporter.config.mistakes import Mistake


def read(path: Path) -> nodes.Document:
    """A file as a tree; what hinders reading it is a mistake of the document. Never raises."""
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    try:
        with open(path, "rb", opener=_regular) as file:
            content = file.read(nodes.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        return _refused(name, _why_unread(error))
    if len(content) > nodes.MAX_BYTES:
        hint = "split the targets into files for discovery"
        return _refused(name, f"is larger than {nodes.MAX_BYTES // 1024**2} MiB", hint)
    try:
        return nodes.compose(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace"))
        return _refused(name, "is not UTF-8 here", "save the file as UTF-8", before.count(b"\n") + 1, column + 1)


def _regular(path: str, flags: int) -> int:
    """Open a file, but do not wait for somebody to write into a pipe: a reload would wait with us, for ever."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    raise ValueError("not regular")


def main(document: nodes.Document) -> nodes.Document:
    """The document itself: an empty one, or one that is no mapping, is refused as a whole."""
    root = document.root
    if root is None or isinstance(root.value, dict):
        return document
    what = "the document is empty" if root.value is None else "the document must be a mapping of keys to values"
    return _refused(document.file, what, "begin with config_version: 1", root.line, root.column)


def with_targets(document: nodes.Document) -> nodes.Document:
    """A discovered document in its long form, `targets: [...]`; an empty one has no targets."""
    root = document.root
    if root is None or not (root.value is None or isinstance(root.value, list)):
        return document
    targets = nodes.Node(root.line, root.column, root.value or [])
    entry = nodes.Entry(root.line, root.column, targets)
    return nodes.Document(document.file, nodes.Node(root.line, root.column, {"targets": entry}), document.mistakes)


def discovered(document: nodes.Document, folder: Path) -> list[Path]:
    """The files that `discovery.files` matches, sorted; they are read even if other parts of the document are wrong."""
    section = document.root and document.root.get("discovery")
    files = section and section.get("files")
    patterns = [node.value for node in files.value] if files and isinstance(files.value, list) else []
    return matching((pattern for pattern in patterns if isinstance(pattern, str)), folder)


def matching(patterns: Iterable[str], folder: Path) -> list[Path]:
    """The files that any of the patterns matches, sorted; relative patterns begin in the folder."""
    matches: set[str] = set()
    for pattern in patterns:
        if "\x00" not in pattern:
            matches |= set(glob.glob(os.path.join(folder, pattern)))  # noqa: PTH118, PTH207  (Path.glob: relative only)
    return [Path(match) for match in sorted(matches)]


def _why_unread(error: OSError | ValueError) -> str:
    if isinstance(error, IsADirectoryError):
        return "is a directory, not a file"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return "is a pipe or a device, not a file" if "regular" in str(error) else "cannot be read: a path holds no NUL"


def _refused(file: str, message: str, hint: str = "", line: int = 0, column: int = 0) -> nodes.Document:
    return nodes.Document(file, None, [Mistake(file, line, column, "", message, hint)])
