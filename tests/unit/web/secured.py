"""Web configurations with certificates, as an operator keeps them, and a daemon that is asked over TLS."""

import ssl
import urllib.error
import urllib.request

import httpx
import trustme

from tests.backends.daemon import Answer, Daemon


class Folder:
    """Web configuration with certificates, as an operator keeps them."""

    def __init__(self, path):
        self.path, self.ca, self.clients = path, trustme.CA(), trustme.CA()
        self.clients.cert_pem.write_to_path(str(path / "clients.pem"))
        self.renew()

    def renew(self, name="127.0.0.1"):
        certificate = self.ca.issue_cert(name)
        certificate.cert_chain_pems[0].write_to_path(str(self.path / "c.pem"))
        certificate.private_key_pem.write_to_path(str(self.path / "k.pem"))

    def config(self, tls="", rest=""):
        """Write a configuration with TLS, more keys of it, and other sections."""
        text = "tls_server_config:\n  cert_file: c.pem\n  key_file: k.pem\n"
        (self.path / "web.yml").write_text(text + "".join(f"  {line}\n" for line in tls.splitlines()) + rest)
        return self.path / "web.yml"

    def client(self, *names, by=None, **options):
        """A client that trusts us; with names it has a certificate of its own."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if names:
            (by or self.clients).issue_cert(*names).configure_cert(context)
        return httpx.Client(verify=context, **options)


class SecuredDaemon(Daemon):
    """A Daemon with the web configuration of a folder; `trusted` and `headers` are what the test's own requests use."""

    def __init__(self, config, folder, *, headers=None, **rest):
        flags = [*rest.pop("flags", ()), f"--web.config.file={folder.path / 'web.yml'}"]
        super().__init__(config, flags=flags, **rest)
        self.trusted = ssl.create_default_context()
        folder.ca.configure_trust(self.trusted)
        self.headers = headers or {}

    def get(self, path, **headers):
        request = urllib.request.Request(f"https://{self.address}{path}", headers={**self.headers, **headers})
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.trusted) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read().decode())
        except OSError:
            return Answer(0, {}, "")
