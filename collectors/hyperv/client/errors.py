"""The core's errors, where the collector wants to tell more of them apart."""

from __future__ import annotations

from exporter.errors import CollectorError, Forbidden, Malformed, Unreachable, Unsupported

HYPERV_ADMINISTRATORS = "membership of Hyper-V Administrators"
PERFORMANCE_MONITOR_USERS = "membership of Performance Monitor Users"
REMOTE_MANAGEMENT_USERS = "membership of Remote Management Users"
REMOTE_ENABLE = "Enable Account and Remote Enable"
EXECUTE_METHODS = "Execute Methods"
CLUSTER_ACCESS = "access to the cluster"
WINRM_ACCESS = "remote access to WinRM"
"""Rights, as the account is said to lack them; two are rights `on` a namespace."""


class NotThere(Unsupported):
    """The host has no such namespace, class or instance: a role or a service that it does not have."""

    def __init__(self, sentence: str, what: str) -> None:
        super().__init__(sentence)
        self.what = what


class AccessDenied(Forbidden):
    """The account may not ask this; `right` is what it lacks, a group or a right on a namespace."""

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
