"""An answer of HTTP, opened if it came sealed."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from typing import NamedTuple


class Received(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def clock_offset(headers: Mapping[str, str]) -> float | None:
    """Seconds by which the host's clock is ahead of ours, to half a second; None where it does not tell the time."""
    try:
        return email.utils.parsedate_to_datetime(headers["Date"]).timestamp() + 0.5 - time.time()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
