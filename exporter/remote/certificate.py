"""When a certificate ends. The ssl module tells that only of certificates that it has verified, hence these few lines
of DER (RFC 5280, section 4.1): Certificate > TBSCertificate > validity > notAfter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_FORMATS = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
_VALIDITY = 3
"""Place of the validity after serial number, signature's algorithm and issuer."""


class _Part(NamedTuple):
    tag: int
    content: bytes


def not_after(certificate: bytes) -> float | None:
    """The end of a certificate's validity (DER) in Unix seconds; None where it cannot be read."""
    try:
        signed = next(_parts(next(_parts(certificate)).content))
        fields = [part for part in _parts(signed.content) if part.tag != _VERSION]
        _, end = _parts(fields[_VALIDITY].content)
        return _time(end)
    except (IndexError, ValueError, KeyError, StopIteration):
        return None


def _parts(content: bytes) -> Iterator[_Part]:
    place = 0
    while place < len(content):
        tag, length, place = content[place], content[place + 1], place + 2
        if length & 0x80:
            size = length & 0x7F
            length, place = int.from_bytes(content[place : place + size], "big"), place + size
        yield _Part(tag, content[place : place + length])
        place += length


def _time(part: _Part) -> float:
    found = dt.datetime.strptime(part.content.decode("ascii"), _FORMATS[part.tag]).replace(tzinfo=dt.UTC)
    if part.tag == _UTC_TIME and found.year >= 2050:  # two digits: 1950 to 2049
        found = found.replace(year=found.year - 100)
    return found.timestamp()
