"""YAML text to a tree that remembers the line and column of every key and value.

Built from PyYAML's events and not from its loaders: nothing is constructed from tags, nothing recurses, and depth,
size and aliases are bounded while reading. Plain scalars follow YAML 1.2, as editors do: `no` is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from exporter.config import syntax
from exporter.config.mistakes import Mistake

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32
MAX_ALIASED = 100_000
"""Nodes that aliases may stand for in one file. Ten thousand uses of a small block pass, nested ones do not."""

Scalar = str | int | float | bool | None

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?")


@dataclass(slots=True, repr=False)  # no repr: a value may be a password
class Node:
    """A value with its place; lines and columns count from 1."""

    line: int
    column: int
    value: Scalar | list[Node] | dict[str, Entry]
    size: int = 1
    repeated: list[tuple[str, int, int]] = field(default_factory=list)
    """Keys that the mapping had already, with their places."""

    def plain(self) -> object:
        """The value as dictionaries, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def get(self, part: str | int) -> Node | None:
        """The value under a key or at a position of a list, or None."""
        if isinstance(self.value, dict) and isinstance(part, str) and part in self.value:
            return self.value[part].node
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None


@dataclass(slots=True, repr=False)
class Entry:
    """A key of a mapping: its own place and its value."""

    line: int
    column: int
    node: Node


@dataclass(slots=True, repr=False)
class Document:
    """One file as read: its tree, or None with the mistake that made it unreadable."""

    file: str
    root: Node | None
    mistakes: list[Mistake] = field(default_factory=list)


def compose(text: str, file: str) -> Document:
    """Reads one YAML document; never raises."""
    unreadable = syntax.unreadable_character(text)
    try:
        root = None if unreadable else _Composer().compose(text)
    except syntax.Refused as refused:
        unreadable = refused
    except yaml.MarkedYAMLError as error:
        unreadable = syntax.explained(error, text)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        # The parser without libyaml fails like this on impossible escapes; its words may quote the value.
        unreadable = syntax.Refused(1, 1, "this cannot be read as YAML")
    if unreadable is None:
        return Document(file, root)
    return Document(file, None, [Mistake(file, unreadable.line, unreadable.column, "", *unreadable.sentence)])


class _Composer:
    """Puts the parser's events together."""

    def __init__(self) -> None:
        self._root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._aliased = 0

    def compose(self, text: str) -> Node:
        for event in _events(text):
            line, column = _place(event)
            if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                raise syntax.Refused(line, column, "a second document begins here", "one file holds one document")
            if isinstance(event, yaml.AliasEvent):
                self._attach(self._alias(event, line, column), line, column)
            elif isinstance(event, yaml.ScalarEvent):
                self._no_tag(event, line, column)
                plain, _quoted = event.implicit
                node = Node(line, column, _scalar(event.value) if plain else event.value)
                self._remember(event.anchor, node)
                self._attach(node, line, column)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._no_tag(event, line, column)
                self._start(event, line, column)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        return self._root or Node(1, 1, None)

    def _start(self, event: yaml.CollectionStartEvent, line: int, column: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise syntax.Refused(line, column, f"nested deeper than {MAX_DEPTH} levels")
        empty: dict[str, Entry] | list[Node] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Open(Node(line, column, empty), event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        # Known only from here on: an alias inside its own anchor is an undefined one.
        self._remember(done.anchor, done.node)
        self._attach(done.node, done.node.line, done.node.column)

    def _attach(self, node: Node, line: int, column: int) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        elif parent.key is None:
            parent.key = (_key(node, line, column), line, column)
        else:
            key, key_line, key_column = parent.key
            parent.key = None
            assert isinstance(parent.node.value, dict)  # noqa: S101  (for the type checker: no list, no scalar)
            if key in parent.node.value:
                parent.node.repeated.append((key, key_line, key_column))
            else:
                parent.node.value[key] = Entry(key_line, key_column, node)
        parent.node.size += node.size

    def _alias(self, event: yaml.AliasEvent, line: int, column: int) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            # The name is not shown: it may be a password that begins with an asterisk.
            raise syntax.Refused(line, column, "this alias has no anchor before it", syntax.QUOTE)
        self._aliased += node.size
        if self._aliased > MAX_ALIASED:
            raise syntax.Refused(line, column, f"aliases stand for more than {MAX_ALIASED} values")
        return node

    def _remember(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    @staticmethod
    def _no_tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int, column: int) -> None:
        if event.tag is not None:
            raise syntax.Refused(line, column, "tags (words that begin with !) are not used here", syntax.QUOTE)


@dataclass(slots=True, repr=False)
class _Open:
    """A collection that is being read, with the key whose value comes next."""

    node: Node
    anchor: str | None
    key: tuple[str, int, int] | None = None


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
    return events


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _key(node: Node, line: int, column: int) -> str:
    if not isinstance(node.value, str):
        raise syntax.Refused(line, column, "a key must be text", "put numbers, true, false and null in quotes")
    return node.value


def _scalar(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
