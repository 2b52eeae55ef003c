"""How a check fails: with sentences for the platform's author, not with a traceback of the suite."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

_SHOWN = 40


def refuse(sentences: Iterable[str]) -> None:
    """Fail the test if there is any sentence."""
    found = list(sentences)
    if found:
        more = [f"... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        pytest.fail("\n".join(["", *found[:_SHOWN], *more]), pytrace=False)
