"""A wrong password under a real daemon: told once, tried once, and the right one at once when the secret changes."""

import os
from importlib.metadata import entry_points
from pathlib import Path

from tests.backends.daemon import Daemon, document
from tests.backends.fake_vcenter import FakeVCenter
from tests.backends.processes import until
from tests.integration.vsphere_seen import USER

PASSWORD = "open-sesame-8"
GROUP = "hypervisor_exporter.collectors"


def registered(folder: Path) -> dict[str, str]:
    """The environment in which the platform is installed: as it is, or with a distribution for this test."""
    if entry_points(group=GROUP, name="vsphere"):
        return {}
    own = folder / "site" / "vsphere_for_a_test-1.0.dist-info"
    own.mkdir(parents=True)
    (own / "METADATA").write_text("Metadata-Version: 2.1\nName: vsphere-for-a-test\nVersion: 1.0\n")
    (own / "entry_points.txt").write_text(f"[{GROUP}]\nvsphere = collectors.vsphere.platform:PLATFORM\n")
    return {"PYTHONPATH": os.pathsep.join([str(own.parent), str(Path(__file__).parents[2])])}


def test_a_wrong_password_is_tried_once_and_a_new_secret_at_once(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    with FakeVCenter() as fake:
        fake.password = PASSWORD
        target = {"name": "vc", "platform": "vsphere", "address": fake.url, "auth": "a"}
        account = {"a": {"username": USER, "password": {"file": str(secret)}}}
        with Daemon(document([target], auths=account), env=registered(tmp_path)) as daemon:
            held = {"target": "vc", "group": "vitals", "outcome": "held"}
            skipped = "hypervisor_target_collections_total"
            until(lambda: (daemon.page().value(skipped, **held) or 0) >= 3, 40, "three ticks held back", daemon.child)
            assert daemon.page().value("hypervisor_target_up", target="vc") == 0
            assert [password for _, password in fake.logins] == ["wrong"]
            secret.write_text(f"{PASSWORD}\n")
            until(lambda: len(fake.logins) > 1, 40, "another login", daemon.child)
            assert [password for _, password in fake.logins] == ["wrong", PASSWORD]
            assert daemon.log().count("incorrect user name or password") == 1
            assert PASSWORD not in daemon.log()
    assert fake.peak == 1
