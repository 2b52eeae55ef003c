"""A secured daemon as an operator meets it: mistakes, refusals, sockets from systemd, reload, discovery and probes."""

import base64
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress

import bcrypt
import httpx
import pytest

from tests.backends.daemon import document, libvirt, repository
from tests.backends.need import need
from tests.backends.processes import Scratch, free_port, until
from tests.unit.web.secured import Folder, SecuredDaemon

TARGET = libvirt("t", "test:///default")
CANARY = "canary-7d1e9b"
HASH = bcrypt.hashpw(CANARY.encode(), bcrypt.gensalt(4)).decode()

pytestmark = pytest.mark.timeout(240)


def run(*arguments, **options):
    command = [sys.executable, "-m", "exporter", "serve", "--web.listen-address=127.0.0.1:0", *arguments]
    env = {**os.environ, "PYTHONPATH": str(repository())}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60, **options)


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path)
    (tmp_path / "config.yml").write_text(document([TARGET]))
    return folder


def authorization(password):
    return "Basic " + base64.b64encode(f"alice:{password}".encode()).decode()


def test_a_wrong_web_configuration_ends_with_2_and_its_places(folder):
    (folder.path / "web.yml").write_text(f"basic_auth_users:\n  alice: {CANARY}\ntls_server_confg: {{}}\n")
    config, web = f"--config.file={folder.path / 'config.yml'}", f"--web.config.file={folder.path / 'web.yml'}"
    refused = run(config, web)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "web.yml:2:10: basic_auth_users.alice: is no bcrypt hash" in refused.stderr
    assert 'web.yml:3:1: tls_server_confg: unknown key; did you mean "tls_server_config"?' in refused.stderr
    assert CANARY not in refused.stderr
    folder.config()
    (folder.path / "k.pem").write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n")
    refused = run(config, web)
    assert refused.returncode == 2
    assert "web.yml:2:14: tls_server_config.cert_file: cannot be used" in refused.stderr
    assert CANARY not in refused.stderr
    refused = run(config, f"--web.config.file={folder.path / 'nothing.yml'}")
    assert (refused.returncode, refused.stderr) == (2, f"{folder.path / 'nothing.yml'}: there is no such file\n")


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [("--web.external-url=ftp://x", "is neither http"), ("--web.max-requests=many", "is no number from 0 to 999999")],
)
def test_a_wrong_flag_ends_with_2(flag, sentence):
    refused = run(flag)
    assert refused.returncode == 2
    assert sentence in refused.stderr


def test_without_sockets_from_systemd_it_says_so(folder):
    refused = run("--web.systemd-socket", f"--config.file={folder.path / 'config.yml'}")
    assert refused.returncode == 1
    assert refused.stderr.endswith("start it through a socket unit, or leave the flag out\n")


LAUNCH = """
import os, socket, sys
bound = [socket.create_server(("127.0.0.1", int(port))) for port in sys.argv[1:3]]
kept = [os.dup(each.fileno()) for each in bound for _ in range(4)]  # beyond the numbers that are given away
for number, each in zip((3, 4), (kept[2], kept[6])):
    os.dup2(each, number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}
os.execv(sys.executable, [sys.executable, "-m", "exporter", "serve", "--web.systemd-socket", *sys.argv[3:]])
"""


def test_sockets_from_systemd_are_served_and_not_inherited_further(folder):
    ports = [free_port(), free_port(), free_port()]
    with Scratch("systemd") as scratch:
        config, extra = f"--config.file={folder.path / 'config.yml'}", f"--web.listen-address=127.0.0.1:{ports[2]}"
        first, second, _ = map(str, ports)
        child = scratch.start("exporter", sys.executable, "-c", LAUNCH, first, second, config, extra)
        for port in ports:
            until(lambda port=port: answers(port), 60, f"answer on {port}", child)


