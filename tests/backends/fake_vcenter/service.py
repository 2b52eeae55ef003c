"""The API of the fake: sessions that are counted, an estate, limits, and reactions that a test puts before calls."""

import datetime as dt
import itertools
import re
import ssl
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from pyVmomi import SoapAdapter, VmomiSupport, vim, vmodl

from tests.backends.fake_vcenter.web import Reply, Request, Web

USER, PASSWORD = "monitor@vsphere.local", "secret"
COOKIE = "vmware_soap_session"
SPOKEN = "vim.version.v8_0_3_0"
"""In which version values are encoded, whatever is offered."""
_VIM = "{urn:vim25}"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)

Reaction = Callable[["FakeVCenter", Request, Callable[[], Reply]], Reply | None]
"""Gets the request and the way to the usual answer; None is the usual answer too."""


def envelope(body: str) -> bytes:
    return _ENVELOPE.format(body).encode("utf-8", "surrogatepass")


def fault(name: str, message: str = "", /, **leaves: str) -> Reply:
    """A fault of the API, with what it holds."""
    details = "".join(f"<{leaf}>{escape(value)}</{leaf}>" for leaf, value in leaves.items())
    return Reply(
        500,
        envelope(
            f"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{escape(message)}</faultstring>"
            f'<detail><{name}Fault xmlns="urn:vim25" xsi:type="{name}">{details}</{name}Fault></detail></soapenv:Fault>'
        ),
    )


def html(status: int, text: str = "nginx", **headers: str) -> Reply:
    """A web server's page."""
    page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{text}</h1></body></html>"
    given = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Reply(status, page.encode(), [("Content-Type", "text/html"), *given])


def encoded(value: Any, tag: str = "val", kind: Any = object) -> str:
    """A value as pyVmomi writes it."""
    info = VmomiSupport.Object(name=tag, type=kind, version=SPOKEN, flags=0)
    text = SoapAdapter.Serialize(value, info, SPOKEN).decode()
    return re.sub(r' versionId="[^"]*"', "", text, count=1)


@dataclass
class _Session:
    authenticated: bool = False
    objects: set[str] = field(default_factory=set)


