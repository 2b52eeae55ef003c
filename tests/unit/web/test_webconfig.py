"""The web configuration file: what is read, and what is said about every mistake."""

from pathlib import Path

import pytest

from exporter.config.mistakes import ConfigError
from exporter.web.webconfig import WebConfig, parse

HASH = "$2y$04$" + "a" * 53
BAD = Path(__file__).parent / "bad"


@pytest.fixture
def parsed(tmp_path):
    def read(text):
        (tmp_path / "web.yml").write_text(text)
        return parse(tmp_path / "web.yml")[0]

    return read


def test_the_whole_format_is_read_and_paths_are_relative_to_the_file(parsed, tmp_path):
    config = parsed(f"""
tls_server_config:
  cert_file: tls/c.pem
  key_file: /etc/k.pem
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  curve_preferences: [CurveP256]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers: {{X-Frame-Options: deny, Strict-Transport-Security: max-age=1, X-XSS-Protection: ""}}
basic_auth_users: {{alice: "{HASH}"}}
rate_limit: {{interval: 500ms, burst: 7}}
""")
    tls = config.tls
    assert (tls.cert_file, str(tls.key_file)) == (tmp_path / "tls/c.pem", "/etc/k.pem")
    assert (tls.client_ca_file, tls.client_allowed_sans) == (tmp_path / "ca.pem", {"prometheus.example"})
    assert (tls.cipher_suites, tls.curve) == (("ECDHE-RSA-AES128-GCM-SHA256",), "prime256v1")
    assert config.headers == {"X-Frame-Options": "deny", "Strict-Transport-Security": "max-age=1"}
    assert (config.users, config.interval_seconds, config.burst) == ({"alice": HASH}, 0.5, 7)


def test_braces_alone_are_plain_http_for_everybody(parsed):
    assert parsed("{}") == WebConfig(burst=20)


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yml")), ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_exactly_these_lines_and_without_a_secret(path, monkeypatch):
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigError) as refused:
        parse(Path(path.name))
    assert f"{refused.value}\n" == path.with_suffix(".txt").read_text()
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.yml: there is no such file"):
        parse(tmp_path / "nothing.yml")
