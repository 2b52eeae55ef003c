"""What happens to a test whose back end is not installed."""

import importlib.util
import os
from collections.abc import Sequence

import pytest

from tests.backends.processes import find_binary


def need(binaries: Sequence[str], modules: Sequence[str] = ()) -> None:
    """Skip the test where something is missing; fail it in CI, where a skip would go unnoticed."""
    missing = [name for name in binaries if not find_binary(name)]
    missing += [f"Python module {name}" for name in modules if not importlib.util.find_spec(name)]
    if missing:
        sentence = f"not installed: {', '.join(missing)} (deploy/install-packages test)"
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(sentence)
        pytest.skip(sentence)
