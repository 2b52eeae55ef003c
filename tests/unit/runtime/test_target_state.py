"""What the parent remembers of a target."""

import pytest

from exporter.config.model import Auth, Target, Tls
from exporter.runtime.target_state import TargetState
from exporter.secrets import SecretSource


@pytest.mark.parametrize("changed", ["password", "cert", "key"])
def test_whatever_a_target_logs_in_with_ends_its_lock_when_it_changes(tmp_path, changed):
    files = {name: tmp_path / name for name in ("password", "cert", "key")}
    for name, file in files.items():
        file.write_text(f"-----{name}-----\nold\n")
    auth = Auth("ro", "monitor", SecretSource("file", str(files["password"])))
    tls = Tls(cert_file=str(files["cert"]), key_file=str(files["key"]))
    state = TargetState(Target("a", "fake", "fake://a", auth=auth, tls=tls), ("vitals",))
    state.breaker.record("auth_failed", 0.0, state.fingerprint())
    assert not state.breaker.allows(1.0, state.fingerprint())
    files[changed].write_text(f"-----{changed}-----\nnew\n")
    assert state.breaker.allows(2.0, state.fingerprint())