class FakeVCenter:
    """`with FakeVCenter(guests=3) as fake: fake.url`; in the test's own process, on real sockets."""

    def __init__(
        self,
        *,
        guests: int = 3,
        context: ssl.SSLContext | None = None,
        versions: tuple[str, ...] = ("8.0.3.0", "8.0.2.0"),
    ) -> None:
        self.versions = versions
        self.password = PASSWORD
        self.guests: dict[str, dict[str, str]] = {
            f"vm-{number}": {"name": encoded(f"guest {number}"), "summary.config.numCpu": encoded(2)}
            for number in range(1, guests + 1)
        }
        """By id: by path the `<val>` as text."""
        self.unknown: set[str] = set()
        """Paths that this vCenter refuses the whole call for."""
        self.page_objects = 100
        self.limit_metrics: int | None = None
        self.limit_elements = 500_000
        self.most_sessions: int | None = None
        self.skew_seconds = 0.0
        self.calls: Counter[str] = Counter()
        self.sessions: dict[str, _Session] = {}
        self.peak = 0
        """Most sessions at the same time."""
        self.logins: list[tuple[str, str]] = []
        self._reactions: dict[str, list[tuple[Reaction, list[int]]]] = {}
        self._pages: dict[str, list[str]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self.web = Web(self._answer, context)
        self._tls = context is not None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.web.port}/sdk"

    @property
    def authenticated(self) -> int:
        """Sessions of accounts that are there now."""
        return sum(session.authenticated for session in self.sessions.values())

    def on(self, operation: str, reaction: Reaction | Reply, times: int = 1_000_000) -> None:
        """React to a call (or "*", or "GET") in this way, so many times."""
        chosen: Reaction = reaction if callable(reaction) else lambda *_: reaction
        self._reactions.setdefault(operation, []).append((chosen, [times]))

    def calm(self) -> None:
        """No more reactions."""
        self._reactions.clear()

    def end_sessions(self) -> None:
        """As after a restart of the service."""
        self.sessions.clear()

    def lose_objects(self) -> None:
        """Views and collectors are gone, sessions stay."""
        for session in self.sessions.values():
            session.objects.clear()

    def _answer(self, request: Request) -> Reply:
        operation = "GET" if request.method == "GET" else _operation(request)
        with self._lock:
            self.calls[operation] += 1
            chosen = next(
                (each for name in (operation, "*") for each in self._reactions.get(name, ()) if each[1][0] > 0), None
            )
            if chosen is not None:
                chosen[1][0] -= 1
        reply = chosen[0](self, request, lambda: self._usual(operation, request)) if chosen is not None else None
        return self._usual(operation, request) if reply is None else reply

    def _usual(self, operation: str, request: Request) -> Reply:
        if operation == "GET":
            return self._description() if request.path == "/sdk/vimServiceVersions.xml" else html(404)
        with self._lock:
            if request.body.count(b"</") > self.limit_elements:
                return fault("InvalidRequest", "XML document element count exceeds configured maximum 500000")
            cookie = _cookie(request)
            session = self.sessions.get(cookie)
            if operation in {"RetrieveServiceContent", "Login"}:
                return self._let_in(request, cookie) if operation == "Login" else self._content(cookie)
            if session is None or not session.authenticated:
                return fault("NotAuthenticated", "The session is not authenticated.", privilegeId="System.View")
            answer = getattr(self, "_" + re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower(), None)
            return fault("NotSupported", operation) if answer is None else answer(_sent(request), cookie)

    def _description(self) -> Reply:
        newest, *older = self.versions
        prior = "".join(f"<version>{version}</version>" for version in older)
        return Reply(
            body=(
                '<?xml version="1.0" encoding="UTF-8" ?><namespaces version="1.0"><namespace><name>urn:vim25</name>'
                f"<version>{newest}</version><priorVersions>{prior}</priorVersions></namespace></namespaces>"
            ).encode()
        )

    def _content(self, cookie: str) -> Reply:
        content = vim.ServiceInstanceContent(
            rootFolder=vim.Folder("group-d1"),
            propertyCollector=vmodl.query.PropertyCollector("propertyCollector"),
            viewManager=vim.view.ViewManager("ViewManager"),
            perfManager=vim.PerformanceManager("PerfMgr"),
            sessionManager=vim.SessionManager("SessionManager"),
            about=vim.AboutInfo(
                name="Fake vCenter", fullName="Fake", vendor="nobody", version="8.0.3", build="1", osType="linux",
                productLineId="vpx", apiType="VirtualCenter", apiVersion=self.versions[0], instanceUuid="fa-ke",
            ),
        )  # fmt: skip
        reply = _returning("RetrieveServiceContent", encoded(content, "returnval", vim.ServiceInstanceContent))
        if cookie not in self.sessions:
            made = uuid.uuid4().hex
            self.sessions[made] = _Session()
            reply.headers.append(("Set-Cookie", f'{COOKIE}="{made}"; Path=/; HttpOnly; Secure; '))
        return reply

    def _let_in(self, request: Request, cookie: str) -> Reply:
        sent = _sent(request)
        given = sent.findtext(f"{_VIM}userName", ""), sent.findtext(f"{_VIM}password", "")
        self.logins.append(given)
        if given != (USER, self.password):
            return fault("InvalidLogin", "Cannot complete login due to an incorrect user name or password.")
        if self.most_sessions is not None and self.authenticated >= self.most_sessions:
            return html(503, "503 Service Unavailable")
        session = self.sessions.setdefault(cookie or uuid.uuid4().hex, _Session())
        session.authenticated = True
        self.peak = max(self.peak, self.authenticated)
        known = vim.UserSession(
            key="k", userName=USER, fullName=USER, loginTime=_now(), lastActiveTime=_now(), locale="en",
            messageLocale="en", extensionSession=False, ipAddress="", userAgent="", callCount=1,
        )  # fmt: skip
        return _returning("Login", encoded(known, "returnval", vim.UserSession))

    def _logout(self, _sent: ET.Element, cookie: str) -> Reply:
        del self.sessions[cookie]
        return _returning("Logout")

    def _current_time(self, _sent: ET.Element, _cookie: str) -> Reply:
        return _returning(
            "CurrentTime", encoded(_now() + dt.timedelta(seconds=self.skew_seconds), "returnval", type(_now()))
        )

    def _create_container_view(self, _sent: ET.Element, cookie: str) -> Reply:
        return _returning("CreateContainerView", self._made(cookie, "ContainerView"))

    def _create_property_collector(self, _sent: ET.Element, cookie: str) -> Reply:
        return _returning("CreatePropertyCollector", self._made(cookie, "PropertyCollector"))

    def _made(self, cookie: str, kind: str) -> str:
        name = f"session[{cookie}]{next(self._numbers)}"
        self.sessions[cookie].objects.add(name)
        return f'<returnval type="{kind}">{name}</returnval>'

    def _retrieve_properties_ex(self, sent: ET.Element, cookie: str) -> Reply:
        for used in (sent.find(f"{_VIM}_this"), sent.find(f".//{_VIM}objectSet/{_VIM}obj")):
            if used.text.startswith("session[") and used.text not in self.sessions[cookie].objects:
                return fault("ManagedObjectNotFound", "The object has already been deleted.", obj=used.text)
        paths = [each.text for each in sent.iter(f"{_VIM}pathSet")]
        for path in paths:
            if path in self.unknown:
                return fault("InvalidProperty", f"Invalid property: {path}", name=path)
        named = {each.text for each in sent.iter(f"{_VIM}obj")}
        viewed = any(each.get("type") == "ContainerView" for each in sent.iter(f"{_VIM}obj"))
        guests = {name: held for name, held in self.guests.items() if viewed or name in named}
        objects = [_object(name, held, paths) for name, held in guests.items()]
        asked = int(sent.findtext(f".//{_VIM}maxObjects", "0") or 0) or self.page_objects
        return self._page("RetrievePropertiesEx", objects, min(asked, self.page_objects))

    def _continue_retrieve_properties_ex(self, sent: ET.Element, _cookie: str) -> Reply:
        objects = self._pages.pop(sent.findtext(f"{_VIM}token", ""), None)
        if objects is None:
            return fault("InvalidArgument", "A specified parameter was not correct: token", invalidProperty="token")
        return self._page("ContinueRetrievePropertiesEx", objects, self.page_objects)

    def _page(self, operation: str, objects: list[str], size: int) -> Reply:
        token = ""
        if len(objects) > size:
            name = f"token-{next(self._numbers)}"
            self._pages[name] = objects[size:]
            token = f"<token>{name}</token>"
        return _returning(operation, f"<returnval>{token}{''.join(objects[:size])}</returnval>")

    def _query_perf(self, sent: ET.Element, _cookie: str) -> Reply:
        if self.limit_metrics is not None and len(list(sent.iter(f"{_VIM}metricId"))) > self.limit_metrics:
            return fault("RestrictedByAdministrator", "The operation is limited by the administrator", details="max")
        answers = []
        for each in sent.iter(f"{_VIM}querySpec"):
            counters = [int(one.text) for one in each.iter(f"{_VIM}counterId")]
            stamps = [_now().replace(microsecond=0) - dt.timedelta(seconds=20 * back) for back in (2, 1, 0)]
            kind = vim.PerformanceManager
            series = kind.EntityMetricCSV(
                entity=vim.VirtualMachine(each.findtext(f"{_VIM}entity", "")),
                sampleInfoCSV=",".join(f"20,{stamp.strftime('%Y-%m-%dT%H:%M:%SZ')}" for stamp in stamps),
                value=[
                    kind.MetricSeriesCSV(id=kind.MetricId(counterId=each, instance=""), value=f"{each},-1,{each}")
                    for each in counters
                ],
            )
            answers.append(encoded(series, "returnval", kind.EntityMetricBase))
        return _returning("QueryPerf", "".join(answers))

    def __enter__(self) -> Self:
        self.web.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.web.stop()


def _operation(request: Request) -> str:
    try:
        return _sent(request).tag.rpartition("}")[2]
    except (ET.ParseError, IndexError):
        return "nonsense"


def _sent(request: Request) -> ET.Element:
    return ET.fromstring(request.body)[-1][0]


def _cookie(request: Request) -> str:
    found = re.search(rf'{COOKIE}="?([^";]*)', request.headers.get("cookie", ""))
    return found[1] if found else ""


def _returning(operation: str, returned: str = "") -> Reply:
    return Reply(body=envelope(f'<{operation}Response xmlns="urn:vim25">{returned}</{operation}Response>'))


def _object(name: str, held: Mapping[str, str], paths: list[str]) -> str:
    properties = "".join(
        f"<propSet><name>{path}</name>{held[path]}</propSet>" for path in dict.fromkeys(paths) if path in held
    )
    return f"<objects><obj type={quoteattr('VirtualMachine')}>{name}</obj>{properties}</objects>"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
