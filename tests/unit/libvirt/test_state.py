"""States and reasons, against the numbers of libvirt's own headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.libvirt.answers import Domain
from collectors.libvirt.mapping.guest import GuestView, guest_vitals
from collectors.libvirt.mapping.record import Stats
from collectors.libvirt.mapping.state import State, guest_state
from exporter.model import GuestState, Host


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


# virDomainRunningReason and its like of libvirt 12.8; libvirt's constants in lower case.
LIBVIRT_12 = {
    0: ["unknown"],
    1: [
        "unknown", "booted", "migrated", "restored", "from_snapshot", "unpaused", "migration_canceled", "save_canceled",
        "wakeup", "crashed", "postcopy", "postcopy_failed",
    ],
    2: ["unknown"],
    3: [
        "unknown", "user", "migration", "save", "dump", "ioerror", "watchdog", "from_snapshot", "shutting_down",
        "snapshot", "crashed", "starting_up", "postcopy", "postcopy_failed", "api_error",
    ],
    4: ["unknown", "user"],
    5: ["unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from_snapshot", "daemon"],
    6: ["unknown", "panicked"],
    7: ["unknown"],
}  # fmt: skip


@pytest.mark.parametrize("state", LIBVIRT_12)
def test_every_reason_of_libvirt_12_has_its_word_and_what_follows_is_unknown(state):
    words = [guest_state(state, number).reason for number in range(len(LIBVIRT_12[state]) + 3)]
    assert words == LIBVIRT_12[state] + ["unknown"] * 3


@given(st.integers(), st.integers())
def test_no_number_of_the_future_raises(state, reason):
    found = guest_state(state, reason)
    assert found.state is GuestState.UNKNOWN or 1 <= state <= 7
    assert found.io_error is ((state, reason) == (3, 5))


@pytest.mark.parametrize(
    ("numbers", "state"), [({}, "unknown"), ({"state.state": -1}, "unknown"), ({"state.state": "1"}, "unknown")]
)
def test_a_record_without_a_state_is_of_a_guest_in_an_unknown_one(numbers, state):
    found = guest_vitals(Stats(numbers), GuestView(Domain("u", "web", 1), Host("h", "kvm-7")))
    assert (found.state, found.state_reason, found.io_error) == (state, "unknown", False)


def test_which_reasons_tell_a_migration():
    told = {(state, reason) for state in LIBVIRT_12 for reason in range(16) if guest_state(state, reason).migrating}
    assert told == {(1, 10), (1, 11), (3, 2), (3, 12), (3, 13)}
    assert {state for state in LIBVIRT_12 if guest_state(state, 0).migrating is None} == {1, 2, 3}
