"""Whatever a file holds, loading ends with a configuration or a `ConfigError`, and nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.config.mistakes import ConfigError

HERE = Path(__file__).parent
SEEDS = [path.read_bytes() for path in sorted((*(HERE / "bad").glob("*.yml"), *(HERE / "good").glob("*.yml")))]
RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = st.sampled_from([
    "config_version: 1\n", "targets:\n", "  - name: ", "a", "{", "}", "[", "]", ": ", "\n", "  ", "\t", "&a ", "*a",
    "<<", "!!", "'", '"', "\\ud800", "\\U99999999", "|\n", ">-\n", "---\n", "...\n", "%YAML 9.9\n", "? ", "- ", "#",
    "auths:", "password: ", "null", "~", "1e999", "0x1F", ".inf", "\ufeff", "\u2028", "\x85", "\ud800", "\x00",
    "9" * 5000,
])  # fmt: skip
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("config_version", "auths", "profiles", "targets", "discovery", "workers", "limits")
TARGET_KEYS = ("name", "platform", "address", "auth", "labels", "tls", "filters", "options", "mode", "profile")


@RELAXED
@given(content=st.binary(max_size=200))
def test_any_bytes(content, load, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(content)
    with contextlib.suppress(ConfigError):
        load(path)


@RELAXED
@given(text=st.lists(WORDS, max_size=25).map("".join))
def test_any_text_that_looks_like_yaml(text, loads):
    with contextlib.suppress(ConfigError):
        loads(text)


@RELAXED
@given(seed=st.sampled_from(SEEDS), damage=st.tuples(st.integers(0, 500), st.integers(0, 20), st.binary(max_size=4)))
def test_any_damage_to_a_real_file(seed, damage, load, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "damaged.yml"
    place, cut, put = damage
    path.write_bytes(seed[:place] + put + seed[place + cut :])
    with contextlib.suppress(ConfigError):
        load(path)


@RELAXED
@given(
    document=st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, PLAIN)),
    target=st.fixed_dictionaries({}, optional=dict.fromkeys(TARGET_KEYS, PLAIN)),
    platform=st.sampled_from(["libvirt", "vsphere", "hyperv"]),
)
def test_any_value_under_any_key(document, target, platform, loads):
    document.setdefault("targets", [{"platform": platform, "name": "a", "address": "x"} | target])
    with contextlib.suppress(ConfigError):
        loads(yaml.safe_dump({"config_version": 1} | document))
