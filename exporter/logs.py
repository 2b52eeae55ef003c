"""Log lines of the daemon: logfmt or JSON on stderr, one line per record, known secrets scrubbed."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from datetime import UTC, datetime

from exporter.secrets import Scrubber, scrubbed

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("logfmt", "json")


def _fields(record: logging.LogRecord, formatter: logging.Formatter) -> dict[str, str]:
    fields = {
        "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "msg": record.getMessage(),
    }
    fields.update({name: scrubbed(str(value)) for name, value in getattr(record, "fields", {}).items()})
    # The scrubber has already turned an exception into text where a secret stood in it.
    traceback = record.exc_text or (formatter.formatException(record.exc_info) if record.exc_info else "")
    if traceback:
        fields["traceback"] = traceback
    return fields


def _quoted(value: str) -> str:
    bare = value and not any(sign in value for sign in ' "=\\') and value.isprintable()
    return value if bare else json.dumps(value, ensure_ascii=not value.isprintable())


class Logfmt(logging.Formatter):
    """`ts=… level=… msg="…" key=value`, one line whatever the values hold."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{name}={_quoted(value)}" for name, value in _fields(record, self).items())


class Json(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_fields(record, self))


class Bugs:
    """Tells the log of a bug once, with its traceback; the same place failing again is only counted."""

    MOST_PLACES = 100

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._places: Counter[str] = Counter()

    def report(self, sentence: str, error: BaseException) -> None:
        """Log where the error was raised, unless that place is already known."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{type(error).__name__}:{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
        if place not in self._places and len(self._places) < self.MOST_PLACES:
            self._log.error(sentence, exc_info=error)
        self._places[place] += 1


def setup(level: str = "info", form: str = "logfmt") -> None:
    """Send everything to stderr in the given form; called once per process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Logfmt())
    handler.addFilter(Scrubber())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # APScheduler tells every tick at info; a tick is not news.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
