"""docs/messages.md holds what the exporter says about every mistake and circumstance, provoked here one by one.

A person reads and judges that file; `UPDATE_MESSAGES=1` writes it anew.
"""

import os
import subprocess
import sys

import pytest

from tests.backends.daemon import document, libvirt, repository
from tests.backends.winrm import WinRM, stand_alone
from tests.scripted.build import ENV, bug, fail, garbage, hang, lose_right, scripted

FILE = repository() / "docs" / "messages.md"
BAD = repository() / "tests" / "unit" / "config" / "bad"
GOOD = libvirt("kvm-1", "test:///default")
HEAD = """# What the exporter says

Every sentence here was provoked by a test (`tests/e2e/test_messages.py`, which keeps this page current).

## Mistakes in the configuration

`serve` and `check` end with 2, a reload is refused and the old configuration stays. All mistakes are told at once.
"""
MIDDLE = """
## Circumstances

The target is loaded, is down, and is tried again; `once` and `check --connect` end with 1. The daemon always starts.
"""


def told(folder, *arguments, env=None):
    """What a command says on stderr, with what is different on every machine left out."""
    environment = {**os.environ, "PYTHONPATH": str(repository()), **(env or {})}
    environment["PYTHONPATH"] = os.pathsep.join([str(repository()), ENV["PYTHONPATH"], environment["PYTHONPATH"]])
    command = [sys.executable, "-m", "exporter", *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    # A bug is also logged, with its traceback; that line is for us.
    lines = [line for line in ran.stderr.splitlines() if not line.startswith("ts=")]
    assert not any("Traceback" in line for line in lines)
    return ran.returncode, "\n".join(lines).replace(str(folder), "FOLDER")


class Provoke:
    """Runs `once` on a configuration and keeps what it says."""

    def __init__(self, folder) -> None:
        self._folder = folder
        self._hidden: dict[str, str] = {}
        self.said: list[tuple[str, str]] = []

    def hide(self, text, shown):
        """Show something else for what is different each time."""
        self._hidden[text] = shown

    def __call__(self, title, targets, *, command="once", code=1, env=None, **rest) -> None:
        path = self._folder / "config.yml"
        profiles = {"default": {"intervals": {"vitals": "2s", "storage": "2s", "snapshots": "2s", "inventory": "2s"}}}
        path.write_text(document(targets, **{"profiles": profiles, **rest}))
        returned, text = told(self._folder, command, f"--config.file={path}", env=env)
        assert returned == code, (title, text)
        assert text, title
        for each, shown in self._hidden.items():
            text = text.replace(each, shown)
        self.said.append((title, text))

    def account(self, **password):
        """`auths` with one account."""
        return {"auths": {"account": {"username": "monitor", "password": password}}}


def circumstances(folder):
    provoke = Provoke(folder)
    with_account = [{**GOOD, "auth": "account"}]
    check = {"command": "check"}
    missing, empty = folder / "missing", folder / "empty"
    empty.write_text("")
    provoke("A secret's file is missing", with_account, **check, **provoke.account(file=str(missing)))
    provoke("A secret's file is empty", with_account, **check, **provoke.account(file=str(empty)))
    provoke("A secret's file is a directory", with_account, **check, **provoke.account(file=str(folder)))
    provoke("A secret's variable is not set", with_account, **check, **provoke.account(env="NO_SUCH_VARIABLE"))
    provoke("A systemd credential is not there", with_account, **check, **provoke.account(credential="kvm"))
    provoke("A certificate authority cannot be read", [{**GOOD, "tls": {"ca_file": str(missing)}}], **check)

    bindings = folder / "site"
    bindings.mkdir()
    (bindings / "libvirt.py").write_text("raise ModuleNotFoundError(\"No module named 'libvirt'\", name='libvirt')\n")
    provoke("libvirt's bindings are not installed", [GOOD], env={"PYTHONPATH": str(bindings)})

    def at(address):
        return [libvirt("kvm-1", address)]

    provoke("No libvirtd listens at the socket", at(f"qemu+unix:///system?socket={folder}/libvirt-sock-ro"))
    provoke("Nothing listens at the port", at("qemu+tcp://127.0.0.1:1/system"))
    provoke("The host is unknown", at("qemu+tcp://no-such-host.invalid/system"))
    provoke("The file of a test estate is missing", at(f"test://{folder}/no-such.xml"))

    def world(**script):
        return [scripted(folder, **script).target("scripted-1")]

    secret = folder / "secret"
    secret.write_text("wrong\n")
    refused = [scripted(folder, password="right").target("scripted-1", auth="account")]
    provoke("The credentials are refused", refused, **provoke.account(file=str(secret)))
    provoke("A right is missing", world(faults=[lose_right(right="System.Read")]))
    provoke("The endpoint is unreachable", world(faults=[fail(error="Unreachable", sentence="10.0.0.1: no route")]))
    provoke("An answer makes no sense", world(faults=[fail(error="Malformed", sentence="no XML at all")]))
    provoke("A collection hangs", world(faults=[hang(group="vitals")]))
    provoke("A collector has a bug", world(faults=[bug(group="vitals")]))
    provoke("A collector answers with something else", world(faults=[garbage(group="vitals", what="text")]))
    hyperv(provoke)
    return provoke.said


def hyperv(provoke):
    """What is said of a Hyper-V host; rights are shown in tests/integration/test_hyperv_check.py."""

    def at(address, **options):
        return [{"name": "hv-1", "platform": "hyperv", "address": address, "auth": "account", "options": options}]

    account = provoke.account(env="THE_PASSWORD")
    with WinRM(stand_alone()) as server:
        account["auths"]["account"]["username"] = server.user
        provoke.hide(server.url.removeprefix("http:"), "//hv-1:5985")

        def said(title, address=server.url, password=server.password, **options):
            provoke(title, at(address, **options), env={"THE_PASSWORD": password}, **account)

        said("Nothing listens at the port of WinRM", "http://127.0.0.1:1")
        said("The port speaks HTTP, and not HTTPS", server.url.replace("http:", "https:"))
        said("The account is refused, or locked", password="wrong")
        said("A password would be seen by all on the way", transport="basic")
        for title, name in (
            ("The quota of operations is used up", "quota_operations"),
            ("Answers do not fit into an envelope", "envelope"),
            ("The account may nothing at all", "access_denied"),
        ):
            with server.misbehave("fault", name=name, operation="Enumerate"):
                said(title)


def page(folder):
    lines = [HEAD]
    for path in sorted(BAD.glob("*.txt")):
        title = path.stem.replace("_", " ")
        lines.append(f"\n**{title[0].upper()}{title[1:]}**\n\n```\n{path.read_text().strip()}\n```\n")
    lines.append(MIDDLE)
    for title, text in circumstances(folder):
        lines.append(f"\n**{title}**\n\n```\n{text}\n```\n")
    return "".join(lines)


@pytest.mark.timeout(180)
def test_the_page_holds_what_is_said_now(tmp_path):
    now = page(tmp_path)
    if os.environ.get("UPDATE_MESSAGES"):
        FILE.write_text(now)
    assert FILE.read_text() == now
