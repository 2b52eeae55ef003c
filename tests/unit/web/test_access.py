"""Who may come in: certificates, passwords, rates; and what a change of the files does while the server runs."""

import base64
import socket
import ssl
import time

import bcrypt
import httpx
import pytest
import trustme

from exporter.config.mistakes import ConfigError
from exporter.exposition.negotiation import Format
from exporter.web import passwords
from exporter.web.live import Bucket, LiveWebConfig
from exporter.web.passwords import MOST_REMEMBERED, Credentials, Passwords, credentials
from tests.unit.web.secured import Folder
from tests.unit.web.test_server import GET, answer_of

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


def secured(tmp_path, rest=""):
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: {HASH}}}\n{rest}")
    return tmp_path / "web.yml"


def test_every_path_and_method_needs_the_password(serve, tmp_path):
    served = serve(web_config=secured(tmp_path))
    for method, path in (
        ("GET", "/metrics"),
        ("GET", "/-/healthy"),
        ("HEAD", "/"),
        ("POST", "/-/reload"),
        ("GET", "/no"),
    ):
        refused = httpx.request(method, served.url + path)
        assert (refused.status_code, refused.headers["WWW-Authenticate"][:6]) == (401, "Basic ")
    assert served.estate.asked == []
    assert httpx.get(f"{served.url}/metrics", auth=("alice", SECRET)).status_code == 200
    text = httpx.get(f"{served.url}/-/ready", auth=("alice", SECRET))
    assert text.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !",
        "Basic YWxpY2U=",
        "Bearer x",
        "Basic Og==",
        "basic " + "A" * 9000,
        "Digest username=alice",
    ],
)
def test_a_strange_authorization_is_none(serve, tmp_path, header):
    served = serve(web_config=secured(tmp_path))
    assert httpx.get(f"{served.url}/-/ready", headers={"Authorization": header}).status_code == 401


def test_a_connection_survives_a_wrong_password_and_its_body_does_not(serve, tmp_path, connect, read_to_end):
    served = serve(web_config=secured(tmp_path))
    raw = connect(served, GET)
    assert answer_of(raw).startswith(b"HTTP/1.1 401")
    raw.sendall(GET)
    assert answer_of(raw).startswith(b"HTTP/1.1 401")
    raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
    assert read_to_end(raw).startswith(b"HTTP/1.1 401")


def test_refusals_are_counted_with_their_path(serve, tmp_path):
    served = serve(web_config=secured(tmp_path))
    for path in ("/metrics", "/no"):
        httpx.get(served.url + path)
    answer = httpx.get(f"{served.url}/-/ready", auth=("alice", SECRET))
    assert answer.status_code == 200
    text = served.metrics.render(Format.TEXT_0_0_4).decode()
    for path in ("/metrics", "other"):
        assert f'http_requests_total{{code="401",path="{path}"}} 1.0\n' in text


@pytest.fixture
def hashed(monkeypatch):
    """What bcrypt was asked to compare with."""
    asked, real = [], bcrypt.checkpw

    def checkpw(password, value):
        asked.append(value)
        return real(password, value)

    monkeypatch.setattr(passwords.bcrypt, "checkpw", checkpw)
    return asked


def test_an_unknown_user_costs_as_much_as_a_known_one_and_never_comes_in(hashed):
    known = Passwords(AUTH)
    assert known.check(Credentials(b"alice", SECRET.encode()))
    assert not known.check(Credentials(b"alice", b"wrong"))
    assert not known.check(Credentials(b"mallory", SECRET.encode()))
    assert hashed == [HASH.encode()] * 3
    assert known.remembered(Credentials(b"mallory", SECRET.encode())) is False


def test_what_is_known_is_not_hashed_again_and_guesses_do_not_push_it_out(hashed):
    known, right = Passwords(AUTH), Credentials(b"alice", SECRET.encode())
    known.check(right)
    for number in range(MOST_REMEMBERED + 5):
        known.check(Credentials(b"alice", b"guess %d" % number))
    del hashed[:]
    assert known.check(right)
    assert hashed == []
    assert known.remembered(Credentials(b"alice", b"guess 1")) is None


def test_credentials_never_show_themselves():
    given = credentials("Basic " + base64.b64encode(f"alice:{SECRET}:x".encode()).decode())
    assert (given.user, given.password) == (b"alice", f"{SECRET}:x".encode())
    assert SECRET not in repr(given)


def test_a_password_longer_than_bcrypt_uses_is_cut_as_elsewhere():
    value = bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4)).decode()
    assert Passwords({"u": value}).check(Credentials(b"u", b"a" * 100))


def test_headers_and_rate_are_those_of_the_file(serve, tmp_path):
    (tmp_path / "web.yml").write_text(
        "rate_limit: {interval: 1h, burst: 2}\nhttp_server_config: {headers: {X-Frame-Options: deny}}\n"
    )
    served = serve(web_config=tmp_path / "web.yml")
    codes = [httpx.get(f"{served.url}/-/ready") for _ in range(3)]
    assert [answer.status_code for answer in codes] == [200, 200, 429]
    assert codes[2].headers["Retry-After"] == "3600"
    assert {answer.headers["X-Frame-Options"] for answer in codes} == {"deny"}


def test_a_bucket_fills_with_time_and_not_beyond_its_burst(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("exporter.web.live.time.monotonic", lambda: now[0])
    bucket = Bucket(2.0, 2)
    assert [bucket.take() for _ in range(3)] == [0, 0, 2.0]
    now[0] += 1.0
    assert bucket.take() == 1.0
    now[0] += 100.0
    assert [bucket.take() for _ in range(3)] == [0, 0, 2.0]
    assert Bucket(0.0, 1).take() == 0
