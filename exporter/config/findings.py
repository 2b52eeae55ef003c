"""What validators of the configuration raise, and pydantic's own errors in the words of an operator.

A finding has a path and no place yet: `loading` looks the place up in the tree of the file. No message shows a value,
except words that refer to something (a platform, an account, a profile, a choice).
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import pydantic
import pydantic_core

from exporter.config.mistakes import Path, choice, quoted, suggestion

_TYPE = "findings"
_QUOTES = "put it in quotes"
_MERGE = "merge keys are not supported: share settings through profiles and auths"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a path; `at_key` says that the last key of the path is wrong and not its value."""

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False


def refuse(message: str, hint: str = "", *path: str | int) -> NoReturn:
    """Refuses the value that is being validated; `path` leads further down into it."""
    refuse_all([Finding(path, message, hint)])


def refuse_all(findings: Sequence[Finding]) -> NoReturn:
    """Refuses the value that is being validated for several reasons."""
    raise pydantic_core.PydanticCustomError(_TYPE, "see the findings", {"findings": tuple(findings)})


def explained(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> list[Finding]:
    """Everything that pydantic and our validators found, each with its path below the model."""
    findings = [finding for details in error.errors(include_url=False) for finding in _findings(details, model)]
    # A misspelt key is also a missing one; one of the two is enough.
    meant = {(f.path[:-1], f.hint) for f in findings if f.at_key}
    return [f for f in findings if not (f.message.endswith(_MISSING) and (f.path, _did_you_mean(f)) in meant)]


_MISSING = " is missing"


def _did_you_mean(missing: Finding) -> str:
    key = missing.message.removeprefix("the key ").removesuffix(_MISSING)
    return f"did you mean {key}?"


def _findings(details: pydantic_core.ErrorDetails, model: type[pydantic.BaseModel]) -> Iterator[Finding]:
    path, kind, context = details["loc"], details["type"], details.get("ctx", {})
    if path[-1:] == ("[key]",):  # pydantic's mark for the key itself
        yield Finding(path[:-1], "the name must not be empty", at_key=True)
    elif kind == _TYPE:
        for finding in context["findings"]:
            yield replace(finding, path=path + finding.path)
    elif kind == "missing":
        yield Finding(path[:-1], f"the key {quoted(str(path[-1]))}{_MISSING}")
    elif kind == "extra_forbidden":
        known = _keys(model, path[:-1])
        hint = _MERGE if path[-1] == "<<" else choice(str(path[-1]), known)
        yield Finding(path, "unknown key", hint, at_key=True)
    elif kind == "literal_error":
        expected = context["expected"].replace("'", "")
        yield Finding(path, f"must be {expected}", _likely(details["input"], expected))
    elif kind.endswith(("_type", "_parsing")) or kind == "int_from_float":
        wanted = _wanted(kind)
        given = details["input"]
        hint = _QUOTES if wanted == "text" and isinstance(given, bool | int | float) else ""
        yield Finding(path, f"must be {wanted}, not {_given(given)}" if wanted else details["msg"], hint)
    elif kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        yield Finding(path, f"must be {words} {context[name]}")
    elif kind in ("string_too_short", "too_short"):
        yield Finding(path, "must not be empty")
    else:
        yield Finding(path, details["msg"].removeprefix("Value error, "))


_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _wanted(kind: str) -> str:
    words = {
        "string": "text",
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "list": "a list",
        "dict": "a mapping of keys to values",
        "model": "a mapping of keys to values",
    }
    return words.get(kind.split("_", maxsplit=1)[0], "")


def _given(value: object) -> str:
    names: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a decimal number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a mapping"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "nothing")


def _likely(given: object, expected: str) -> str:
    words = expected.replace(" or ", ", ").split(", ")
    meant = suggestion(given, words) if isinstance(given, str) else None
    return f"did you mean {quoted(meant)}?" if meant else ""


def _keys(model: type[pydantic.BaseModel], path: Iterable[str | int]) -> list[str]:
    """The keys that a mapping at this path below the model may have."""
    annotation: Any = model
    for part in path:
        if found := _model_in(annotation):
            field = _fields(found).get(str(part))
            annotation = field.annotation if field else None
        else:  # a position in a list, a name in a mapping
            annotation = next(iter(typing.get_args(annotation)[-1:]), None)
    found = _model_in(annotation)
    return list(_fields(found)) if found else []


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The model that an annotation is, or that it holds beside None; not the model of a list's items."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, dict, tuple):
        return None
    inner = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((found for found in inner if found), None)


def _fields(model: type[pydantic.BaseModel]) -> dict[str, pydantic.fields.FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
