"""Secrets: read where they are, noticed when they change, shown nowhere."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import sys
import traceback

import pytest

from exporter import secrets
from exporter.config.redact import redacted_yaml
from exporter.errors import SecretUnreadable
from exporter.secrets import Scrubber, Secret, SecretSource

CANARY = "canary-h\u00fcnter2 & 'co' \\\"/x"


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    monkeypatch.setattr(secrets, "_read_so_far", {})


@pytest.fixture
def in_file(tmp_path):
    path = tmp_path / "pw"
    path.write_text(CANARY + "\n")
    return SecretSource("file", str(path))


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"x\n", "x"), (b"x\r\n", "x"), (b"x", "x"), (b" x \n\n", " x \n"), ("ü\n".encode(), "ü")],
)
def test_one_line_end_is_taken_off(content, value, tmp_path):
    path = tmp_path / "pw"
    path.write_bytes(content)
    assert SecretSource("file", str(path)).read().reveal() == value


def test_environment_and_credentials_and_literals_are_read(monkeypatch, tmp_path):
    monkeypatch.setenv("PW", "from the environment")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "vc").write_text("from systemd\n")
    values = [
        SecretSource(kind, where).read().reveal()
        for kind, where in (("env", "PW"), ("credential", "vc"), ("literal", "x"))
    ]
    assert values == ["from the environment", "from systemd", "x"]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (("file", "/nowhere/pw"), "the secret file /nowhere/pw cannot be read: No such file or directory"),
        (("file", "/dev"), "the secret file /dev is not a regular file"),
        (("file", "/dev/zero"), "the secret file /dev/zero is not a regular file"),
        (("file", "a\0b"), "the secret file a\0b has an impossible path"),
        (("file", "{tmp}/empty"), "the secret file {tmp}/empty is empty"),
        (("file", "{tmp}/pipe"), "the secret file {tmp}/pipe is not a regular file"),
        (("file", "{tmp}/large"), "the secret file {tmp}/large is larger than 65536 bytes"),
        (("file", "{tmp}/binary"), "the secret file {tmp}/binary is not UTF-8"),
        (("env", "NOT_SET_AT_ALL"), "the environment variable NOT_SET_AT_ALL is not set"),
        (("env", "BINARY"), "the environment variable BINARY is not UTF-8"),
        (
            ("credential", "vc"),
            (
                "the credential vc cannot be read: CREDENTIALS_DIRECTORY is not set; "
                "the systemd unit needs LoadCredential=vc:PATH"
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_named(source, sentence, tmp_path, monkeypatch):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "large").write_bytes(b"x" * 65537)
    (tmp_path / "binary").write_bytes(b"canary\xff")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("BINARY", "canary\udcff")
    kind, locator = source
    with pytest.raises(SecretUnreadable) as caught:
        SecretSource(kind, locator.replace("{tmp}", str(tmp_path))).read()
    assert str(caught.value) == sentence.replace("{tmp}", str(tmp_path))


def test_a_secret_shows_itself_to_nobody_but_reveal(in_file):
    secret = in_file.read()
    shown = f"{secret} {secret!r} {secret!s} {secret:>40} {[secret]} " + "%s %r" % (secret, secret)  # noqa: UP031
    assert "canary" not in shown
    assert shown.count("<secret>") == 7
    assert secret.reveal() == CANARY
    assert secret == Secret(CANARY)
    assert secret != Secret("another")
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars, hash):
        with pytest.raises(TypeError):
            leak(secret)


def test_a_source_hides_a_literal_and_nothing_else():
    literal = SecretSource("literal", CANARY)
    assert repr(literal) == "SecretSource(kind='literal', locator='<secret>')"
    assert repr(SecretSource("env", "PW")) == "SecretSource(kind='env', locator='PW')"
    assert pickle.loads(pickle.dumps(literal)) == literal != SecretSource("literal", "another")


def test_a_fingerprint_changes_with_the_content_and_says_nothing_about_it(in_file, tmp_path, monkeypatch):
    path = tmp_path / "pw"
    first = in_file.fingerprint()
    assert first == in_file.fingerprint()
    assert "canary" not in first
    path.write_text(CANARY.swapcase())  # at once and of equal length
    second = in_file.fingerprint()
    path.unlink()
    missing = in_file.fingerprint()
    path.write_text(CANARY + "\n")
    assert len({first, second, missing}) == 3
    assert in_file.fingerprint() == first
    monkeypatch.setattr(secrets, "_SALT", b"another process")
    assert in_file.fingerprint() != first


def test_an_old_file_is_not_read_again_for_its_fingerprint(in_file, monkeypatch):
    monkeypatch.setattr(secrets, "_RACY_SECONDS", 0.0)
    first = in_file.fingerprint()
    monkeypatch.setattr(SecretSource, "_content", lambda _source: pytest.fail("read again"))
    assert in_file.fingerprint() == first


def test_a_replaced_link_changes_the_fingerprint(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
    (tmp_path / "pw").symlink_to("old")
    source = SecretSource("file", str(tmp_path / "pw"))
    first = source.fingerprint()
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").rename(tmp_path / "pw")  # as Kubernetes does
    assert source.fingerprint() != first


@pytest.fixture
def log(caplog):
    caplog.handler.addFilter(scrubber := Scrubber())
    yield caplog
    caplog.handler.removeFilter(scrubber)


def spoiled(log) -> bool:
    everything = log.text + repr([vars(record) for record in log.records])
    return "canary" in everything or "h\u00fcnter2" in everything


def test_logs_hide_every_secret_that_was_read(in_file, log):
    secret = in_file.read().reveal()
    logger = logging.getLogger("some.part")
    logger.warning("login with " + secret)  # noqa: G003
    logger.warning("login with %s and %r", secret, [secret])
    logger.warning("login with %(pw)s", {"pw": secret})
    logger.warning("as JSON %s", json.dumps({"pw": secret}))
    logger.warning("with more", extra={"answer": secret})
    try:
        int(secret)
    except ValueError:
        logger.exception("login failed")
    logger.warning("where", stack_info=True)
    assert not spoiled(log)
    assert log.text.count("<secret>") >= 5
    assert "Traceback" in log.text
    assert "literal for int() with base 10: '<secret>'" in log.text


def test_logs_without_a_secret_stay_as_they_are(in_file, log):
    in_file.read()
    logging.getLogger("x").warning("%s of %d", "one", 2)
    (record,) = log.records
    assert (record.msg, record.args) == ("%s of %d", ("one", 2))


def test_the_value_before_a_rotation_stays_hidden_and_older_ones_are_forgotten(tmp_path):
    source = SecretSource("file", str(tmp_path / "pw"))
    for value in ("first-value", "second-value", "third-value", "third-value"):
        (tmp_path / "pw").write_text(value)
        source.read()
    assert secrets.scrubbed("first-value second-value third-value") == "first-value <secret> <secret>"


def test_short_values_are_no_holes_in_every_line():
    SecretSource("literal", "abc").read()
    assert secrets.scrubbed("abc") == "abc"


def test_the_configuration_shows_no_secret_anywhere(loads, log):
    config = loads(
        "config_version: 1\nauths: {a: {username: me, password: canary-literal}, b: {password: {env: PW}}}\n"
        "targets:\n"
        "  - {name: x, platform: vsphere, address: vc, auth: a}\n"
        "  - {name: y, platform: vsphere, address: vc, auth: b}\n"
    )
    logging.getLogger("x").warning("loaded %s %r", config, config.targets)
    copied = pickle.loads(pickle.dumps(config))
    yaml_text = redacted_yaml(config)
    shown = f"{config} {config!r} {copied!r} {config.warnings} {yaml_text} {log.text}" + "\n".join(
        map(str, config.warnings)
    )
    assert "canary" not in shown
    assert "password: <secret>" in yaml_text
    assert "env: PW" in yaml_text


def test_what_looks_like_a_secret_elsewhere_is_hidden_too(loads):
    from dataclasses import replace

    config = loads("config_version: 1\ntargets: [{name: x, platform: vsphere, address: vc}]")
    options = {"proxy": "http://me:canary@proxy:3128", "api_token": "canary", "tokens": ["canary"], "pages": 100}
    target = replace(config.targets[0], address="https://me:canary@vc", options=options)
    shown = redacted_yaml(replace(config, targets=(target,)))
    assert "canary" not in shown
    assert "http://me:<secret>@proxy:3128" not in shown or "pages: 100" in shown
    assert "pages: 100" in shown


def test_a_traceback_of_a_refused_document_shows_no_secret(loads):
    document = "config_version: 1\nauths: {a: {password: canary-literal, usrname: x}}"
    try:
        loads(document)
    except Exception as error:  # noqa: BLE001
        text = "".join(traceback.format_exception(error))
    assert "usrname" in text
    assert "canary" not in text
    assert sys.exc_info() == (None, None, None)
