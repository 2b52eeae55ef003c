"""From the TLS part of the web configuration to a context for connections, with mistakes that name file, key and line.

Who may connect by certificate is settled here too. When files are read again is live.py's part.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn

from exporter.config import places
from exporter.config.findings import Finding
from exporter.config.mistakes import ConfigError
from exporter.config.nodes import Document
from exporter.web.webconfig import TlsFiles

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_DEMANDS = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_LARGEST_BYTES = 4 * 1024 * 1024
_FORMS = {
    "cert_file": (re.compile(rb"-----BEGIN (TRUSTED )?CERTIFICATE-----"), "holds no certificate in PEM form"),
    "key_file": (re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "holds no private key in PEM form"),
    "client_ca_file": (re.compile(rb"-----BEGIN (TRUSTED )?CERTIFICATE-----"), "holds no certificate in PEM form"),
}
_ENCRYPTED = re.compile(rb"BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED")


def context_for(tls: TlsFiles, document: Document) -> ssl.SSLContext:
    """A context made of the files as they are now. Raises ConfigError."""
    wrong = [*_unusable("cert_file", tls.cert_file), *_unusable("key_file", tls.key_file)]
    if tls.client_ca_file is not None:
        wrong += _unusable("client_ca_file", tls.client_ca_file)
    if wrong:
        _refuse(wrong, document)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = _VERSIONS[tls.min_version], _VERSIONS[tls.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if tls.curve is not None:
        context.set_ecdh_curve(tls.curve)
    if tls.cipher_suites:
        context.set_ciphers(":".join(tls.cipher_suites))
    _load(context, tls, document)
    context.verify_mode = _DEMANDS.get(tls.client_auth, ssl.CERT_NONE)
    return context


def names_in(certificate: dict[str, Any] | None) -> set[str]:
    """The subject's alternative names of a client's certificate, of whatever kind."""
    return {value for _, value in (certificate or {}).get("subjectAltName", ())}


def _unusable(key: str, path: Path) -> Iterator[Finding]:
    form, lacks = _FORMS[key]
    where = ("tls_server_config", key)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES)
    except FileNotFoundError:
        yield Finding(where, "there is no such file", "the path is relative to this file")
    except (OSError, ValueError) as error:
        yield Finding(where, f"cannot be read: {getattr(error, 'strerror', None) or 'impossible path'}")
    else:
        if key == "key_file" and _ENCRYPTED.search(content):
            yield Finding(where, "the key is encrypted", "nobody is there to type its passphrase: store it decrypted")
        elif not form.search(content):
            yield Finding(where, lacks)


def _load(context: ssl.SSLContext, tls: TlsFiles, document: Document) -> None:
    try:
        # A passphrase that is asked for would be asked for on the terminal.
        context.load_cert_chain(tls.cert_file, tls.key_file, password=lambda: b"")
    except (OSError, ValueError) as error:
        mismatch = getattr(error, "reason", None) == "KEY_VALUES_MISMATCH"
        sentence = "the key does not belong to the certificate" if mismatch else f"cannot be used: {_reason(error)}"
        _refuse([Finding(("tls_server_config", "key_file" if mismatch else "cert_file"), sentence)], document)
    if tls.client_ca_file is not None:
        try:
            context.load_verify_locations(tls.client_ca_file)
        except (OSError, ValueError) as error:
            sentence = f"cannot be used: {_reason(error)}"
            _refuse([Finding(("tls_server_config", "client_ca_file"), sentence)], document)


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or "not understood").lower()


def _refuse(findings: Collection[Finding], document: Document) -> NoReturn:
    raise ConfigError(places.in_order(places.placed(finding, document) for finding in findings))
