"""Which format and which encoding a client gets, from its Accept and Accept-Encoding headers (RFC 9110, section 12.5).

A header never fails a scrape: what cannot be read counts as not said, and the answer is then plain text 0.0.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple


class Format(Enum):
    """An exposition format; the value is its content type."""

    TEXT_0_0_4 = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS_1_0 = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    @property
    def content_type(self) -> str:
        return self.value


class _Choice(NamedTuple):
    """One element of a header: its lower-case name, its parameters without q, and its quality from 0 to 1."""

    name: str
    parameters: Mapping[str, str]
    quality: float


# A quoted string may hold separators; one that is never closed runs to the end.
_BETWEEN = {separator: re.compile(rf'(?:[^{separator}"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL) for separator in ",;"}
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAME = re.compile(rf"{_WORD}(?:/{_WORD})?")
_PARAMETER = re.compile(rf'({_WORD})\s*=\s*(?:({_WORD})|"((?:[^"\\]|\\.)*)")', re.DOTALL)
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")

# From the widest to the narrowest range that covers text 0.0.4: the narrowest one that is named decides.
_TEXT_RANGES = ("*/*", "text/*", "text/plain")
_OPENMETRICS = "application/openmetrics-text"


def negotiate(accept: str | None) -> Format:
    """The format to answer with.

    OpenMetrics only where it is named, as version 1.0.0 or without a version, and no less welcome than plain text:
    a wildcard never means it, so a browser gets what a person can read.
    """
    text: dict[tuple[int, bool], float] = {}
    openmetrics: dict[bool, float] = {}
    for name, parameters, quality in _choices(accept or ""):
        version = parameters.get("version")
        if name == _OPENMETRICS and version in (None, "1.0.0"):
            openmetrics[version is not None] = quality
        elif name in _TEXT_RANGES and version in (None, "0.0.4"):
            text[_TEXT_RANGES.index(name), version is not None] = quality
    wanted = openmetrics[max(openmetrics)] if openmetrics else 0.0
    otherwise = text[max(text)] if text else 0.0
    return Format.OPENMETRICS_1_0 if wanted > 0 and wanted >= otherwise else Format.TEXT_0_0_4


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip is acceptable and no less welcome than no encoding; False where the client says nothing."""
    qualities = {choice.name: choice.quality for choice in _choices(accept_encoding or "")}
    named = [qualities[name] for name in ("gzip", "x-gzip") if name in qualities]
    gzip = max(named) if named else qualities.get("*", 0.0)
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


def _choices(header: str) -> Iterator[_Choice]:
    """The readable elements of a comma-separated header; an unreadable one is left out."""
    for element in _BETWEEN[","].findall(header):
        name, *rest = (part.strip() for part in _BETWEEN[";"].findall(element) or [""])
        parameters = _parameters(rest)
        if parameters is None or not _NAME.fullmatch(name):
            continue
        quality = parameters.pop("q", "1")
        if _QUALITY.fullmatch(quality):
            yield _Choice(name.lower(), MappingProxyType(parameters), float(quality))


def _parameters(parts: list[str]) -> dict[str, str] | None:
    """Parameters by lower-case name, or None where one of them cannot be read."""
    parameters: dict[str, str] = {}
    for part in parts:
        if not part:  # RFC 9110, section 5.6.6, allows "a; ;b=1"
            continue
        matched = _PARAMETER.fullmatch(part)
        if matched is None:
            return None
        name, token, quoted = matched.groups()
        parameters[name.lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
    return parameters
