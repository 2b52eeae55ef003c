"""Types of single values of the document: durations, passwords, patterns and globs, with their JSON Schema."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, PlainValidator, StringConstraints, WithJsonSchema

from exporter.config import durations, rules
from exporter.config.findings import Finding, refuse, refuse_all
from exporter.config.mistakes import choice
from exporter.secrets import SecretSource

_VERSION = 1
_LITERAL = "a password that stands here itself is put in quotes"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACES: tuple[Literal["file", "env", "credential"], ...] = ("file", "env", "credential")


def _duration(given: object) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool):
        refuse("has no unit", durations.EXAMPLE)
    if not isinstance(given, str) or (seconds := durations.seconds(given)) is None:
        refuse("is no duration", durations.EXAMPLE)
    if not 0 < seconds <= durations.LONGEST_SECONDS:
        refuse(f"must be more than 0 and at most {durations.written(durations.LONGEST_SECONDS)}")
    return seconds


def _interval(given: object) -> float:
    seconds = _duration(given)
    if seconds < 1:
        refuse("must be at least 1s", "hypervisors are polled gently")
    return seconds


def _version(given: object) -> int:
    if isinstance(given, bool) or given != _VERSION or not isinstance(given, int):
        refuse(f"must be {_VERSION}, the version of the format that this release reads")
    return given


def _password(given: object) -> SecretSource:
    """A literal, or a mapping with exactly one place. Unknown keys are not repeated: one may be the password."""
    if given == "":
        refuse("must not be empty")
    if isinstance(given, str):
        return SecretSource("literal", given)
    if not isinstance(given, dict):
        refuse("must be {file: PATH}, {env: NAME} or {credential: NAME}", _LITERAL)
    found = [_unknown_place(key) for key in given if key not in _PLACES]
    known = [place for place in _PLACES if place in given]
    if not found and len(known) != 1:
        found.append(Finding((), "needs exactly one of file, env and credential"))
    found += [f for place in known if (f := _wrong_locator(place, given[place]))]
    if found:
        refuse_all(found)
    return SecretSource(known[0], given[known[0]])


def _unknown_place(key: str) -> Finding:
    hint = choice(key, _PLACES)
    if hint.startswith("did you mean"):
        return Finding((key,), "unknown key", hint, at_key=True)
    return Finding((), "has an unknown key", hint)


def _wrong_locator(place: str, given: object) -> Finding | None:
    if not isinstance(given, str) or not given or "\x00" in given:
        return Finding((place,), "must be text and not empty")
    if place == "env" and not _VARIABLE.fullmatch(given):
        return Finding((place,), "is no name of an environment variable", "the name alone, without $")
    if place == "credential" and ("/" in given or given in (".", "..")):
        return Finding((place,), "is no name of a systemd credential", "the name alone; a path goes under file")
    return None


Text = Annotated[str, StringConstraints(min_length=1)]
Glob = Text
Pattern = Annotated[Text, AfterValidator(rules.pattern)]
Pin = Annotated[Text, AfterValidator(rules.pin)]

_DURATION_SCHEMA = {
    "type": "string",
    "pattern": durations.PATTERN,
    "minLength": 2,
    "examples": ["30s", "2m", "1h", "500ms"],
}
Duration = Annotated[float, PlainValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
Interval = Annotated[float, PlainValidator(_interval), WithJsonSchema(_DURATION_SCHEMA)]

Version = Annotated[int, PlainValidator(_version), WithJsonSchema({"type": "integer", "const": _VERSION})]

_LOCATORS = {
    "file": {"type": "string", "minLength": 1, "description": "A file; read again when it changes."},
    "env": {"type": "string", "pattern": f"^{_VARIABLE.pattern}$", "description": "A variable of the environment."},
    "credential": {"type": "string", "pattern": "^[^/]+$", "description": "A systemd credential (LoadCredential=)."},
}
Password = Annotated[
    SecretSource,
    PlainValidator(_password),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "minLength": 1, "description": "The password itself; accepted with a warning."},
                *(
                    {
                        "type": "object",
                        "properties": {place: schema},
                        "required": [place],
                        "additionalProperties": False,
                    }
                    for place, schema in _LOCATORS.items()
                ),
            ]
        }
    ),
]
