"""Answers of QueryPerf as the regular text that they nearly always are, without reading them as XML.

Every character of what is told here was matched. What differs in any way (an entity, a comment, another prefix or
order, a character that is not ASCII) is not told: `performance.py` reads it as XML.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from collectors.vsphere.client.xml import read
from exporter.errors import Malformed

_SPACE = r"[ \t\r\n]*"
_NAMES = "http://www.w3.org/2001/XMLSchema-instance"
_HEAD = re.compile(
    rf'(?:<\?xml version="1\.0" encoding="[Uu][Tt][Ff]-8"\?>)?{_SPACE}'
    rf'<([A-Za-z]+):Envelope(?:[ \t\r\n]+xmlns:[A-Za-z]+="[\w:/.#-]+")+{_SPACE}>{_SPACE}'
    rf'<\1:Body>{_SPACE}<QueryPerfResponse xmlns="urn:vim25">{_SPACE}',
    re.ASCII,
)
_TAIL = re.compile(rf"{_SPACE}</QueryPerfResponse>{_SPACE}</([A-Za-z]+):Body>{_SPACE}</\1:Envelope>{_SPACE}")
_END = "</returnval>"
_EMPTY = '<returnval xsi:type="">' + _END
"""Shows by itself whether head and tail make a document, and whether they know the prefix."""
_OBJECT = re.compile(
    r'<returnval(?: xsi:type="PerfEntityMetricCSV"|'
    rf' xmlns:((?!xml)[A-Za-z_][\w-]*)="{re.escape(_NAMES)}" \1:type="PerfEntityMetricCSV")?>'
    r'<entity type="([A-Za-z]+)">([\w:.-]+)</entity>'
    r"<sampleInfoCSV>([0-9][0-9A-Z:.,+-]*)</sampleInfoCSV>",
    re.ASCII,
)
_BEFORE, _BETWEEN, _AFTER = "<value><id><counterId>", "</id><value>", "</value></value>"
_SERIES = re.compile(
    rf"{_BEFORE}([0-9]{{1,9}}</counterId><instance(?:>[ !#-%'-;=?-~]*</instance>|/>)){_BETWEEN}([-0-9,]+){_AFTER}"
)
_METRIC = re.compile(r"([0-9]+)</counterId><instance(?:>(.*)</instance>|/>)")
_AROUND = len(_BEFORE) + len(_BETWEEN) + len(_AFTER)


class Answer(NamedTuple):
    """An answer cut into the text of its objects; any of them between head and tail is a document again."""

    head: str
    objects: list[str]
    tail: str

    def document(self, objects: list[str]) -> bytes:
        """An answer of these objects alone."""
        return "".join((self.head, *objects, self.tail)).encode()


class Told(NamedTuple):
    """One object: its reference, its timestamps, and as many texts of values as words for their metrics."""

    kind: str
    id: str
    times: str
    words: tuple[str, ...]
    texts: tuple[str, ...]


def cut(body: bytes) -> Answer | None:
    """The answer object by object; None where that cannot be told from its text alone."""
    if b"<!" in body or not body.isascii():
        return None
    *objects, tail = body.decode("ascii").split(_END)
    head = _HEAD.match(objects[0]) if objects else None
    if head is None or not _TAIL.fullmatch(tail):
        return None
    objects[0] = objects[0][head.end() :]
    answer = Answer(head[0], [f"{each}{_END}" for each in objects], tail)
    try:
        read(answer.document([_EMPTY]), "QueryPerf")
    except Malformed:
        return None
    return answer


def told(text: str) -> Told | None:
    """What the text of one object tells; None where it is not told in exactly the words that are known here."""
    begun = _OBJECT.match(text)
    if begun is None:
        return None
    found = _SERIES.findall(text, begun.end(), len(text) - len(_END))
    if not found:
        return None
    words, texts = zip(*found, strict=True)
    # Nothing stands between the series: together they are as long as the text.
    if len("".join(words)) + len("".join(texts)) + _AROUND * len(found) != len(text) - len(_END) - begun.end():
        return None
    return Told(begun[2], begun[3], begun[4], words, texts)


def metric(words: str) -> tuple[int, str]:
    """Number of a counter and instance, out of the words that `told` found for a metric."""
    found = _METRIC.fullmatch(words)
    assert found is not None  # noqa: S101  matched before
    return int(found[1]), found[2] or ""
