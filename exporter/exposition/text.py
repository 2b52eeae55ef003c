"""The words of the exposition formats: label values, numbers, headers.

Text 0.0.4 and OpenMetrics 1.0 differ in headers only.
What a hypervisor calls its guests is hostile until it has been through `Labels`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2s
from math import isfinite

from exporter.catalogue.family import Family, Kind
from exporter.exposition.negotiation import Format

LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_UNPRINTABLE = re.compile("[\ud800-\udfff\0]")
_HASH_BYTES = 6

NOT_A_NUMBER = "not_a_number"
NOT_FINITE = "not_finite"
NEGATIVE = "negative"


class Labels:
    """Makes text of label values, never longer than `limit` characters, and counts those it had to change."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.sanitised = 0

    def pair(self, name: str, value: object) -> str:
        """`name="value"`, escaped. A value that is no text becomes one, and None the empty text."""
        if type(value) is str and len(value) <= self._limit and value.isprintable():
            clean = value
        else:
            clean = self._clean(value)
        if "\\" in clean or '"' in clean or "\n" in clean:
            clean = clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{name}="{clean}"'

    def _clean(self, value: object) -> str:
        if isinstance(value, str):
            raw = text = str(value)  # a word of an enumeration, by its value
        else:
            raw, text = "", "" if value is None else str(value)
        if _UNPRINTABLE.search(text):
            text = _UNPRINTABLE.sub("\ufffd", text)
        if len(text) > self._limit:
            # The hash keeps two long names apart that begin alike.
            digest = blake2s(raw.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
            text = (text[: max(0, self._limit - len(digest) - 1)] + "~" + digest)[: self._limit]
        if text != raw or not isinstance(value, str):
            self.sanitised += 1
        return text


def number(value: object) -> str | None:
    """A number as both formats write it, shortest; None where `refusal` says why it cannot be shown."""
    if not isinstance(value, int | float) or refusal(value):
        return None
    return repr(float(value)).removesuffix(".0") if isinstance(value, float) else str(int(value))


def refusal(value: object, *, counter: bool = False) -> str | None:
    """Why a value may not be shown, or None. Numbers too large for a float would read as infinite."""
    if not isinstance(value, int | float):
        return NOT_A_NUMBER
    try:
        finite = isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        return NOT_FINITE
    return NEGATIVE if counter and value < 0 else None


def _text_header(family: Family) -> str:
    kind = Kind.GAUGE if family.kind is Kind.INFO else family.kind
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {family.name} {text}\n# TYPE {family.name} {kind}\n"


def _openmetrics_header(family: Family) -> str:
    name = family.name
    if family.kind is Kind.COUNTER:
        name = name.removesuffix("_total")
    elif family.kind is Kind.INFO:
        name = name.removesuffix("_info")
    unit = f"# UNIT {name} {family.unit}\n" if family.unit and family.kind is not Kind.INFO else ""
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f"# TYPE {name} {family.kind}\n{unit}# HELP {name} {text}\n"


_HEADERS: dict[Format, Callable[[Family], str]] = {
    Format.TEXT_0_0_4: _text_header,
    Format.OPENMETRICS_1_0: _openmetrics_header,
}


def header(family: Family, wanted: Format) -> bytes:
    """The comment lines that stand before a family's samples in this format."""
    return _HEADERS[wanted](family).encode()
