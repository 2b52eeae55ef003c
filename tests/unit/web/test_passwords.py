"""Basic authentication: who comes in, what it costs, what is remembered; and headers and rate of the same file."""

import base64

import bcrypt
import httpx
import pytest

from exporter.exposition.negotiation import Format
from exporter.web import passwords
from exporter.web.live import Bucket
from exporter.web.passwords import MOST_REMEMBERED, Credentials, Passwords, credentials
from tests.unit.web.test_server import GET, answer_of

SECRET = "canary-5f2c"
HASH = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(4)).decode()
AUTH = {"alice": HASH}


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
