"""Why a text is no YAML, in the words of an operator.

Translates the parser's complaints. None of its own words are passed on where they quote the document: what stands
there may be a password.
"""

from __future__ import annotations

import re

import yaml

QUOTE = "put the value in quotes if it begins like this on purpose"

_QUOTE_IT = "put the value in single quotes"
_ALIGN = "keys of one mapping begin in the same column, and so do the dashes of one list"

# (what the parser says, with and without libyaml; our message; hint; whether the place is where the context began)
_COMPLAINTS: tuple[tuple[str, str, str, bool], ...] = (
    ("tab character", "a tab where YAML wants spaces", "indent with spaces", False),
    ("mapping values are not allowed", 'a second ":" on one line, or an indentation that fits no key above',
     'a value that holds ": " needs quotes, and keys of one mapping begin in the same column', False),
    ("sequence entries are not allowed", 'a list item "- " cannot begin here', "begin it on a line of its own", False),
    ("expected ',' or ']'", 'the list that begins here with "[" is never closed', 'close it with "]"', True),
    ("expected ',' or '}'", 'the mapping that begins here with "{" is never closed', 'close it with "}"', True),
    ("found unexpected end of stream", "the quote that opens here is never closed", "close it", True),
    ("found unexpected document indicator", "the quote that opens here is never closed", "close it", True),
    ("escape", "an unknown escape sequence in double quotes",
     "single quotes take a backslash as it is: 'EXAMPLE\\monitor'", False),
    ("could not find expected ':'", 'neither "key: value" nor a list item "- value"',
     'write a space after the ":"', True),
    ("expected <block end>", "this line is indented differently from its neighbours", _ALIGN, False),
    ("did not find expected key", "this line is indented differently from its neighbours", _ALIGN, False),
    ("expected '-' indicator", "this line is indented differently from its neighbours", _ALIGN, False),
    ("<document start>", "text after the end of the document", "a bracket or brace is closed once too often", False),
    ("duplicate anchor", "an anchor is defined twice", "", False),
    ("tag", "tags (words that begin with !) are not used here", QUOTE, False),
)  # fmt: skip


class Refused(Exception):
    """The text cannot be read from this place on; line and column count from 1."""

    def __init__(self, line: int, column: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.sentence = (message, hint)


def explained(error: yaml.MarkedYAMLError, text: str) -> Refused:
    """The parser's complaint, translated."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return _strange_start(text, line, column)
    if (tab := _tab_at(text, line)) is not None:
        return Refused(line + 1, tab + 1, "a tab where YAML wants spaces", "indent with spaces")
    for words, message, hint, at_context in _COMPLAINTS:
        if words in problem:
            if at_context and error.context_mark:
                line, column = error.context_mark.line, error.context_mark.column
            return Refused(line + 1, column + 1, message, hint)
    return Refused(line + 1, column + 1, "this cannot be read as YAML", _QUOTE_IT)


def unreadable_character(text: str) -> Refused | None:
    """The first character that YAML does not allow, as control characters and halves of surrogate pairs."""
    found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if found is None:
        return None
    before = text[: found.start()]
    column = found.start() - (before.rfind("\n") + 1)
    return Refused(
        before.count("\n") + 1,
        column + 1,
        f"the character U+{ord(found.group()):04X} is not allowed in YAML",
        "remove it, or write it as an escape in double quotes",
    )


def _strange_start(text: str, line: int, column: int) -> Refused:
    lines = text.splitlines()
    character = lines[line][column : column + 1] if line < len(lines) else ""
    if character == "\t":
        return Refused(line + 1, column + 1, "a tab where YAML wants spaces", "indent with spaces")
    return Refused(line + 1, column + 1, f'a value cannot begin with "{character}"', _QUOTE_IT)


def _tab_at(text: str, line: int) -> int | None:
    """The column of a tab in the indentation of a line; such lines are complained about in many ways."""
    lines = text.splitlines()
    if line >= len(lines):
        return None
    indentation = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    tab = indentation.find("\t")
    return tab if tab >= 0 else None
