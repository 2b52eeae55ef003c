"""As much of WQL as monitoring asks: SELECT with a WHERE of comparisons, LIKE, AND, OR, NOT and parentheses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Condition = Callable[[Row], bool]

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<sign><=|>=|<>|!=|=|<|>|\(|\)|,|\*))""",
)
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


class WqlError(Exception):
    """The query makes no sense to WMI."""


@dataclass(frozen=True)
class Select:
    """A query: its class, the named properties (none for `*`), what rows must fulfil and what the WHERE names."""

    class_name: str
    columns: tuple[str, ...]
    where: Condition
    named: tuple[str, ...]


class _Parser:
    def __init__(self, query: str, server: str) -> None:
        self.server = server
        self.named: list[str] = []
        self.tokens: list[tuple[str, str]] = []
        place, query = 0, query.strip()
        while place < len(query):
            if not (found := TOKEN.match(query, place)):
                raise WqlError("Invalid query ")
            self.tokens.append((found.lastgroup or "", found.group(found.lastgroup or 0)))
            place = found.end()

    def peek(self) -> str:
        return self.tokens[0][1].upper() if self.tokens else ""

    def take(self, wanted: str = "") -> tuple[str, str]:
        if not self.tokens or (wanted and self.peek() != wanted):
            raise WqlError("Invalid query ")
        return self.tokens.pop(0)

    def accept(self, wanted: str) -> bool:
        if self.peek() == wanted:
            self.take()
            return True
        return False

    def select(self) -> Select:
        self.take("SELECT")
        columns: list[str] = []
        if not self.accept("*"):
            columns.append(self.word())
            while self.accept(","):
                columns.append(self.word())
        self.take("FROM")
        class_name = self.word()
        where = self.either() if self.accept("WHERE") else lambda _row: True
        if self.tokens:
            raise WqlError("Invalid query ")
        return Select(class_name, tuple(columns), where, tuple(self.named))

    def word(self) -> str:
        kind, word = self.take()
        if kind != "word":
            raise WqlError("Invalid query ")
        return word

    def either(self) -> Condition:
        left = self.both()
        while self.accept("OR"):
            left = _joined(any, left, self.both())
        return left

    def both(self) -> Condition:
        left = self.single()
        while self.accept("AND"):
            left = _joined(all, left, self.single())
        return left

    def single(self) -> Condition:
        if self.accept("NOT"):
            inner = self.single()
            return lambda row: not inner(row)
        if self.accept("("):
            inner = self.either()
            self.take(")")
            return inner
        name = self.word().lower()
        self.named.append(name)
        if self.accept("IS"):
            negated = self.accept("NOT")
            self.take("NULL")
            return lambda row: (row.get(name) is None) != negated
        if self.accept("LIKE"):
            pattern = _pattern(str(self.literal()))
            return lambda row: bool(pattern.fullmatch(str(row.get(name) or "")))
        sign = self.take()[1]
        if sign not in COMPARED:
            raise WqlError("Invalid query ")
        return _comparison(name, COMPARED[sign], self.literal())

    def literal(self) -> Any:
        kind, word = self.take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if kind == "number":
            return float(word)
        if word.upper() == "__SERVER":
            return self.server
        if word.upper() in ("TRUE", "FALSE"):
            return word.upper() == "TRUE"
        raise WqlError("Invalid query ")


def _joined(how: Callable[..., bool], *conditions: Condition) -> Condition:
    return lambda row: how(condition(row) for condition in conditions)


def _pattern(like: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(letter, re.escape(letter)) for letter in like), re.IGNORECASE | re.DOTALL)


def _comparison(name: str, compare: Callable[[Any, Any], bool], literal: Any) -> Condition:
    def fulfilled(row: Row) -> bool:
        value = row.get(name)
        if value is None:
            return False
        if isinstance(value, str) or isinstance(literal, str):
            return compare(str(value).casefold(), str(literal).casefold())
        return compare(float(value), float(literal))

    return fulfilled


def parse(query: str, server: str) -> Select:
    """The query as data; raises WqlError with WMI's sentence."""
    return _Parser(query, server).select()
