"""What is wrong with a configuration, as data: where, in which key, what, and what to do about it.

Made by everything that reads the document; shown by `check`, by a refused reload and at start.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The way to a value in the document: keys and positions in lists."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Mistake:
    """One finding; line and column count from 1, both are 0 where the file as a whole is meant."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{where}: {text}; {self.hint}" if self.hint else f"{where}: {text}"


class ConfigError(Exception):
    """A configuration that is refused; `mistakes` holds all that was found, in the order of the document."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(tuple(mistakes))
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


def dotted(path: Iterable[str | int]) -> str:
    """The path as operators read it: `targets[1].tls.ca_file`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{quoted(part)}]"
    return text


def quoted(value: str) -> str:
    """The value in double quotes on one line: control characters are escaped and what is too long is cut."""
    cut = value if len(value) <= _LONGEST_QUOTE else value[:_LONGEST_QUOTE] + "..."
    text = json.dumps(cut, ensure_ascii=False)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def suggestion(given: str, known: Collection[str]) -> str | None:
    """The known word that was probably meant, or None."""
    folded = {word.casefold(): word for word in sorted(known, reverse=True)}
    close = difflib.get_close_matches(given.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def choice(given: str, known: Collection[str]) -> str:
    """A hint for a word that is not among the known ones: the likely one, else all of them if they are few."""
    meant = suggestion(given, known)
    if meant is not None:
        return f"did you mean {quoted(meant)}?"
    return f"known are {', '.join(sorted(known))}" if 0 < len(known) <= 12 else ""
