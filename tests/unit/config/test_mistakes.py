"""Documents that are refused: each file of bad/ with exactly the lines that an operator reads."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from exporter.config.mistakes import ConfigError, Mistake, dotted

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yml"))
MINIMAL = "config_version: 1\n"


@pytest.mark.parametrize("path", BAD, ids=[path.stem for path in BAD])
def test_a_bad_file_is_refused_with_exactly_these_lines(path, load, monkeypatch):
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError) as caught:
        load(path.name)
    assert str(caught.value) + "\n" == path.with_suffix(".txt").read_text()


def test_the_corpus_has_no_orphans():
    assert {path.stem for path in BAD} == {path.stem for path in (HERE / "bad").glob("*.txt")}
    assert len(BAD) > 40


@pytest.mark.parametrize("path", BAD, ids=[path.stem for path in BAD])
def test_no_message_shows_a_password(path, load):
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "canary" not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "a traceback would show pydantic's error"


def test_all_mistakes_come_at_once_in_the_order_of_the_document(load):
    with pytest.raises(ConfigError) as caught:
        load(HERE / "bad" / "everything_at_once.yml")
    lines = [mistake.line for mistake in caught.value.mistakes]
    assert lines == sorted(lines)
    assert lines == [2, 4, 7, 11, 12, 13, 15, 16, 17, 18, 19]


def test_mistakes_of_discovered_files_follow_those_of_the_document(load, tmp_path):
    (tmp_path / "b.yml").write_text("targets:\n  - {name: a, platform: libvrt, address: x}\n")
    (tmp_path / "a.yml").write_text("- {name: a, platform: vsphere, adress: x}\n")
    (tmp_path / "c.yml").write_text("auths: {}\n")
    main = tmp_path / "config.yaml"
    main.write_text(
        "config_version: 1\ndiscovery: {files: ['*.yml']}\nworkers: 0\n"
        "targets: [{name: a, platform: vsphere, address: x}]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(main)
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        "config.yaml:3:10: workers: must be at least 1",
        'a.yml:1:10: targets[0].name: there are two targets "a"; first in config.yaml:4',
        'a.yml:1:32: targets[0].adress: unknown key; did you mean "address"?',
        'b.yml:2:12: targets[0].name: there are two targets "a"; first in config.yaml:4',
        'b.yml:2:25: targets[0].platform: there is no platform "libvrt"; did you mean "libvirt"?',
        "c.yml:1:1: auths: unknown key; known are targets",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda path: path.parent, "there is no such file", id="missing"),
        pytest.param(lambda path: path.mkdir(), "is a directory, not a file", id="directory"),
        pytest.param(lambda path: path.symlink_to(path), "cannot be read: Too many levels", id="unreadable"),
        pytest.param(lambda path: path.write_bytes(b"#" * 10_000_000), "is larger than 4 MiB", id="10 MB"),
        pytest.param(lambda path: path.write_bytes("config_version: 1".encode("utf-16")), "is not UTF-8", id="UTF-16"),
        pytest.param(lambda path: path.write_bytes(b"a: \xc3"), "is not UTF-8", id="cut in a character"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_mistake_with_its_name(make, message, load, tmp_path):
    path = tmp_path / "config.yml"
    make(path)
    with pytest.raises(ConfigError) as caught:
        load(path)
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith(str(path))
    assert message in str(mistake)


def test_a_file_without_permission_is_a_mistake(load, monkeypatch):
    def refused(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("exporter.config.files._regular", refused)  # root may read everything
    with pytest.raises(ConfigError, match=r"^secret\.yml: cannot be read: Permission denied$"):
        load("secret.yml")


@pytest.mark.parametrize(
    ("bomb", "message"),
    [
        pytest.param("[" * 100_000, "nested deeper", id="depth"),
        pytest.param("{a: " * 100_000, "nested deeper", id="depth of mappings"),
        pytest.param("- " * 100_000, "nested deeper", id="depth of dashes"),
        pytest.param("x: &a [" + "1," * 2000 + "]\ny: [" + "*a," * 2000 + "]", "aliases stand for", id="aliases"),
    ],
)
def test_a_bomb_is_refused_before_it_goes_off(bomb, message, loads):
    with pytest.raises(ConfigError, match=message):
        loads(bomb)


@pytest.mark.parametrize(
    "address",
    [
        "qemu+ssh://monitor:canary@kvm/system",
        "monitor:canary@vc",
        "https://u:ca/na@ry@hv:5986",
        "esx://u:canary@[::1]/",
        "vpx://vc/?no_verify=1&Password=canary",
        "https://u:@hv",
        "https://u://canary@hv",
    ],
)
def test_a_password_in_an_address_is_found(address, loads):
    with pytest.raises(ConfigError, match="holds a password") as caught:
        loads(f'{MINIMAL}targets: [{{name: a, platform: vsphere, address: "{address}"}}]')
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "vcenter.example.net",
        "vcenter.example.net:8443",
        "qemu:///system",
        "test:///default",
        "qemu+ssh://monitor@kvm-7:2222/system?keyfile=/home/a@b:c/id",
        "qemu+tcp://kvm:16509/system",
        "https://hv:5986/wsman@site",
        "qemu+ssh://monitor@[2001:db8::1]:22/system",
        "https://[2001:db8::1]:5986",
        "vpx://EXAMPLE%5cmonitor@vc/DC/host?no_verify=1",
    ],
)
def test_an_address_without_a_password_is_accepted(address, loads):
    config = loads(f'{MINIMAL}targets: [{{name: a, platform: vsphere, address: "{address}"}}]')
    assert config.targets[0].address == address


@pytest.mark.parametrize("version", ["true", "1.0", "'1'", "2", "0", "[1]"])
def test_only_the_number_one_is_the_version(version, loads):
    with pytest.raises(ConfigError, match="config_version: must be 1"):
        loads(f"config_version: {version}")


def test_an_option_may_be_null_where_its_platform_says_so(loads):
    config = loads(MINIMAL + "targets: [{name: a, platform: hyperv, address: x, options: {node_address: null}}]")
    assert config.targets[0].options["node_address"] is None


def test_a_mistake_in_a_shared_block_is_told_once(loads):
    with pytest.raises(ConfigError) as caught:
        loads(
            f"{MINIMAL}targets:\n"
            "  - {name: a, platform: vsphere, address: x, labels: &labels {guest: x}}\n"
            "  - {name: b, platform: vsphere, address: x, labels: *labels}\n"
        )
    assert len(caught.value.mistakes) == 1


def test_a_mistake_is_one_line_whatever_the_key_holds():
    assert dotted(("a", 1, "b c\n\u2028\x1b[31m")) == 'a[1]["b c\\n\\u2028\\u001b[31m"]'
    assert str(Mistake("f", 0, 0, "", "is missing")) == "f: is missing"


def test_the_error_survives_pickling(load):
    with pytest.raises(ConfigError) as caught:
        load(HERE / "bad" / "mode.yml")
    assert pickle.loads(pickle.dumps(caught.value)).mistakes == caught.value.mistakes
