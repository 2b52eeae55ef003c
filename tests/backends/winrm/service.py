"""WS-Management on an estate: Enumerate, Pull, Release, Get, Invoke, Identify; SOAP text in, SOAP text out."""

import re
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.backends.winrm import methods
from tests.backends.winrm.cim import CimClass
from tests.backends.winrm.estate import Estate
from tests.backends.winrm.faults import Fault, fault
from tests.backends.winrm.hosts import VERSIONS
from tests.backends.winrm.messages import ENUMERATION, TRANSFER, Asked, Message, N, W
from tests.backends.winrm.misbehaviour import Order
from tests.backends.winrm.shapes import ANONYMOUS, SCHEMA_URI, fragment, instance, text
from tests.backends.winrm.wql import Select, WqlError, parse

WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
ENVELOPE = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
)
PAGE_CHARACTERS = 76_800  # an envelope of 150 kB in two-byte characters: what genuine answers keep below


@dataclass
class Rest:
    """What an enumeration has yet to give."""

    items: list[str]
    class_name: str


class Service:
    """One host's WS-Management."""

    def __init__(self, estate: Estate, counts: Counter[str]) -> None:
        self.estate, self.counts = estate, counts
        self.asked: list[Asked] = []
        self.page_characters = PAGE_CHARACTERS
        self.first_items = 1  # what an optimised Enumerate answers with
        self.fragments = True  # queries with named properties answer w:XmlFragment; else p:Class with those alone
        self.operations_limit = 1500
        self.fault_style = "wsman" if estate.build <= 2016 else "wmi"
        self.open: dict[str, Rest] = {}
        self._lock = threading.Lock()

    def named(self, message: Message) -> Asked:
        """What a message asks for; recorded."""
        query = method = ""
        class_name = message.resource
        arguments: dict[str, Any] = {}
        if message.operation == "Enumerate":
            query = (message.body.findtext(f".//{W}Filter") or "").strip()
            if found := re.search(r"\bFROM\s+(\w+)", query, re.IGNORECASE):
                class_name = found.group(1)
        elif message.operation in ("Pull", "Release"):
            rest = self.open.get((message.body.findtext(f".//{N}EnumerationContext") or "").strip())
            class_name = rest.class_name if rest else class_name
        elif message.operation == "Invoke":
            method = message.action.rpartition("/")[2]
            arguments = methods.arguments(message.body)
        asked = Asked(message.operation, message.namespace, class_name, query, method, arguments)
        self.asked.append(asked)
        self.counts["requests"] += 1
        self.counts[asked.operation] += 1
        return asked

    def answer(self, message: Message, asked: Asked, orders: dict[str, Order]) -> str:
        """The answer's SOAP text; raises Fault."""
        if not message.uri.startswith(SCHEMA_URI):
            raise fault("invalid_uri")
        operations: dict[str, Callable[[Message, Asked, dict[str, Order]], tuple[str, str]]] = {
            "Enumerate": self._enumerate,
            "Pull": self._pull,
            "Release": self._release,
            "Get": self._get,
            "Invoke": self._invoke,
        }
        if asked.operation not in operations:
            raise fault("action")
        if asked.operation not in ("Pull", "Release") and not self.estate.has(message.namespace):  # a context is enough
            raise self._not_there(message, "Invalid namespace ")
        action, body = operations[asked.operation](message, asked, orders)
        return self._envelope(message, action, body)

    def _not_there(self, message: Message, provider: str) -> Fault:
        name = "filter" if message.resource == "*" else "not_found"
        return fault(name, provider=provider, style=self.fault_style)

    def _envelope(self, message: Message, action: str, body: str) -> str:
        family = f' xmlns:n="{ENUMERATION.rstrip("/")}"' if action.startswith(ENUMERATION) else ""
        return (
            f'{ENVELOPE}{family} xmlns:w="{W[1:-1]}"><s:Header><a:Action>{action}</a:Action>'
            f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
            f"<a:RelatesTo>{text(message.message_id)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )

    def _enumerate(self, message: Message, asked: Asked, orders: dict[str, Order]) -> tuple[str, str]:
        request = message.body.find(f"{N}Enumerate")
        if request is None:
            raise fault("action")
        items = self._items(message, asked, orders, request.findtext(f"{W}EnumerationMode") or "")
        optimised = request.find(f"{W}OptimizeEnumeration") is not None
        wanted = int(request.findtext(f"{W}MaxElements") or 1)
        first = min(wanted, self.first_items) if optimised else 0
        given, rest = items[:first], items[first:]
        held = f"<w:Items>{''.join(given)}</w:Items>" if optimised else ""
        if optimised and not rest:
            context, end = "", "<w:EndOfSequence/>"
        else:
            context, end = self._keep(Rest(rest, asked.class_name)), ""
        body = f"<n:EnumerationContext>{context}</n:EnumerationContext>{held}{end}"
        return f"{ENUMERATION}EnumerateResponse", f"<n:EnumerateResponse>{body}</n:EnumerateResponse>"

    def _keep(self, rest: Rest) -> str:
        context = f"uuid:{str(uuid.uuid4()).upper()}"
        with self._lock:
            if len(self.open) >= self.operations_limit:
                raise fault("quota_operations", style=self.fault_style)
            self.open[context] = rest
        return context

    def _items(self, message: Message, asked: Asked, orders: dict[str, Order], mode: str) -> list[str]:
        if asked.query:
            select = self._query(message, asked.query)
        elif message.resource == "*":
            raise fault("no_filter", style=self.fault_style)
        else:
            select = Select(message.resource, (), lambda _row: True, ())
        cim_class = self._class(message, select)
        rows = [] if "empty" in orders else self.estate.selected(cim_class, select)
        if "rows" in orders:
            rows = [row for row in rows if orders["rows"].details["keep"](row)]
        if mode in ("EnumerateEPR", "EnumerateObjectAndEPR"):
            return [
                methods.endpoint(cim_class, row, instance(cim_class, row) if "Object" in mode else "") for row in rows
            ]
        if not select.columns:
            return [instance(cim_class, row) for row in rows]
        wanted = {name.lower() for name in select.columns}
        columns = {name: kind for name, kind in cim_class.properties.items() if name in wanted}
        if not self.fragments:
            return [instance(replace(cim_class, properties=columns), row) for row in rows]
        return [fragment(columns.values(), row) for row in rows]

    def _query(self, message: Message, query: str) -> Select:
        if message.resource != "*":
            raise fault("filter", style=self.fault_style)
        try:
            return parse(query, self.estate.name)
        except WqlError as error:
            raise fault("filter", provider=str(error), style=self.fault_style) from error

    def _class(self, message: Message, select: Select) -> CimClass:
        found = self.estate.find_class(message.namespace, select.class_name)
        if found is None:
            raise self._not_there(message, "The specified class does not exist in the given namespace. ")
        if {name.lower() for name in (*select.columns, *select.named)} - set(found.properties):
            raise fault("filter", provider="Invalid query ", style=self.fault_style)
        return found

    def _pull(self, message: Message, _asked: Asked, orders: dict[str, Order]) -> tuple[str, str]:
        context = (message.body.findtext(f".//{N}EnumerationContext") or "").strip()
        limit = int(message.body.findtext(f".//{N}MaxElements") or 1)
        with self._lock:
            if "expire" in orders:
                self.open.clear()
            rest = self.open.pop(context, None)
        if rest is None:
            raise fault("context", style=self.fault_style)
        count = self._page(rest.items, limit, message.max_envelope)
        given, left = rest.items[:count], rest.items[count:]
        prefix = "w" if "pull_prefix" in orders else "n"
        items = f"<{prefix}:Items>{''.join(given)}</{prefix}:Items>"
        if left:
            following = self._keep(Rest(left, rest.class_name))
            body = f"<n:EnumerationContext>{following}</n:EnumerationContext>{items}"
        else:
            body = f"{items}<{prefix}:EndOfSequence/>"
        return f"{ENUMERATION}PullResponse", f"<n:PullResponse>{body}</n:PullResponse>"

    def _page(self, items: list[str], limit: int, max_envelope: int) -> int:
        room = min(self.page_characters, max_envelope // 2) - 1_100  # less the envelope around the items
        count = 0
        for item in items[:limit]:
            room -= len(item)
            if room < 0:
                break
            count += 1
        if items and not count:
            raise fault("envelope", style=self.fault_style)
        return count

    def _release(self, message: Message, _asked: Asked, _orders: dict[str, Order]) -> tuple[str, str]:
        context = (message.body.findtext(f".//{N}EnumerationContext") or "").strip()
        with self._lock:
            if self.open.pop(context, None) is None:
                raise fault("context", style=self.fault_style)
        return f"{ENUMERATION}ReleaseResponse", ""

    def _get(self, message: Message, _asked: Asked, _orders: dict[str, Order]) -> tuple[str, str]:
        select = Select(message.resource, (), lambda _row: True, tuple(message.selectors))
        cim_class = self.estate.find_class(message.namespace, message.resource)
        if cim_class is None:
            raise fault("not_found", style=self.fault_style)
        if {name.lower() for name in select.named} - set(cim_class.properties):
            raise fault("selectors", style=self.fault_style)
        wanted = {cim_class.properties[name.lower()].name: value for name, value in message.selectors.items()}
        for row in self.estate.values(cim_class):
            if all(str(row[name]).lower() == value.lower() for name, value in wanted.items()):
                return f"{TRANSFER}GetResponse", instance(cim_class, row)
        raise fault("not_found", style=self.fault_style)

    def _invoke(self, message: Message, asked: Asked, _orders: dict[str, Order]) -> tuple[str, str]:
        if self.estate.find_class(message.namespace, message.resource) is None:
            raise fault("not_found", style=self.fault_style)
        output = methods.invoke(self.estate, asked)
        if output is None:
            raise fault("method", style=self.fault_style)
        name = f"p:{asked.method}_OUTPUT"
        body = (
            f'<{name} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:p="{message.uri}"'
            f' xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common">{output}</{name}>'
        )
        return f"{message.action}Response", body

    def identify(self, *, known: bool) -> str:
        """Who answers; the version is told only to those who have logged in."""
        version = f"10.0.{VERSIONS[self.estate.build]}" if known else "0.0.0"
        return (
            '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
            f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}">'
            "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
            "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
            f"<wsmid:ProductVersion>OS: {version} SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
            "<wsmid:SecurityProfiles><wsmid:SecurityProfileName>"
            "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/spnego-kerberos"
            "</wsmid:SecurityProfileName></wsmid:SecurityProfiles>"
            "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
        )
