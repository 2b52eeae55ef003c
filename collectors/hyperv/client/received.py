"""An answer of HTTP, opened if it came sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Received(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
