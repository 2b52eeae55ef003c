"""Runbooks as text for tests: their sections, links, queries and commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dashboards.rules.forms import Alert
from dashboards.rules.settings import Settings
from dashboards.rules.text import groups

FOLDER = Path(__file__).parents[2] / "dashboards" / "runbooks"
INDEX = FOLDER / "README.md"
_FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PLACEHOLDER = re.compile(r'="(TARGET|HOST|GUEST|STORAGE|KEY|CLUSTER)"')
_BEGIN = r"(?:^\s*|[;|&(]\s*|\bdo\s+|\btimeout \d+\s+|\bxargs (?:-\S+\s+)*)"
"""What stands before a command."""
_END = {"|", "||", "&&", ";", "&", ">", "<", "</dev/null", "#", ")"}
"""Where a command of a shell's line ends."""


def alerts() -> list[Alert]:
    """Every alert that the rules make, in their order."""
    return [rule for group in groups(Settings()) for rule in group.rules if isinstance(rule, Alert)]


@dataclass(frozen=True)
class Page:
    """One file of the folder."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def prose(self) -> str:
        """The text without its blocks."""
        return _FENCED.sub("", self.text)

    @property
    def heads(self) -> list[str]:
        return re.findall(r"^## (.+)$", self.prose, re.MULTILINE)

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def spans(self) -> list[str]:
        return _SPAN.findall(self.prose)

    def blocks(self, language: str, since: str = "# ") -> list[str]:
        return [text for _, found, text in _FENCED.findall(self.text, self.text.index(since)) if found == language]

    def mitigation(self, program: str) -> Iterator[list[str]]:
        """Commands of the blocks of the last section."""
        for block in self.blocks("sh", since="## Mitigation"):
            for line in block.splitlines():
                words = list(_words(line))
                if words[:1] == [program]:
                    yield words[1:]

    @property
    def queries(self) -> list[str]:
        """What is to be pasted: every line of its blocks that is no comment."""
        lines = (line.strip() for block in self.blocks("promql") for line in block.splitlines())
        return [line for line in lines if line and not line.startswith("#")]

    def commands(self, program: str) -> Iterator[list[str]]:
        """Words after the program's name, of each time that it is called in a block or in the text."""
        for line in [*(line for block in self.blocks("sh") for line in block.splitlines()), *self.spans]:
            for found in re.finditer(rf"{_BEGIN}{program} +", line):
                words = list(_words(line[found.end() :]))
                if words:
                    yield words


def pages() -> dict[str, Page]:
    """The pages of alerts by name."""
    return {path.stem: Page(path) for path in sorted(FOLDER.glob("*.md")) if path != INDEX}


def anywhere(query: str) -> str:
    """The query for everything instead of one thing."""
    return _PLACEHOLDER.sub('=~".*"', query)


def _words(text: str) -> Iterator[str]:
    lexer = shlex.shlex(_balanced(text), posix=True, punctuation_chars=";|&<>()")
    lexer.whitespace_split = True
    for word in lexer:
        if word in _END or set(word) <= set(";|&<>()"):
            return
        yield word


def _balanced(text: str) -> str:
    """Without the end of a quotation that began before the program's name, as in `"$(virsh list)"`."""
    for quote in "\"'":
        if text.count(quote) % 2:
            text = text[: text.rfind(quote)]
    return text
