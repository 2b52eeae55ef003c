"""What makes an error fit for an operator: one of the core's kinds, one sentence, no traceback, no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exporter.errors import CollectorError
from exporter.testing.visit import error_text

_LONGEST = 600
_SIGNS = (
    (re.compile(r"Traceback|File \".*\", line \d+"), "a traceback"),
    (re.compile(r"\bat 0x[0-9a-f]{6,}"), "an address in memory"),
    (re.compile(r"<class '|<[\w.]+ object\b"), "the text of an object"),
    (re.compile(r"\n"), "a line break"),
)


def flaws(error: BaseException | None, doing: str, secret: str = "") -> Iterator[str]:
    """Why the error is not what an operator should read; nothing if it is."""
    if error is None:
        return
    if not isinstance(error, CollectorError):
        yield (
            f"{doing} raised {type(error).__name__}: {error}; the core takes everything but exporter.errors for a bug: "
            "translate it in the client"
        )
        return
    text = str(error)
    if len(text.split()) < 3:
        yield f"{doing} raised {type(error).__name__} with the text {text!r}: an operator needs a sentence"
    if len(text) > _LONGEST:
        yield f"{doing} raised {type(error).__name__} with {len(text)} characters; a sentence is wanted, not an answer"
    yield from (
        f"{doing} raised {type(error).__name__} with {what} in it: {text!r}"
        for sign, what in _SIGNS
        if sign.search(text)
    )
    if secret and secret in error_text(error):
        yield f"{doing} raised {type(error).__name__} with the secret in it"
