"""The command line as an operator meets it: output, exit codes, and one clear message for everything that is wrong."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from exporter import __version__
from tests.backends.daemon import Page, document, libvirt, repository
from tests.backends.processes import Scratch, until

GOOD = libvirt("t", "test:///default")


def run(*arguments, env=None, cwd=None):
    command = [sys.executable, "-m", "exporter", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(repository()), **(env or {})}
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def config(tmp_path):
    """Writes a configuration and returns the flag that names it."""

    def write(text):
        (tmp_path / "config.yml").write_text(text)
        return f"--config.file={tmp_path / 'config.yml'}"

    return write


def test_version():
    printed = run("--version")
    assert (printed.returncode, printed.stdout) == (0, f"hypervisor-exporter {__version__}\n")
    assert run("serve", "--version").stdout == printed.stdout


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["no-such-command"], ["serve", "--shutdown.grace=10"]])
def test_a_wrong_command_line_ends_with_2(arguments):
    refused = run(*arguments)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "usage:" in refused.stderr


def test_metrics_prints_every_family_as_table_and_json():
    families = json.loads(run("metrics", "--json").stdout)
    table = run("metrics").stdout
    assert len(families) > 140
    for family in families:
        assert f"\n{family['name']} " in table
    guest_cpu = next(family for family in families if family["name"] == "hypervisor_guest_cpu_seconds_total")
    assert (guest_cpu["type"], guest_cpu["unit"], guest_cpu["group"]) == ("counter", "seconds", "vitals")
    assert guest_cpu["support"]["libvirt"]["support"] == "native"


def test_docs_are_what_the_commands_print():
    root = repository()
    assert (root / "docs" / "metrics.md").read_text() == run("metrics", "--markdown").stdout


def test_platforms_lists_ours():
    listed = run("platforms")
    assert listed.returncode == 0
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"hyperv", "libvirt", "simulated", "vsphere"} <= set(names)
    assert names == sorted(names)


def test_once_prints_one_exposition(config):
    printed = run("once", config(document([GOOD])))
    assert (printed.returncode, printed.stderr) == (0, "")
    page = Page(printed.stdout)
    assert page.value("hypervisor_target_up", target="t") == 1
    assert page.value("hypervisor_guest_running", guest="test") == 1
    assert page.value("hypervisor_guest_snapshots", guest="test") == 0


def test_once_writes_a_file_that_anybody_may_read(config, tmp_path):
    output = tmp_path / "out.prom"
    written = run("once", config(document([GOOD])), "--output", str(output))
    assert (written.returncode, written.stdout) == (0, "")
    assert "hypervisor_guest_running{" in output.read_text()
    assert output.stat().st_mode & 0o777 == 0o644
    assert {path.name for path in tmp_path.iterdir()} == {"config.yml", "out.prom"}  # nothing half-written is left


@pytest.mark.parametrize("place", ["no-such-folder/out.prom", "folder"])
def test_once_tells_where_it_cannot_write_and_leaves_nothing(config, tmp_path, place):
    (tmp_path / "folder").mkdir()
    refused = run("once", config(document([GOOD])), "--output", str(tmp_path / place))
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"config.yml", "folder"}


def test_once_collects_what_it_can_and_ends_with_1(config, tmp_path):
    dead = libvirt("dead", f"qemu+unix:///system?socket={tmp_path}/none")
    printed = run("once", config(document([GOOD, dead])))
    assert printed.returncode == 1
    assert printed.stderr.startswith("dead: ")
    assert "unreachable" in printed.stderr
    page = Page(printed.stdout)
    assert page.value("hypervisor_target_up", target="dead") == 0
    assert page.value("hypervisor_guest_running", target="t", guest="test") == 1


def test_once_takes_names_and_refuses_unknown_ones(config):
    flag = config(document([GOOD, libvirt("u", "test:///default")]))
    assert Page(run("once", flag, "u").stdout).find("hypervisor_target_up", target="t") == []
    refused = run("once", flag, "v")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no target is named 'v'; there are: t, u" in refused.stderr


def test_check_says_that_all_is_well(config):
    checked = run("check", config(document([GOOD])))
    assert (checked.returncode, checked.stderr) == (0, "")
    connected = run("check", "--connect", config(document([GOOD])))
    assert connected.returncode == 0
    assert "t: ok: " in connected.stdout
    assert "1 guests" in connected.stdout


def test_check_warns_of_targets_whose_rates_need_a_longer_window(config):
    rare = document([GOOD], profiles={"default": {"intervals": {"vitals": "2m"}}})
    checked = run("check", config(rare))
    assert checked.returncode == 0
    assert checked.stderr == "warning: t: rates need five collections; make the rules with `rules --rate-window 10m`\n"


STATIC = [
    pytest.param("platform: libvirt", "platfrom: libvirt", 'did you mean "platform"?', id="misspelt key"),
    pytest.param("platform: libvirt", "\tplatform: libvirt", "tab", id="tab"),
    pytest.param("platform: libvirt", "platform: libvrt", "libvirt", id="unknown platform"),
    pytest.param("test:///default", "qemu+ssh://user:Canary-7@host/system", "password", id="password in the address"),
    pytest.param("test:///default", "phyp://host/", "phyp", id="a scheme that libvirt has removed"),
    pytest.param("test:///default", "xenapi://host/", "xenapi", id="another one"),
    pytest.param("address: test:///default", "address: test:///default\n    auth: nobody", "nobody", id="unknown auth"),
    pytest.param(
        "address: test:///default",
        "address: test:///default\n  - name: t\n    platform: libvirt\n    address: test:///default",
        "t",
        id="the same name twice",
    ),
]
TEXT = "config_version: 1\ntargets:\n  - name: t\n    platform: libvirt\n    address: test:///default\n"


@pytest.mark.parametrize("command", ["check", "serve", "once"])
@pytest.mark.parametrize(("good", "bad", "told"), STATIC)
def test_static_mistakes_refuse_with_file_line_and_remedy(config, command, good, bad, told):
    refused = run(command, config(TEXT.replace(good, bad)))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "config.yml:" in refused.stderr
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "Canary-7" not in refused.stderr


def test_a_missing_file_is_named():
    refused = run("serve", "--config.file=/no/such/config.yml")
    assert refused.returncode == 2
    assert "/no/such/config.yml" in refused.stderr


def test_an_unreadable_secret_is_a_circumstance(config, tmp_path):
    auths = {"a": {"username": "u", "password": {"file": str(tmp_path / "missing")}}}
    checked = run("check", config(document([{**GOOD, "auth": "a"}], auths=auths)))
    assert checked.returncode == 1
    assert str(tmp_path / "missing") in checked.stderr


def test_an_unreadable_certificate_authority_is_a_circumstance(config, tmp_path):
    tls = {"ca_file": str(tmp_path / "ca.pem")}
    checked = run("check", config(document([{**GOOD, "tls": tls}])))
    assert checked.returncode == 1
    assert str(tmp_path / "ca.pem") in checked.stderr


def test_without_the_bindings_everything_else_works_and_the_remedy_is_told(config, tmp_path):
    (tmp_path / "libvirt.py").write_text("raise ModuleNotFoundError(\"No module named 'libvirt'\", name='libvirt')\n")
    env = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{repository()}"}
    flag = config(document([GOOD]))
    assert run("check", flag, env=env).returncode == 0
    assert run("platforms", env=env).returncode == 0
    printed = run("once", flag, env=env)
    assert printed.returncode == 1
    assert "pip install" in printed.stderr
    page = Page(printed.stdout)
    assert page.value("hypervisor_target_up", target="t") == 0
    assert [value for _, value in page.find("hypervisor_target_problems", target="t", problem="sdk_missing")] == [1]


def test_without_a_configuration_and_a_local_hypervisor_it_says_so_and_names_the_demo(tmp_path):
    if Path("/var/run/libvirt/libvirt-sock-ro").exists() or Path("/etc/hypervisor-exporter").exists():
        pytest.skip("this machine has something to watch")
    refused = run("serve", env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)})
    assert refused.returncode == 2
    assert "demo" in refused.stderr
    assert "--config.file" in refused.stderr


def test_an_address_in_use_is_told_with_its_port(config):
    with Scratch("in-use") as scratch:
        flag = config(document([GOOD]))
        server = scratch.start("first", sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0")
        port = until(lambda: [word for word in server.log_tail().split() if word.isdigit()], 10, "port", server)[0]
        refused = run("serve", flag, f"--web.listen-address=127.0.0.1:{port}")
        assert refused.returncode == 1
        assert f"127.0.0.1:{port}" in refused.stderr


def test_demo_serves_hosts_guests_pools_and_snapshots_of_several_ages():
    with Scratch("demo") as scratch:
        flags = ["--web.listen-address=127.0.0.1:0"]
        demo = scratch.start("demo", sys.executable, "-m", "exporter", "demo", *flags, env=dict(os.environ))
        address = until(
            lambda: [word for word in demo.log_tail().split() if word.startswith("http://")], 20, "address", demo
        )[0]

        def page():
            with urllib.request.urlopen(f"{address}metrics", timeout=10) as answer:
                return Page(answer.read().decode())

        until(lambda: page().find("hypervisor_guest_oldest_snapshot_timestamp_seconds"), 30, "snapshots", demo)
        until(lambda: page().find("hypervisor_storage_capacity_bytes"), 30, "pools", demo)
        until(
            lambda: len(page().find("hypervisor_host_info", platform="libvirt")) == 2, 30, "both hosts described", demo
        )
        seen = page()
        assert {labels["state"] for labels, _ in seen.find("hypervisor_guest_state")} >= {
            "running",
            "paused",
            "stopped",
        }
        ages = [value for _, value in seen.find("hypervisor_guest_oldest_snapshot_age_seconds")]
        assert max(ages) > 300 * 86400 > 30 * 86400 > min(ages)
        over = [value for _, value in seen.find("hypervisor_host_vcpus_allocated")]
        cores = [value for _, value in seen.find("hypervisor_host_cpu_cores")]
        assert sum(over) > sum(cores)  # something to see: an overcommitted host
