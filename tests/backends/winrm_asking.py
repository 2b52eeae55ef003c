"""Asking a WinRM server with raw bytes: a client of the tests' own that knows nothing of the double or the exporter.

Basic over http.client; one connection per asker. Answers come back as text, to be looked at with other eyes than ours.
"""

import base64
import http.client
import re
import ssl
import uuid
from typing import Self
from xml.sax.saxutils import escape

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENVELOPE = """\
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">
 <s:Header><a:To>http://host/wsman</a:To><w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>
 <a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
 <a:Action s:mustUnderstand="true">{action}</a:Action><w:MaxEnvelopeSize>{envelope}</w:MaxEnvelopeSize>
 <w:OperationTimeout>{timeout}</w:OperationTimeout>
 <a:MessageID>{message}</a:MessageID>{selectors}</s:Header><s:Body>{body}</s:Body></s:Envelope>"""


class Asker:
    """`with Asker(host, port, user, password) as asker: asker.query("root/cimv2", "SELECT * FROM Win32_Volume")`."""

    def __init__(
        self, host: str, port: int, user: str, password: str, *, tls: ssl.SSLContext | None = None, timeout: float = 20
    ) -> None:
        kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        self.connection = kind(host, port, timeout=timeout, **({"context": tls} if tls else {}))
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Content-Type": "application/soap+xml;charset=UTF-8"}
        self.message_id = ""

    def post(self, body: str, **headers: str) -> tuple[int, str]:
        """Status and text of the answer."""
        self.connection.request("POST", "/wsman", body.encode(), {**self.headers, **headers})
        with self.connection.getresponse() as answer:
            return answer.status, answer.read().decode()

    def ask(
        self,
        uri: str,
        action: str,
        body: str = "",
        *,
        envelope: int = 512_000,
        selectors: dict[str, str] | None = None,
        timeout: str = "PT20.000S",
    ) -> tuple[int, str]:
        self.message_id = f"uuid:{str(uuid.uuid4()).upper()}"
        chosen = "".join(
            f'<w:Selector Name="{name}">{escape(value)}</w:Selector>' for name, value in (selectors or {}).items()
        )
        return self.post(
            ENVELOPE.format(
                uri=WMI + uri,
                action=action,
                body=body,
                envelope=envelope,
                message=self.message_id,
                timeout=timeout,
                selectors=f"<w:SelectorSet>{chosen}</w:SelectorSet>" if chosen else "",
            )
        )

    def enumerate(self, namespace: str, query: str, *, optimise: bool = True) -> tuple[int, str]:
        wish = "<w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>" if optimise else ""
        said = f'<w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">{escape(query)}</w:Filter>'
        body = f"<n:Enumerate>{wish}{said}</n:Enumerate>"
        return self.ask(f"{namespace}/*", f"{ENUMERATION}Enumerate", body)

    def pull(
        self, namespace: str, context: str, most: int | None = 32_000, *, envelope: int = 512_000
    ) -> tuple[int, str]:
        limit = "" if most is None else f"<n:MaxElements>{most}</n:MaxElements>"
        body = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>{limit}</n:Pull>"
        return self.ask(f"{namespace}/*", f"{ENUMERATION}Pull", body, envelope=envelope)

    def query(self, namespace: str, query: str, most: int | None = 32_000) -> list[str]:
        """Every answer to a query, until the end of the sequence."""
        status, text = self.enumerate(namespace, query)
        answers = [text]
        while status == 200 and not re.search(r"<\w+:EndOfSequence/>", text):
            status, text = self.pull(namespace, context_of(text), most)
            answers.append(text)
        return answers

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def context_of(text: str) -> str:
    """The enumeration context of an answer."""
    found = re.search(r"<n:EnumerationContext>([^<]*)</n:EnumerationContext>", text)
    return found[1] if found else ""
