"""What can go wrong in a collection, as the few kinds that decide what happens next.

Collectors raise these with the sentence that the operator should read; the worker catches them in one place.

    CollectorError
    ├── Unreachable            nothing answered: back off
    │   ├── SecretUnreadable   a secret, key or certificate authority cannot be read: as if nothing answered
    │   └── SdkMissing         the platform's library is not installed: as if nothing answered
    ├── TimedOut               something answered too late: back off, abandon the call
    ├── AuthenticationFailed   stop asking until the secret or the configuration changes
    ├── Forbidden(right)       go on without these families, and name the right
    ├── Malformed(where)       the answer made no sense: this part is lost
    └── Unsupported(what)      the platform cannot: absent, not an error in the page
"""

from __future__ import annotations

from typing import ClassVar


class CollectorError(Exception):
    """A collection that did not succeed; `str()` is one sentence for the operator and holds no secret."""

    outcome: ClassVar[str] = "unreachable"
    problem: ClassVar[str | None] = None
    """Name of the problem (metrics.md vocabulary) that this error stands for, where it has one."""


class Unreachable(CollectorError):
    """Nothing answered: refused, no route, no such socket, name not found."""


class SecretUnreadable(Unreachable):
    """A secret or certificate that the configuration names cannot be read now; tried again later."""

    problem = "secret_unreadable"


class SdkMissing(Unreachable):
    """The vendor's library is not installed; the sentence names how to install it."""

    problem = "sdk_missing"


class TimedOut(CollectorError):
    """The endpoint answers too slowly for the deadline."""

    outcome = "timed_out"


class AuthenticationFailed(CollectorError):
    """The endpoint refused our credentials. Never repeated by itself: accounts lock."""

    outcome = "auth_failed"


class Forbidden(CollectorError):
    """The account lacks a right; `right` names it in the vendor's words."""

    outcome = "forbidden"
    problem = "missing_right"

    def __init__(self, sentence: str, right: str = "") -> None:
        super().__init__(sentence)
        self.right = right


class Malformed(CollectorError):
    """An answer that makes no sense; `where` says which."""

    outcome = "malformed"
    problem = "malformed_object"

    def __init__(self, sentence: str, where: str = "") -> None:
        super().__init__(sentence)
        self.where = where


class Unsupported(CollectorError):
    """The endpoint cannot deliver this group at all; its families are absent and nothing is wrong."""

    outcome = "success"
