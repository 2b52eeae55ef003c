"""The core's errors, where the collector wants to tell more of them apart."""

from __future__ import annotations

from exporter.errors import CollectorError, Forbidden, Malformed, Unreachable, Unsupported


class NotThere(Unsupported):
    """The host has no such namespace, class or instance: a role or a service that it does not have."""

    def __init__(self, sentence: str, what: str) -> None:
        super().__init__(sentence)
        self.what = what


class AccessDenied(Forbidden):
    """The account may not ask this; `right` names the group or the namespace's right that is missing."""

    def __init__(self, sentence: str, right: str, namespace: str) -> None:
        super().__init__(sentence, right)
        self.namespace = namespace


class Busy(Unreachable):
    """The host answers, but refuses more work now: a quota is used up."""


class Refused(Malformed):
    """A fault that means nothing in particular to us; `code` is Windows' number, 0 where there is none."""

    def __init__(self, sentence: str, where: str, code: int) -> None:
        super().__init__(sentence, where)
        self.code = code


class FilterRefused(Malformed):
    """A query names something that the host does not know: a column, the class, or the namespace."""


class Lost(CollectorError):
    """The connection, or what it had agreed on, is no more; the question can be asked again on another one."""


class ContextLost(Lost):
    """The host has forgotten a query before its end; the connection is well."""
