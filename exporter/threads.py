"""Names of threads as `top -H` and `ps -L` show them."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

_LONGEST = 15
"""Bytes that Linux keeps of a name."""


def show_name() -> None:
    """Tell the system the calling thread's name, as Python 3.14 does by itself. Without /proc it stays unseen."""
    name = threading.current_thread().name.encode("utf-8", "replace")[:_LONGEST]
    with suppress(OSError):
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_bytes(name)
