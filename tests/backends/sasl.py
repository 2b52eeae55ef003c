"""SASL accounts for a private libvirtd: a database and a configuration of their own, in the back end's folder.

The SASL library of libvirtd reads `libvirt.conf` from the folder that SASL_CONF_PATH names, instead of /etc/sasl2.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.backends.processes import Scratch, find_binary

NEEDED = ["saslpasswd2"]

CONFIGURATION = """
mech_list: {mechanisms}
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {database}
"""


class Accounts:
    """Names and passwords that a libvirtd with `env` in its environment knows.

    DIGEST-MD5 is the one mechanism of passwords that encrypts what follows, which libvirtd demands without TLS; SCRAM
    only proves the password.
    """

    def __init__(self, scratch: Scratch, mechanisms: Sequence[str] = ("digest-md5", "scram-sha-256")) -> None:
        self.scratch = scratch
        folder = scratch.directory("sasl")
        self.database = folder / "sasldb2"
        self.env = {"SASL_CONF_PATH": str(folder)}
        self.offer(*mechanisms)

    def offer(self, *mechanisms: str) -> Path:
        """Let these mechanisms be used; a libvirtd that runs has read them already."""
        text = CONFIGURATION.format(mechanisms=" ".join(mechanisms), database=self.database)
        return self.scratch.file("sasl/libvirt.conf", text)

    def set(self, name: str, password: str) -> None:
        """Make the account, or change its password; libvirtd looks it up at each login."""
        command = [
            find_binary("saslpasswd2") or "saslpasswd2",
            "-p",
            "-c",
            "-a",
            "libvirt",
            "-f",
            str(self.database),
            name,
        ]
        subprocess.run(command, input=password.encode(), check=True, capture_output=True, timeout=30)
        self.scratch.own(self.database)
