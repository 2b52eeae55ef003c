"""Documents that are accepted, and what the program gets from them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from exporter.config.mistakes import ConfigError
from exporter.config.model import DEFAULT_SNAPSHOT_KINDS, Auth, Config, Discovery, Limits, Profile, Selection, Tls
from exporter.config.redact import redacted_yaml
from exporter.secrets import SecretSource

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def interfaces(load) -> Config:
    return load(GOOD / "interfaces.yml")


def test_the_example_of_the_interfaces_is_loaded_as_a_whole(interfaces):
    assert interfaces.version == 1
    assert interfaces.workers == 2
    assert interfaces.limits == Limits(series_per_target=1_000_000, series_total=3_000_000, label_value_length=256)
    assert interfaces.discovery == Discovery(files=("/etc/hypervisor-exporter/targets.d/*.yml",), read=())
    assert interfaces.warnings == ()
    assert interfaces.source == str(GOOD / "interfaces.yml")
    assert [target.name for target in interfaces.targets] == ["vc-hamburg", "kvm-7", "hv-1"]


def test_the_profile_of_the_example(interfaces):
    profile = interfaces.targets[0].profile
    assert {target.profile for target in interfaces.targets} == {profile}
    assert profile.name == "default"
    groups = ("vitals", "storage", "snapshots", "inventory")
    assert [profile.interval(group) for group in groups] == [30, 120, 300, 600]
    assert [profile.deadline(group) for group in groups] == [24, 96, 240, 480]
    assert [profile.ttl(group) for group in groups] == [75, 360, 900, 1800]
    assert profile.family_include == ()
    assert profile.family_exclude == ("hypervisor_guest_disk_*_seconds_total",)
    assert dict(profile.snapshot_kinds) == {"backup": ("(?i)veeam",), "schedule": ("(?i)daily[-_ ]",)}
    assert profile.image_base_patterns == ("*/_base/*", "*/base/*", "*/templates/*")


def test_the_vsphere_target_of_the_example(interfaces):
    target = interfaces.targets[0]
    assert (target.platform, target.address, target.mode) == ("vsphere", "vcenter.example.net", "scheduled")
    assert target.auth == Auth(
        "vcenter-ro", "monitor@vsphere.local", SecretSource("file", "/run/credentials/vcenter-ro")
    )
    assert target.labels == (("site", "ham"),)
    assert target.tls == Tls(ca_file="/etc/ssl/ham-ca.pem")
    assert target.filters.guests == Selection(exclude=("vCLS*",))
    assert target.compute_cluster is None
    assert target.options == {}


def test_the_other_targets_of_the_example(interfaces):
    _, kvm, hv = interfaces.targets
    assert (kvm.platform, kvm.address, kvm.auth) == ("libvirt", "qemu+ssh://monitor@kvm-7/system", None)
    assert kvm.compute_cluster == "kvm-pool"
    assert kvm.options == {"refresh_pools": False, "keepalive": 5}
    assert hv.auth == Auth("hv-ro", "EXAMPLE\\monitor", SecretSource("env", "HV_PASSWORD"))
    assert hv.options["node_address"] == "{node}.example.net"
    assert hv.options["cpu_wait_unit"] == "100ns"


def test_a_minimal_document_gets_every_default(load):
    config = load(GOOD / "minimal.yml")
    (target,) = config.targets
    assert target.profile == Profile()
    assert target.profile.interval("agent") == 600
    assert target.profile.deadline("vitals") == 24
    assert (target.profile.ttl("vitals"), target.profile.ttl("agent")) == (75, 1800)
    assert dict(target.profile.snapshot_kinds) == dict(DEFAULT_SNAPSHOT_KINDS)
    assert (config.workers, config.limits, target.auth, target.tls) == (None, Limits(), None, Tls())


def test_scalars_are_those_of_yaml_1_2(load):
    first, second = load(GOOD / "yaml_1_2.yml").targets
    assert (first.name, second.name) == ("no", "yes")
    assert first.labels == (("country", "no"), ("day", "2024-01-01"), ("on", "1"), ("slot", "1:30"))
    assert first.labels == second.labels


def test_a_byte_order_mark_is_no_part_of_the_document(load, tmp_path):
    path = tmp_path / "config.yml"
    path.write_bytes(b"\xef\xbb\xbf" + (GOOD / "minimal.yml").read_bytes())
    assert load(path).targets == load(GOOD / "minimal.yml").targets
    path.write_bytes(b"\xef\xbb\xbfa: \x07")
    with pytest.raises(ConfigError, match=r"config\.yml:1:4: the character U\+0007"):
        load(path)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("1500ms", 1.5), ("1m30s", 90), ("2h", 7200), ("1d", 86400), ("1d2h3m4s5ms", 93784.005)],
)
def test_durations(text, seconds, loads):
    config = loads(
        f"config_version: 1\nprofiles: {{default: {{intervals: {{vitals: {text}}}}}}}\n"
        "targets: [{name: a, platform: vsphere, address: x}]"
    )
    assert config.targets[0].profile.interval("vitals") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["s", "''", "1", "-1s", "1.5s", "1s2m", "1 s", "1S", "1w", "\u0661s", "9999999999d"])
def test_what_is_no_duration_is_refused(text, loads):
    with pytest.raises(ConfigError, match=r"default\.intervals\.vitals"):
        loads(f"config_version: 1\nprofiles: {{default: {{intervals: {{vitals: {text}}}}}}}")


def test_families_and_groups_are_turned_on_apart(loads):
    profile = (
        loads(
            "config_version: 1\nprofiles: {p: {families: {include: [agent, 'hypervisor_guest_disk_flush*']}}}\n"
            "targets: [{name: a, platform: libvirt, address: x, profile: p}]"
        )
        .targets[0]
        .profile
    )
    assert profile.group_include == ("agent",)
    assert profile.family_include == ("hypervisor_guest_disk_flush*",)


def test_one_replaced_kind_of_snapshot_leaves_the_others(loads):
    config = loads(
        "config_version: 1\nprofiles: {default: {snapshot_kinds: {backup: []}}}\n"
        "targets: [{name: a, platform: vsphere, address: x}]"
    )
    kinds = dict(config.targets[0].profile.snapshot_kinds)
    assert kinds == dict(DEFAULT_SNAPSHOT_KINDS) | {"backup": ()}


def test_paths_are_relative_to_the_file_that_holds_them(load, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "config.yml").write_text(
        "config_version: 1\nauths: {a: {password: {file: pw}}}\ndiscovery: {files: [more/*.yml]}\n"
        "targets: [{name: a, platform: vsphere, address: x, auth: a, tls: {ca_file: ca.pem}}]"
    )
    (tmp_path / "more" / "b.yml").write_text(
        "- {name: b, platform: vsphere, address: x, auth: a, tls: {cert_file: /c, key_file: k}}"
    )
    (tmp_path / "more" / "empty.yml").write_text("")
    config = load(tmp_path / "config.yml")
    first, second = config.targets
    assert first.auth == second.auth == Auth("a", None, SecretSource("file", str(tmp_path / "pw")))
    assert first.tls.ca_file == str(tmp_path / "ca.pem")
    assert (second.tls.cert_file, second.tls.key_file) == ("/c", str(tmp_path / "more" / "k"))
    assert config.discovery.read == tuple(str(tmp_path / "more" / name) for name in ("b.yml", "empty.yml"))


def test_a_pin_is_normalised(loads):
    digits = ":".join(["AB"] * 32)
    config = loads(
        f"config_version: 1\ntargets: [{{name: a, platform: vsphere, address: x, tls: {{pin_sha256: '{digits}'}}}}]"
    )
    assert config.targets[0].tls.pin_sha256 == "ab" * 32


def test_doubts_are_told_and_load(loads):
    config = loads(
        "config_version: 1\nauths:\n  a: {password: hunter2}\nprofiles: {default: {intervals: {agent: 5m}}}\n"
    )
    first, second, third = map(str, config.warnings)
    assert first == "config.yml:1:1: there are no targets"
    assert second.startswith("config.yml:3:17: auths.a.password: the password stands in this file; use {file: PATH}")
    assert third.startswith(
        "config.yml:4:34: profiles.default.intervals.agent: an interval does not turn this group on"
    )


def test_equal_documents_give_equal_targets_and_a_change_anywhere_does_not(load, loads):
    text = (GOOD / "interfaces.yml").read_text()
    targets = load(GOOD / "interfaces.yml").targets
    assert loads("# moved\n\n" + text).targets == targets
    for old, new in (
        ("vitals: 30s", "vitals: 31s"),
        ("monitor@vsphere", "reader@vsphere"),
        ("pools: false", "pools: true"),
    ):
        changed = loads(text.replace(old, new)).targets
        assert changed != targets, f"{old} became {new}"


def test_the_configuration_goes_to_a_worker_and_back(interfaces):
    copy = pickle.loads(pickle.dumps(interfaces))
    assert copy == interfaces
    assert hash(copy.targets[1]) == hash(interfaces.targets[1])


def test_a_worker_needs_neither_pydantic_nor_yaml():
    code = (
        "import sys, exporter.config.model; "
        "sys.exit(any(name.split('.')[0] in ('pydantic', 'yaml') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_shown_can_be_loaded_again(interfaces, loads):
    shown = redacted_yaml(interfaces)
    assert loads(shown).targets == interfaces.targets
    assert yaml.safe_load(shown)["profiles"]["default"]["ttl"] == {"snapshots": "15m"}


def test_ten_thousand_targets_load_in_seconds(loads):
    text = "config_version: 1\ntargets:\n" + "".join(
        f"  - {{name: kvm-{n}, platform: libvirt, address: 'qemu+ssh://me@kvm-{n}/system', labels: {{rack: r{n}}}}}\n"
        for n in range(10_000)
    )
    assert len(loads(text).targets) == 10_000
