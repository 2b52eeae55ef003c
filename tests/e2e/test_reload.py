"""SIGHUP: all or nothing, and nothing changes for targets that did not change."""

import os
import signal
import threading

from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.processes import until

KEPT = libvirt("kept", "test:///default")
OPENED = "hypervisor_target_api_requests_total"
CONNECT = "virConnectOpenReadOnly"
SUCCESSFUL = "hypervisor_exporter_config_last_reload_successful"


class Watching:
    """Scrapes without a pause and notes every scrape that lacked a series."""

    def __init__(self, daemon: Daemon, family: str, **labels: str) -> None:
        self._daemon, self._wanted, self._labels = daemon, family, labels
        self.scrapes = self.gaps = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            self.scrapes += 1
            self.gaps += self._daemon.page().find(self._wanted, **self._labels) == []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def collected(daemon, target):
    value = daemon.page().value("hypervisor_target_collections_total", target=target, group="vitals", outcome="success")
    return value or 0


def test_targets_come_and_go_without_a_gap_for_the_others():
    with Daemon(document([KEPT, libvirt("removed", "test:///default")])) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="removed")
        before = collected(daemon, "kept")
        # One connection per lane and one for pools, and never another.
        connects = daemon.wait_for(OPENED, 3, target="kept", operation=CONNECT).find(
            OPENED, target="kept", operation=CONNECT
        )
        with Watching(daemon, "hypervisor_guest_state", target="kept") as watching:
            daemon.reload(document([KEPT, libvirt("added", "test:///default", labels={"site": "ham"})]))
            page = daemon.wait_for("hypervisor_target_up", 1, target="added")
            until(lambda: collected(daemon, "kept") >= before + 2, 20, "collections", daemon.child)
        assert page.find("hypervisor_target_info", target="removed") == []
        assert page.find("hypervisor_guest_state", target="removed") == []
        assert page.find("hypervisor_target_info", target="added")[0][0]["site"] == "ham"
        assert (watching.scrapes > 20, watching.gaps) == (True, 0)
        assert daemon.page().find(OPENED, target="kept", operation=CONNECT) == connects  # the session was kept


def test_a_target_that_changes_is_made_anew_and_keeps_its_data_meanwhile():
    with Daemon(document([KEPT])) as daemon:
        daemon.wait_for("hypervisor_guest_state", 1, target="kept")
        with Watching(daemon, "hypervisor_guest_state", target="kept") as watching:
            daemon.reload(document([{**KEPT, "labels": {"site": "ham"}}]))
            until(
                lambda: daemon.page().find("hypervisor_target_info", target="kept", site="ham"),
                20,
                "label",
                daemon.child,
            )
            until(lambda: collected(daemon, "kept") >= 2, 20, "collections", daemon.child)
        assert watching.gaps == 0


def test_a_broken_configuration_changes_nothing_and_is_told_with_its_place():
    with Daemon(document([KEPT])) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="kept")
        daemon.reload(
            "config_version: 1\ntargets:\n  - name: kept\n    platfrom: libvirt\n    address: test:///default\n"
        )
        daemon.wait_for(SUCCESSFUL, 0)
        log = daemon.log()
        assert "config.yml:4:5" in log
        assert 'did you mean \\"platform\\"' in log
        before = collected(daemon, "kept")
        until(lambda: collected(daemon, "kept") >= before + 2, 20, "collections", daemon.child)
        daemon.reload(document([KEPT]))
        daemon.wait_for(SUCCESSFUL, 1)


def test_a_pipe_in_the_place_of_the_file_holds_up_neither_the_reload_nor_the_end():
    with Daemon(document([KEPT])) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="kept")
        daemon.file.unlink()
        os.mkfifo(daemon.file)
        daemon.child.send(signal.SIGHUP)
        daemon.wait_for(SUCCESSFUL, 0)
        assert "is a pipe or a device" in daemon.log()
        assert daemon.terminate(10)
