"""Sealed bodies: MS-WSMV 2.2.9.1, in its three layouts (Negotiate, Kerberos, CredSSP in pieces of 16 KiB)."""

import re
import struct

import spnego
from spnego.exceptions import SpnegoError

BOUNDARY = b"--Encrypted Boundary"
PIECE = 16384
PROTOCOLS = {
    "Negotiate": "application/HTTP-SPNEGO-session-encrypted",
    "Kerberos": "application/HTTP-Kerberos-session-encrypted",
    "CredSSP": "application/HTTP-CredSSP-session-encrypted",
}
_PIECE = re.compile(
    rb"--Encrypted Boundary\r\n\s*Content-Type: (?P<protocol>[^\r]+)"
    rb"\r\n\s*OriginalContent: type=[^\r]*;Length=(?P<length>\d+)\r\n"
    rb"--Encrypted Boundary\r\n\s*Content-Type: application/octet-stream\r\n(?P<data>.*?)(\r\n)?"
    rb"(?=--Encrypted Boundary(?:--|\r\n\s*Content-Type: application/HTTP))",
    re.DOTALL,
)
_END = re.compile(rb"--Encrypted Boundary--(\r\n)?\Z")


class UnsealedError(Exception):
    """A sealed body that the connection's keys do not open."""


def unseal(context: spnego.ContextProxy | None, body: bytes) -> bytes:
    """The SOAP text in a sealed body; clients differ in the tab before the headers of the parts."""
    text, at = b"", 0
    while context is not None and (found := _PIECE.match(body, at)):
        text += _opened(context, found)
        at = found.end()
    if not text or not _END.match(body, at):
        raise UnsealedError
    return text


def _opened(context: spnego.ContextProxy, found: re.Match[bytes]) -> bytes:
    for data in dict.fromkeys((found["data"], found["data"] + (found[4] or b""))):
        header = struct.unpack("<I", data[:4])[0]
        signature, sealed = data[4 : 4 + header], data[4 + header :]
        if b"CredSSP" in found["protocol"]:  # records of TLS, longer than what they hold; clients cut them anywhere
            signature, sealed = b"", data[4:]
        elif len(sealed) != int(found["length"]):
            continue
        try:
            return context.unwrap_winrm(signature, sealed)
        except SpnegoError as error:
            raise UnsealedError from error
    raise UnsealedError


def seal(context: spnego.ContextProxy, scheme: str, text: bytes, content_type: str) -> tuple[bytes, str]:
    """A sealed body and its Content-Type, as to who has logged in by a scheme."""
    protocol = PROTOCOLS[scheme]
    size = PIECE if scheme == "CredSSP" else max(1, len(text))
    pieces = [text[at : at + size] for at in range(0, len(text), size)] or [b""]
    body = b"".join(_sealed(context, protocol, piece, content_type) for piece in pieces)
    kind = "multipart/x-multi-encrypted" if len(pieces) > 1 else "multipart/encrypted"
    return body + BOUNDARY + b"--\r\n", f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"'


def _sealed(context: spnego.ContextProxy, protocol: str, text: bytes, content_type: str) -> bytes:
    wrapped = context.wrap_winrm(text)
    return (
        BOUNDARY + b"\r\n"
        b"\tContent-Type: " + protocol.encode() + b"\r\n"
        b"\tOriginalContent: type=" + content_type.encode() + b";Length=" + str(len(text)).encode() + b"\r\n"
        + BOUNDARY + b"\r\n"
        b"\tContent-Type: application/octet-stream\r\n"
        + struct.pack("<I", len(wrapped.header)) + wrapped.header + wrapped.data
    )  # fmt: skip
