"""Findings and their places: which line and column of which file a path leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exporter.config.findings import Finding
from exporter.config.mistakes import Mistake, Path, dotted, quoted
from exporter.config.nodes import Document, Node

_EMPTY = Finding((), "has no value", "give it one or remove the key")


def placed(finding: Finding, document: Document) -> Mistake:
    """The finding with the place of its value, or of the nearest value above it that exists."""
    node, path = document.root, list(finding.path)
    line, column = (node.line, node.column) if node else (1, 1)
    for position, part in enumerate(path):
        last = position == len(path) - 1
        if node and finding.at_key and last and isinstance(node.value, dict) and part in node.value:
            entry = node.value[str(part)]
            line, column = entry.line, entry.column
            break
        node = node and node.get(part)
        if node is None:
            break
        line, column = node.line, node.column
    return Mistake(document.file, line, column, dotted(finding.path), finding.message, finding.hint)


def structural(document: Document) -> Iterator[tuple[Path, Mistake]]:
    """Keys without a value and keys that are repeated, with their paths; types cannot see either."""
    if document.root is not None:
        yield from _structural(document.root, (), document.file)


def _structural(node: Node, path: Path, file: str) -> Iterator[tuple[Path, Mistake]]:
    for key, line, column in node.repeated:
        here = (*path, key)
        first = node.value[key].line if isinstance(node.value, dict) else 0
        yield here, Mistake(file, line, column, dotted(here), "the key is given twice", f"first in line {first}")
    below: Iterable[tuple[str | int, Node]] = ()
    if isinstance(node.value, dict):
        below = ((key, entry.node) for key, entry in node.value.items())
    elif isinstance(node.value, list):
        below = enumerate(node.value)
    for part, child in below:
        here = (*path, part)
        # Whether an option may be null is for the platform to say.
        if child.value is None and "options" not in path:
            yield here, Mistake(file, child.line, child.column, dotted(here), _EMPTY.message, _EMPTY.hint)
        yield from _structural(child, here, file)


def repeated_names(documents: Iterable[Document]) -> None:
    """Adds a mistake to each document for every target whose name another target has already."""
    first: dict[str, str] = {}
    for document in documents:
        targets = document.root and document.root.get("targets")
        for position, target in enumerate(targets.value if targets and isinstance(targets.value, list) else []):
            name = target.get("name")
            if name is None or not isinstance(name.value, str):
                continue
            where = f"{document.file}:{name.line}"
            if name.value in first:
                hint = f"first in {first[name.value]}"
                finding = Finding(("targets", position, "name"), f"there are two targets {quoted(name.value)}", hint)
                document.mistakes.append(placed(finding, document))
            first.setdefault(name.value, where)


def in_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes of one file by place; what an alias repeats is told once."""
    once: dict[tuple[int, int, str], Mistake] = {}
    for mistake in mistakes:
        once.setdefault((mistake.line, mistake.column, mistake.message), mistake)
    return sorted(once.values(), key=lambda mistake: (mistake.line, mistake.column))
