"""The workers of a real daemon find the scripted platform, and the journal tells what happened in them."""

from tests.backends.daemon import Daemon, document
from tests.backends.processes import until
from tests.scripted.build import ENV, die, scripted


def test_a_worker_dies_once_and_the_journal_knows_both_processes(tmp_path):
    healthy = scripted(tmp_path, name="healthy", guests=2)
    deadly = scripted(tmp_path, name="deadly", faults=[die(group="vitals", first=2, last=2)])
    with Daemon(document([healthy.target("a"), deadly.target("b")]), env=ENV) as daemon:
        until(lambda: len(deadly.journal.pids(event="return")) == 2, 30, "second worker", daemon.child)
        page = daemon.wait_for("hypervisor_guest_running", 1, target="b", guest="guest-1")
        assert len(page.find("hypervisor_guest_running", target="a")) == 2
    assert deadly.journal.count("die") == 1
    assert deadly.journal.most_at_once(thread="fast-b") == 1
