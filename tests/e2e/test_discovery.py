"""Targets from files that appear, change, break and vanish; and daemons that share targets."""

import json

from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.processes import until

KEPT = libvirt("kept", "test:///default")
UP = "hypervisor_target_up"
SUCCESSFUL = "hypervisor_exporter_config_last_reload_successful"


def targets(*names, **rest):
    return json.dumps({"targets": [libvirt(name, "test:///default", **rest) for name in names]})


def known(daemon):
    return {labels["target"] for labels, _ in daemon.page().find("hypervisor_target_info")}


def test_files_of_targets_come_change_break_and_go(tmp_path):
    folder = tmp_path / "targets.d"
    folder.mkdir()
    with Daemon(document([KEPT], discovery={"files": [f"{folder}/*.yml"]})) as daemon:
        assert known(daemon) == {"kept"}
        (folder / "a.yml").write_text(targets("a1", "a2"))
        daemon.wait_for(UP, 1, target="a2")
        (folder / "b.yml").write_text(targets("b"))
        daemon.wait_for(UP, 1, target="b")
        (folder / "a.yml").write_text(targets("a1", labels={"site": "ham"}))
        until(lambda: known(daemon) == {"kept", "a1", "b"}, 20, "change", daemon.child)

        (folder / "b.yml").write_text("targets:\n  - name: b\n    platfrom: libvirt\n")
        daemon.wait_for(SUCCESSFUL, 0)
        assert "b.yml:3:5" in daemon.log()
        assert known(daemon) == {"kept", "a1", "b"}  # nothing was lost
        assert daemon.log().count("is refused") == 1

        (folder / "b.yml").unlink()
        daemon.wait_for(SUCCESSFUL, 1)
        until(lambda: known(daemon) == {"kept", "a1"}, 20, "end of the target", daemon.child)


def test_two_shards_watch_every_target_once():
    names = [f"target-{number}" for number in range(6)]
    config = document([libvirt(name, "test:///default") for name in names])
    seen = []
    for index in range(2):
        with Daemon(config, flags=["--shard.count=2", f"--shard.index={index}"]) as daemon:
            seen += known(daemon)
            assert daemon.page().value("hypervisor_exporter_shard_index") == index
            assert daemon.page().value("hypervisor_exporter_shards") == 2
    assert sorted(seen) == names
