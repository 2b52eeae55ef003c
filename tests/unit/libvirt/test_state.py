"""States and reasons, against the numbers of libvirt's own headers."""

import pytest

from collectors.libvirt.mapping.state import State, guest_state
from exporter.model import GuestState


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        pytest.param(1, 1, State(GuestState.RUNNING, "booted", None, False, None), id="running: may be on its way out"),
        pytest.param(2, 0, State(GuestState.RUNNING, "unknown", None, False, None), id="Xen's idle"),
        pytest.param(1, 10, State(GuestState.RUNNING, "postcopy", True, False, None), id="running after the switch"),
        pytest.param(3, 1, State(GuestState.PAUSED, "user", None, False, None), id="paused"),
        pytest.param(3, 5, State(GuestState.PAUSED, "ioerror", None, True, None), id="paused by an I/O error"),
        pytest.param(3, 2, State(GuestState.MIGRATING, "migration", True, False, None), id="the incoming copy"),
        pytest.param(3, 12, State(GuestState.PAUSED, "postcopy", True, False, None), id="the outgoing copy, switched"),
        pytest.param(4, 1, State(GuestState.SHUTTING_DOWN, "user", False, False, None), id="shutting down"),
        pytest.param(5, 5, State(GuestState.STOPPED, "saved", False, False, None), id="managed save"),
        pytest.param(6, 1, State(GuestState.CRASHED, "panicked", False, False, None), id="crashed"),
        pytest.param(7, 0, State(GuestState.SUSPENDED, "unknown", False, False, True), id="asleep, keeps its memory"),
        pytest.param(0, 0, State(GuestState.UNKNOWN, "unknown", False, False, None), id="no state"),
        pytest.param(99, 99, State(GuestState.UNKNOWN, "unknown", False, False, None), id="a state of the future"),
        pytest.param(1, 99, State(GuestState.RUNNING, "unknown", None, False, None), id="a reason of the future"),
    ],
)
def test_state_and_reason(state, reason, expected):
    assert guest_state(state, reason) == expected


def test_every_reason_of_the_installed_libvirt_has_its_own_word():
    libvirt = pytest.importorskip("libvirt")
    prefixes = {1: "RUNNING", 3: "PAUSED", 5: "SHUTOFF", 6: "CRASHED"}
    for state, prefix in prefixes.items():
        start = f"VIR_DOMAIN_{prefix}_"
        names = {
            getattr(libvirt, name): name.removeprefix(start).lower() for name in dir(libvirt) if name.startswith(start)
        }
        assert {number: guest_state(state, number).reason for number in names} == names
