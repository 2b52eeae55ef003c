"""VMware Tools in guests: whether they run, which version."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from collectors.vsphere.mapping.attributes import SEPARATOR
from collectors.vsphere.mapping.checked import Facts
from exporter.model import Counter, Parts

RUNNING, VERSION, STATUS = "guest.toolsRunningStatus", "guest.toolsVersion", "guest.toolsVersionStatus2"
TOOLS = "tools"
"""Key among what only vSphere tells of a guest."""
_UP = {"guestToolsRunning": True, "guestToolsNotRunning": False, "guestToolsExecutingScripts": False}
_MOST = 100 << 10
"""Larger numbers stand for Tools that another packed (2147483647): they are no version."""


def agent_up(facts: Facts) -> bool | None:
    """Whether they run; None where they are not installed, or that is not known or told in an unknown word."""
    if facts.get(STATUS) == "guestToolsNotInstalled":
        return None
    return _UP.get(str(facts.get(RUNNING)))


def described(facts: Facts) -> Mapping[str, Counter | None]:
    """Version and its status as the row of an info, the same object for the same words; nothing where neither is told.

    A guest without Tools has the status `guestToolsNotInstalled` and no version.
    """
    version, status = facts.get(VERSION), facts.get(STATUS)
    return _described(version if isinstance(version, str) else "", status if isinstance(status, str) else "")


@functools.lru_cache(maxsize=1024)
def _described(version: str, status: str) -> Mapping[str, Counter | None]:
    told = version_of(version)
    return {TOOLS: Parts({f"{told}{SEPARATOR}{status}": 1.0})} if told or status else {}


def version_of(number: str) -> str:
    """The version that a number stands for: 12352 is 12.2.0, ten bits and more of major, five each of minor and base.

    0 stands for no Tools; what is no such number is told as it is.
    """
    text = number.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(_MOST)):
        return text
    known = int(text)
    if known == 0:
        return ""
    return f"{known >> 10}.{known >> 5 & 31}.{known & 31}" if 1 << 10 <= known < _MOST else text
