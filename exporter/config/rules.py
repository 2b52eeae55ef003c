"""Checks that need more than a type: names that refer to something, addresses, labels, globs, platform options.

Called by the validators of `schema` and told by `Known` what exists. Nothing here looks at the world outside: what
can change while the document does not is no mistake of the document.
"""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pydantic

from exporter.config import addresses
from exporter.config.findings import Finding, explained, refuse, refuse_all
from exporter.config.mistakes import choice, quoted, suggestion
from exporter.config.model import DEFAULT_INTERVALS

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PIN = re.compile(r"[0-9a-f]{64}")


class PlatformSpec(Protocol):
    """What the configuration must know of a platform."""

    @property
    def name(self) -> str: ...
    @property
    def options(self) -> type[pydantic.BaseModel]:
        """The model of a target's `options`; strict, and unknown keys forbidden. Not for secrets: `auth` is."""

    @property
    def groups(self) -> Collection[str]:
        """Groups that are collected without asking."""

    @property
    def opt_in_groups(self) -> Collection[str]:
        """Groups that `families.include` turns on."""

    def check_address(self, address: str, /) -> str | None:
        """A sentence about what is wrong with the address itself, or None."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a document may refer to."""

    platforms: Mapping[str, PlatformSpec]
    labels: Collection[str]
    families: Collection[str]
    auths: Collection[str] = ()
    profiles: Collection[str] = ()

    @property
    def opt_in_groups(self) -> set[str]:
        return {group for platform in self.platforms.values() for group in platform.opt_in_groups}

    def platform_of(self, name: str, options: Mapping[str, Any]) -> str:
        """The platform that a target really belongs to: one that can look like others picks a stand-in by options."""
        variant = getattr(self.platforms.get(name), "variant", None)
        found: str = name if variant is None else variant(options)
        return found

    @property
    def groups(self) -> set[str]:
        by_platform = {group for platform in self.platforms.values() for group in platform.groups}
        return set(DEFAULT_INTERVALS) | by_platform | self.opt_in_groups


def reference(given: str, known: Collection[str], word: str) -> str:
    """The word, if it names something that exists."""
    if given not in known:
        refuse(f"there is no {word} {quoted(given)}", choice(given, known))
    return given


def target_name(name: str) -> str:
    """The name, if it can stand in a label, in a path of the web pages and on a command line."""
    if not name.strip():
        refuse("must not be empty")
    if name != name.strip() or not all(c.isprintable() for c in name):
        refuse("has control characters or spaces around it", "use letters, digits, dots, dashes and underscores")
    if "/" in name or name in (".", ".."):
        refuse('must not hold "/" or be "." or ".."', "it is part of the address of the target's page")
    return name


def address(given: str, platform: PlatformSpec | None) -> str:
    """The address, if it holds no password and its platform can use it. Messages never repeat it."""
    if addresses.without_password(given) != given:
        refuse("holds a password", "addresses appear in logs and metrics: put the password under auths")
    if not given or not all(c.isprintable() for c in given) or given != given.strip():
        refuse("must not be empty, hold control characters or have spaces around it")
    if platform is not None and (sentence := platform.check_address(given)):
        refuse(sentence)
    return given


def options(given: Mapping[str, Any], platform: PlatformSpec) -> dict[str, Any]:
    """The options as the platform's model completes them."""
    try:
        model = platform.options.model_validate(dict(given))
    except pydantic.ValidationError as error:
        refuse_all(explained(error, platform.options))
    return model.model_dump(mode="json", by_alias=True)


def labels(given: Mapping[str, str], known: Collection[str]) -> Mapping[str, str]:
    """The operator's labels, if Prometheus and our own series leave room for them."""
    found = []
    for name in given:
        if not _LABEL.fullmatch(name):
            hint = "letters, digits and underscores, no digit first"
            found.append(Finding((name,), "is no valid label name", hint, at_key=True))
        elif name.startswith("__"):
            found.append(Finding((name,), "label names that begin with __ belong to Prometheus", at_key=True))
        elif name in known:
            hint = f"choose another name, for example {quoted('my_' + name)}"
            found.append(Finding((name,), "is a label that the exporter uses itself", hint, at_key=True))
    if found:
        refuse_all(found)
    return given


def pin(given: str) -> str:
    """SHA-256 in hexadecimal, with or without colons, as lower-case digits."""
    digits = given.replace(":", "").lower()
    if not _PIN.fullmatch(digits):
        refuse(
            "is no SHA-256 fingerprint: 64 hexadecimal digits, colons allowed",
            "openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE prints it",
        )
    return digits


def pattern(given: str) -> str:
    """The regular expression, if it is one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(given)
    except re.error as error:
        where = f" at character {error.pos + 1}" if error.pos is not None else ""
        refuse(f"is no regular expression: {error.msg}{where}")
    except (OverflowError, RecursionError):
        refuse("is no regular expression: too large")
    return given


def groups(given: Mapping[str, object], known: Known) -> None:
    """Refuses names of groups that nothing collects."""
    found = [
        Finding((name,), "there is no group of this name", choice(name, known.groups), at_key=True)
        for name in given
        if name not in known.groups
    ]
    if found:
        refuse_all(found)


def families(given: list[str], known: Known, *, also: Collection[str] = ()) -> list[str]:
    """The globs, if each matches a family; words in `also` are accepted as they are."""
    found = []
    for position, glob in enumerate(given):
        if glob in also or any(fnmatch.fnmatchcase(family, glob) for family in known.families):
            continue
        meant = suggestion(glob, {*known.families, *also})
        hint = f"did you mean {quoted(meant)}?" if meant else "the command metrics lists all families"
        found.append(Finding((position,), f"matches no family: {quoted(glob)}", hint))
    if found:
        refuse_all(found)
    return given
