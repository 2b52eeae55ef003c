"""Who may come in: certificates, passwords, rates; and what a change of the files does while the server runs."""

import socket
import ssl
import time

import bcrypt
import httpx
import pytest
import trustme

from exporter.config.mistakes import ConfigError
from exporter.web.live import LiveWebConfig
from tests.unit.web.secured import Folder

SECRET = "canary-5f2c"
HASH = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(4)).decode()
AUTH = {"alice": HASH}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def https(served, path="/-/ready"):
    return f"https://127.0.0.1:{served.port}{path}"


def certificate_of(served):
    return ssl.get_server_certificate(("127.0.0.1", served.port))


def test_with_tls_everything_is_answered_as_without(serve, folder):
    served = serve(web_config=folder.config())
    with folder.client() as client:
        assert client.get(https(served, "/metrics")).content == b"".join(served.estate.everything.pieces)
        assert client.get(https(served, "/sd")).json()[0]["targets"] == [f"127.0.0.1:{served.port}"]
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        httpx.get(f"{served.url}/-/ready")


def test_idle_tls_connections_delay_nobody_and_are_cut(serve, folder, connect, read_to_end):
    served = serve(web_config=folder.config(), header_seconds=0.5)
    silent = [connect(served) for _ in range(20)]
    context = ssl.create_default_context()
    folder.ca.configure_trust(context)
    shaken = [context.wrap_socket(connect(served), server_hostname="127.0.0.1") for _ in range(5)]
    with folder.client() as client:
        assert client.get(https(served)).elapsed.total_seconds() < 2
    for raw in (*silent, *shaken):
        with raw:
            assert read_to_end(raw) == b""


def test_an_oversized_header_is_answered_with_tls_too(serve, folder):
    served = serve(web_config=folder.config())
    with folder.client() as client:
        assert client.get(https(served), headers={"X-Long": "a" * 17_000}).status_code == 431
        assert client.post(https(served), content=b"b" * 200_000).status_code == 413


def test_a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_never(serve, folder, eventually, caplog):
    served = serve(web_config=folder.config())
    first = certificate_of(served)
    (folder.path / "k.pem").write_text("half")
    eventually(lambda: caplog.records)
    time.sleep(1.2)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "web.yml:3:13: tls_server_config.key_file: holds no private key" in caplog.text
    assert certificate_of(served) == first
    folder.renew()
    eventually(lambda: certificate_of(served) != first)
    with folder.client() as client:
        assert client.get(https(served)).status_code == 200


def test_the_file_itself_is_read_again_and_a_broken_one_changes_nothing(serve, folder, eventually, caplog):
    served = serve(web_config=folder.config())
    with folder.client() as client:
        folder.config(rest=f"basic_auth_users: {{alice: {HASH}}}\n")
        eventually(lambda: client.get(https(served)).status_code == 401)
        for broken in ("", "basic_auth_users: {}\nx: 1\n"):
            caplog.clear()
            (folder.path / "web.yml").write_text(broken)
            eventually(lambda: caplog.records)
            assert client.get(https(served)).status_code == 401
            assert client.get(https(served), auth=("alice", SECRET)).status_code == 200
    assert SECRET not in caplog.text
    assert HASH not in caplog.text


def test_what_is_still_being_written_is_not_read(folder):
    live = LiveWebConfig(folder.config(rest=f"basic_auth_users: {{alice: {HASH}}}\n"))
    folder.config()
    live.look()
    assert live.now.passwords.needed
    folder.config(rest=f"basic_auth_users: {{alice: {HASH}, bob: {HASH}}}\n")
    live.look()
    live.look()
    assert set(live.now.config.users) == {"alice", "bob"}


@pytest.mark.parametrize(
    ("name", "content", "mistake"),
    [
        ("c.pem", None, "2:14: tls_server_config.cert_file: there is no such file"),
        ("c.pem", "", "2:14: tls_server_config.cert_file: holds no certificate"),
        ("c.pem", "-----BEGIN CERTIFICATE-----\n", "2:14: tls_server_config.cert_file: cannot be used"),
        ("k.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "3:13: tls_server_config.key_file: the key is encrypted"),
        ("k.pem", "other", "3:13: tls_server_config.key_file: the key does not belong to the certificate"),
        ("clients.pem", "", "5:19: tls_server_config.client_ca_file: holds no certificate"),
    ],
)  # fmt: skip
def test_an_unusable_file_is_named_with_the_place_that_names_it(folder, name, content, mistake):
    path = folder.config("client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: clients.pem")
    if content is None:
        (folder.path / name).unlink()
    elif content == "other":
        folder.ca.issue_cert("x").private_key_pem.write_to_path(str(folder.path / name))
    else:
        (folder.path / name).write_text(content)
    with pytest.raises(ConfigError) as refused:
        LiveWebConfig(path)
    assert str(refused.value).startswith(f"{path}:{mistake}")


def answers(client, served):
    try:
        return client.get(https(served)).status_code
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ConnectError):
        return None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("NoClientCert", [200, 200, 200]),
        ("RequestClientCert", [200, 200, 200]),
        ("VerifyClientCertIfGiven", [200, 200, None]),
        ("RequireAndVerifyClientCert", [None, 200, None]),
    ],
)
def test_client_certificates_are_demanded_and_verified_as_the_word_says(serve, folder, word, expected):
    ca = "\nclient_ca_file: clients.pem" if "Verify" in word else ""
    served = serve(web_config=folder.config(f"client_auth_type: {word}{ca}"))
    clients = (folder.client(), folder.client("p.example"), folder.client("p.example", by=trustme.CA()))
    for client, status in zip(clients, expected, strict=True):
        with client:
            assert answers(client, served) == status


@pytest.mark.parametrize(
    ("names", "status"),
    [(["p.example"], 200), (["x.example", "10.1.2.3"], 200), (["q.example"], 403), (["10.1.2.4"], 403)],
)
def test_only_certificates_with_an_allowed_name_pass(serve, folder, names, status):
    demand = "client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: clients.pem\n"
    served = serve(web_config=folder.config(f"{demand}client_allowed_sans: [p.example, 10.1.2.3]"))
    with folder.client(*names) as client:
        assert client.get(https(served)).status_code == status


def test_versions_and_suites_are_those_of_the_file(serve, folder):
    suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    served = serve(
        web_config=folder.config(f"max_version: TLS12\ncipher_suites: [{suite}]\ncurve_preferences: [CurveP384]")
    )
    context = ssl.create_default_context()
    folder.ca.configure_trust(context)
    with (
        socket.create_connection(("127.0.0.1", served.port)) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as shaken,
    ):
        assert shaken.version() == "TLSv1.2"
        assert shaken.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with pytest.raises(httpx.ConnectError):
        httpx.get(https(served), verify=context)
