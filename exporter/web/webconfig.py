"""The file of `--web.config.file`, in exporter-toolkit's format, read as strictly as the main configuration.

Static: names of certificates are made absolute and nothing but the file itself is opened; tls.py opens the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import AfterValidator, Field, PlainValidator, field_validator, model_validator

from exporter.config import durations, files, nodes, places
from exporter.config.findings import Finding, explained, refuse, refuse_all
from exporter.config.mistakes import ConfigError, choice, quoted
from exporter.config.schema import Strict
from exporter.web.ciphers import CURVES, SUITES

MOST_COSTLY = 16
"""Twice as long as this, and checking a password takes longer than any scrape waits."""

_HASH = re.compile(r"\$2[abxy]?\$([0-9]{2})\$[./A-Za-z0-9]{53}")
_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-Content-Type-Options": ("nosniff",),
    "X-XSS-Protection": (),
    "Strict-Transport-Security": (),
}
_INLINE = "certificates and keys are read from files: use {}_file"

Word = Literal[
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]
Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]


def _interval(given: object) -> float:
    if given in (0, "0") and not isinstance(given, bool):
        return 0.0
    seconds = durations.seconds(given) if isinstance(given, str) else None
    if seconds is None:
        refuse("is no duration", durations.EXAMPLE)
    return seconds


def _hash(given: object) -> str:
    """Never shown, not even in part: a password in the wrong place is still a password."""
    matched = _HASH.fullmatch(given) if isinstance(given, str) else None
    if matched is None:
        refuse("is no bcrypt hash", "make one with: htpasswd -nBC 10 '' | tr -d ':\\n'")
    if not 4 <= int(matched[1]) <= MOST_COSTLY:
        refuse(f"the cost of a hash must lie between 4 and {MOST_COSTLY}", "10 takes about a tenth of a second")
    return matched[0]


def _one_of(known: dict[str, str], what: str) -> AfterValidator:
    def check(given: list[str]) -> list[str]:
        wrong = [
            Finding((position,), f"unknown {what} {quoted(name)}", choice(name, list(known)))
            for position, name in enumerate(given)
            if name not in known
        ]
        if wrong:
            refuse_all(wrong)
        return given

    return AfterValidator(check)


class _Tls(Strict):
    cert: str | None = None
    key: str | None = None
    client_ca: str | None = None
    cert_file: str = ""
    key_file: str = ""
    client_auth_type: Word = "NoClientCert"
    client_ca_file: str = ""
    client_allowed_sans: list[str] = Field([])
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: Annotated[list[str], _one_of(SUITES, "cipher suite")] = Field([])
    curve_preferences: Annotated[list[str], _one_of(CURVES, "curve")] = Field([])
    prefer_server_cipher_suites: bool = True

    @field_validator("cert", "key", "client_ca")
    @classmethod
    def _no_inline(cls, _: str, info: pydantic.ValidationInfo) -> str:
        refuse("is not read from this file", _INLINE.format(info.field_name))

    @field_validator("min_version", "max_version")
    @classmethod
    def _safe(cls, given: Version) -> Version:
        if given in ("TLS10", "TLS11"):
            refuse("must be TLS12 or TLS13", "older versions are broken (RFC 8996)")
        return given

    @field_validator("client_auth_type")
    @classmethod
    def _verifies(cls, given: Word) -> Word:
        if given == "RequireAnyClientCert":
            refuse("is not offered: any client can make such a certificate", "use RequireAndVerifyClientCert")
        return given

    @field_validator("curve_preferences")
    @classmethod
    def _one_curve(cls, given: list[str]) -> list[str]:
        if len(given) > 1:
            refuse("TLS can be held to one curve, not to an order of several", "name one, or leave the key out")
        return given

    @model_validator(mode="after")
    def _complete(self) -> _Tls:
        verifies = self.client_auth_type in ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
        wrong = [
            Finding((), f"the key {quoted(key)} is missing")
            for key in ("cert_file", "key_file")
            if not getattr(self, key)
        ]
        if verifies and not self.client_ca_file:
            wrong.append(
                Finding(("client_auth_type",), "needs client_ca_file", "whose certificates are to be trusted?")
            )
        if self.client_ca_file and not verifies:
            wrong.append(
                Finding(("client_ca_file",), "has no effect", "add client_auth_type: RequireAndVerifyClientCert")
            )
        if self.client_allowed_sans and self.client_auth_type != "RequireAndVerifyClientCert":
            wrong.append(
                Finding(("client_allowed_sans",), "needs client_auth_type: RequireAndVerifyClientCert"),
            )
        if self.min_version > self.max_version:
            wrong.append(Finding(("max_version",), "must not be older than min_version"))
        if wrong:
            refuse_all(wrong)
        return self


class _Http(Strict):
    http2: bool = False
    headers: dict[str, str] = Field({})

    @field_validator("http2")
    @classmethod
    def _no_http2(cls, given: bool) -> bool:
        if given:
            refuse("HTTP/2 is not offered", "write false, or remove the key: Prometheus scrapes with HTTP/1.1 then")
        return given

    @field_validator("headers")
    @classmethod
    def _known(cls, given: dict[str, str]) -> dict[str, str]:
        wrong = []
        for name, value in given.items():
            if name not in _HEADERS:
                wrong.append(
                    Finding((name,), "this header cannot be set here", choice(name, list(_HEADERS)), at_key=True)
                )
            elif value and _HEADERS[name] and value not in _HEADERS[name]:
                wrong.append(Finding((name,), f"must be {' or '.join(_HEADERS[name])}"))
            elif not (value.isascii() and value.isprintable()):
                wrong.append(Finding((name,), "must be one line of printable ASCII"))
        if wrong:
            refuse_all(wrong)
        return {name: value for name, value in given.items() if value}


class _RateLimit(Strict):
    interval: Annotated[float, PlainValidator(_interval)] = 0.0
    burst: int = Field(20, ge=1)


class _Document(Strict):
    tls_server_config: _Tls | None = None
    http_server_config: _Http = _Http()
    basic_auth_users: dict[str, Annotated[str, PlainValidator(_hash)]] = Field({})
    rate_limit: _RateLimit = _RateLimit()

    @field_validator("basic_auth_users")
    @classmethod
    def _names(cls, given: dict[str, str]) -> dict[str, str]:
        if any(not name or ":" in name for name in given):
            refuse("a user's name must not be empty, and must not hold a colon", "the colon ends it in the header")
        return given


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """How TLS is spoken, and with which files; lists are in the words of OpenSSL."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None
    client_auth: Word
    client_allowed_sans: frozenset[str]
    min_version: Version
    max_version: Version
    cipher_suites: tuple[str, ...]
    curve: str | None
    prefer_server_cipher_suites: bool


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the web configuration says. Without a file: plain HTTP for everybody."""

    tls: TlsFiles | None = None
    headers: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict, repr=False)
    interval_seconds: float = 0.0
    """Between two requests; 0 is no limit."""
    burst: int = 1


def parse(path: Path) -> tuple[WebConfig, nodes.Document]:
    """The web configuration and the document it stands in. Raises ConfigError with every mistake and its place."""
    document = files.read(path)
    root = document.root
    if root is not None and not isinstance(root.value, dict):
        what = "the file is empty" if root.value is None else "the file must be a mapping of keys to values"
        hint = "leave --web.config.file out, or write {}" if root.value is None else ""
        document.mistakes.append(places.placed(Finding((), what, hint), document))
    elif root is not None:
        told = dict(places.structural(document))
        document.mistakes += told.values()
        try:
            parsed = _Document.model_validate(root.plain())
        except pydantic.ValidationError as error:
            wrong = explained(error, _Document)
            document.mistakes += (places.placed(finding, document) for finding in wrong if finding.path not in told)
    if document.mistakes:
        raise ConfigError(places.in_order(document.mistakes))
    return _config(parsed, path.parent), document


def _config(document: _Document, folder: Path) -> WebConfig:
    return WebConfig(
        tls=_files(document.tls_server_config, folder) if document.tls_server_config else None,
        headers=document.http_server_config.headers,
        users=document.basic_auth_users,
        interval_seconds=document.rate_limit.interval,
        burst=document.rate_limit.burst,
    )


def _files(tls: _Tls, folder: Path) -> TlsFiles:
    return TlsFiles(
        cert_file=folder / tls.cert_file,
        key_file=folder / tls.key_file,
        client_ca_file=folder / tls.client_ca_file if tls.client_ca_file else None,
        client_auth=tls.client_auth_type,
        client_allowed_sans=frozenset(tls.client_allowed_sans),
        min_version=tls.min_version,
        max_version=tls.max_version,
        cipher_suites=tuple(SUITES[name] for name in tls.cipher_suites if SUITES[name]),
        curve=next((CURVES[name] for name in tls.curve_preferences), None),
        prefer_server_cipher_suites=tls.prefer_server_cipher_suites,
    )