def answers(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/healthy").status_code == 200
    except httpx.TransportError:
        return False


def curl(daemon, path, *options, ca=None):
    command = ["curl", "-sS", "-w", "%{http_code}", "--cacert", str(ca), *options, f"https://{daemon.address}{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def post(daemon, path):
    request = urllib.request.Request(f"https://{daemon.address}{path}", method="POST", headers=daemon.headers)
    try:
        with urllib.request.urlopen(request, timeout=20, context=daemon.trusted) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_secured_daemon_answers_clearly_and_keeps_its_secrets(folder):
    need(["curl"])
    folder.config(rest=f"basic_auth_users: {{alice: {HASH}}}\n")
    folder.ca.cert_pem.write_to_path(str(folder.path / "ca.pem"))
    key = (folder.path / "k.pem").read_text().splitlines()[1]
    right = {"Authorization": authorization(CANARY)}
    with SecuredDaemon(document([TARGET]), folder, headers=right) as daemon:
        answer = curl(daemon, "/metrics", "-u", f"alice:{CANARY}", ca=folder.path / "ca.pem")
        assert answer.stdout.endswith("200")
        assert "hypervisor_target_up" in answer.stdout
        wrong = curl(daemon, "/metrics", "-u", f"alice:not-{CANARY}", ca=folder.path / "ca.pem")
        assert wrong.stdout == "a user's name and password are needed\n401"
        stranger = curl(daemon, "/metrics", "-u", f"alice:{CANARY}", ca=folder.path / "clients.pem")
        assert (stranger.returncode, "certificate" in stranger.stderr) == (60, True)
        assert post(daemon, "/-/reload") == (
            403,
            "reloading over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP\n",
        )
        folder.config(rest=f"basic_auth_users: {{alice: {CANARY}}}\n")
        until(lambda: "the web configuration is refused" in daemon.log(), 10, "refusal", daemon.child)
        pages = [daemon.get(path).text for path in ("/", "/metrics", "/config", "/sd", "/no", "/-/ready")]
        for shown in (*pages, daemon.log()):
            assert not [secret for secret in (CANARY, HASH, key, right["Authorization"]) if secret in shown]


def test_a_reload_over_http_takes_a_good_configuration_and_refuses_a_bad_one_with_every_mistake(folder):
    folder.config()
    with SecuredDaemon(document([TARGET]), folder, flags=["--web.enable-lifecycle"]) as daemon:
        daemon.file.write_text("config_version: 1\ntargets:\n  - nam: a\nworker: 2\n")
        status, text = post(daemon, "/-/reload")
        assert status == 400
        assert 'config.yml:3:5: targets[0].nam: unknown key; did you mean "name"?' in text
        assert 'config.yml:4:1: worker: unknown key; did you mean "workers"?' in text
        assert daemon.get("/metrics?target=t").status == 200
        probed = libvirt("p", "test:///default", mode="probe", labels={"site": "ham"})
        daemon.file.write_text(document([TARGET, probed]))
        assert post(daemon, "/-/reload") == (200, "the configuration is loaded\n")
        assert 'hypervisor_target_up{target="p"' in daemon.get("/probe?target=p").text
        assert daemon.get("/metrics?target=p").status == 404
        assert "__meta_hypervisor_label_site" in daemon.get("/sd").text


def test_prometheus_discovers_and_probes_with_a_certificate_and_a_password(folder, prometheus):
    demand = (
        "client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: clients.pem\nclient_allowed_sans: [prom.example]"
    )
    certificate = folder.clients.issue_cert("prom.example")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder.path / "prom.pem"))
    folder.ca.cert_pem.write_to_path(str(folder.path / "ca.pem"))
    folder.config(demand, f"basic_auth_users: {{alice: {HASH}}}\n")
    probed = libvirt("p", "test:///default", mode="probe")
    daemon = SecuredDaemon(document([TARGET, probed]), folder, headers={"Authorization": authorization(CANARY)})
    certificate.configure_cert(daemon.trusted)
    file = str(folder.path / "prom.pem")
    client = {
        "basic_auth": {"username": "alice", "password": CANARY},
        "tls_config": {"ca_file": str(folder.path / "ca.pem"), "cert_file": file, "key_file": file},
    }
    with daemon:
        found = {"url": f"https://{daemon.address}/sd", "refresh_interval": "1s", **client}
        server = prometheus(
            [{"job_name": "probes", "scheme": "https", "http_sd_configs": [found], "scrape_timeout": "1s", **client}]
        )
        server.wait_for('hypervisor_target_up{job="probes",target="p",instance="p"} == 1', timeout_seconds=30)
        assert server.query('count(hypervisor_guest_running{instance="p"})')[0].value == 1
        assert server.query('hypervisor_target_up{target="t"}') == []
        with socket.create_connection(("127.0.0.1", int(daemon.address.rpartition(":")[2]))) as raw:
            raw.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(ConnectionResetError):
                assert raw.recv(1000)[:4] != b"HTTP"
