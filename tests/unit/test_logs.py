"""What a daemon's log looks like, and what never stands in it."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging
from exporter import logs
from exporter.secrets import SecretSource
logs.setup("info", "{form}")
secret = SecretSource("literal", "Canary-4711").read()
log = logging.getLogger("target.kvm")
log.debug("not shown")
log.warning("refused for %s", secret.reveal(), extra={{"fields": {{"target": "kvm 7", "password": secret.reveal()}}}})
try:
    raise ValueError(f"password={{secret.reveal()}}")
except ValueError:
    log.exception("line one\\nline two")
"""


@pytest.fixture(params=["logfmt", "json"])
def form(request):
    return request.param


@pytest.fixture
def lines(form):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(form=form)], capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_a_secret_that_was_read_stands_in_no_line_field_or_traceback(lines):
    assert len(lines) == 2
    assert "Canary-4711" not in "".join(lines)
    assert "<secret>" in lines[0]
    assert "<secret>" in lines[1]


def test_every_record_is_one_line_with_its_fields(lines, form):
    if form == "json":
        first, second = map(json.loads, lines)
        assert (first["level"], first["logger"], first["target"]) == ("warning", "target.kvm", "kvm 7")
        assert second["msg"] == "line one\nline two"
        assert "ValueError" in second["traceback"]
    else:
        assert ' level=warning logger=target.kvm msg="refused for <secret>" target="kvm 7"' in lines[0]
        assert 'msg="line one\\nline two"' in lines[1]
