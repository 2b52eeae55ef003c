"""What can go wrong at a WinRM endpoint, ordered by a test: `with server.misbehave("stall", seconds=3): …`.

KINDS tells them all. Where an order applies is said by `operation` (Enumerate, Pull, Release, Get, Invoke, Identify,
login), `class_name` (of the query or the resource, `%` at its end for any rest) and `namespace`; how often by `times`;
`skip` lets so many pass before.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

KINDS = {
    "fault": "answer with a fault: name (see faults.FAULTS), style wsman or wmi, reason, language, provider, code",
    "stall": "answer after `seconds`",
    "slow": "take `seconds`, or answer the fault `timeout` once the OperationTimeout of the request is over",
    "hang": "never answer, until the order ends",
    "close": "close the connection instead of answering; part=N sends N bytes of the answer before",
    "close_after": "answer, then close the connection without having said so",
    "expire": "forget enumeration contexts before they are pulled",
    "relates_to": "answer with another RelatesTo",
    "no_relates_to": "answer without RelatesTo",
    "empty": "an empty success: no rows, as where rights are missing",
    "rows": "only `keep` of the rows (a function of the row)",
    "status": "an HTTP status without SOAP: code, body, content_type, headers",
    "truncate": "cut the SOAP text after `size` characters and seal what is left",
    "replace": "another SOAP text: `text`, or a function of the text",
    "indent": "line breaks and tabs around every text of the header and of faults",
    "pull_prefix": "w:Items and w:EndOfSequence in PullResponse, as some hosts have been seen to send",
    "bad_seal": "break the signature of a sealed answer",
    "plain": "answer a sealed request without sealing",
    "oversize": "an answer of `size` bytes, never ending in sense",
    "drip": "send the answer byte by byte, each after `seconds`",
    "refuse": "refuse logins, as with a locked account: the same 401 as for a wrong password",
    "no_header": "401 without a word on how to log in",
}


@dataclass(eq=False)
class Order:
    """One order; ends when it has been carried out `times`, when it is cancelled or when its `with` block ends."""

    kind: str
    operation: str = ""
    class_name: str = ""
    namespace: str = ""
    times: int | None = None
    skip: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    carried_out: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    leave: Callable[["Order"], None] = lambda _order: None

    def applies(self, operation: str, namespace: str, class_name: str) -> bool:
        return (
            (not self.operation or operation in self.operation.split("|"))
            and (not self.namespace or self.namespace.lower() == namespace.lower())
            and (not self.class_name or _same(self.class_name, class_name))
        )

    def cancel(self) -> None:
        self.over.set()
        self.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.cancel()


def _same(wanted: str, class_name: str) -> bool:
    if wanted.endswith("%"):
        return class_name.lower().startswith(wanted[:-1].lower())
    return wanted.lower() == class_name.lower()


class Orders:
    """The orders in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Order] = []

    def give(self, kind: str, **details: Any) -> Order:
        if kind not in KINDS:
            raise ValueError(f"no misbehaviour {kind!r}; there are: {', '.join(KINDS)}")
        where = {
            name: details.pop(name)
            for name in ("operation", "class_name", "namespace", "times", "skip")
            if name in details
        }
        order = Order(kind, **where, details=details, leave=self._drop)
        with self._lock:
            self._orders.append(order)
        return order

    def _drop(self, order: Order) -> None:
        with self._lock:
            self._orders = [each for each in self._orders if each is not order]

    def clear(self) -> None:
        """No more orders; those who hang go on."""
        for order in list(self._orders):
            order.cancel()

    def take(self, operation: str, namespace: str = "", class_name: str = "") -> dict[str, Order]:
        """The orders that apply to this message, by kind; each counts as carried out."""
        taken: dict[str, Order] = {}
        with self._lock:
            for order in list(self._orders):
                if order.kind in taken or not order.applies(operation, namespace, class_name):
                    continue
                if order.skip:
                    order.skip -= 1
                    continue
                order.carried_out += 1
                taken[order.kind] = order
                if order.times is not None and order.carried_out >= order.times:
                    self._orders.remove(order)
        return taken
