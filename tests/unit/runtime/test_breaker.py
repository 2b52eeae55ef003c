"""Back-off and the lock after refused credentials."""

import random

import pytest

from exporter.runtime.breaker import AUTH_LOCK_SECONDS, Breaker


def failing(times: int, base_seconds: float = 30.0) -> Breaker:
    breaker = Breaker(base_seconds, _random=random.Random(7))
    for _ in range(times):
        breaker.record("unreachable", now=0.0, fingerprint="")
    return breaker


def first_allowed(breaker: Breaker, fingerprint: str = "", until: float = 10_000) -> float:
    """The first whole second at which an attempt is allowed."""
    return next(float(now) for now in range(int(until)) if breaker.allows(float(now), fingerprint))


def test_a_new_breaker_lets_everything_through():
    assert Breaker(30.0).allows(0.0, "")


@pytest.mark.parametrize("outcome", ["success", "partial", "forbidden", "malformed", "bug"])
def test_an_answer_of_any_kind_closes_it(outcome):
    breaker = failing(3)
    breaker.record(outcome, now=1000.0, fingerprint="")
    assert breaker.state == "closed"
    assert breaker.allows(1000.0, "")


@pytest.mark.parametrize(
    ("failures", "longest"),
    [
        pytest.param(1, 30, id="one interval after the first failure"),
        pytest.param(2, 60, id="doubled"),
        pytest.param(3, 120, id="doubled again: 30 x 4"),
        pytest.param(4, 120, id="never above two minutes"),
        pytest.param(5000, 120, id="a week of failures overflows nothing"),
    ],
)
def test_the_pause_is_drawn_from_nothing_to_a_bound_that_doubles(failures, longest):
    pauses = []
    for seed in range(300):
        breaker = Breaker(30.0, _random=random.Random(seed))
        for _ in range(failures):
            breaker.record("timed_out", now=0.0, fingerprint="")
        pauses.append(first_allowed(breaker))
    assert max(pauses) <= longest + 1
    assert max(pauses) > longest * 0.9
    assert min(pauses) < longest * 0.1


def test_a_long_interval_is_its_own_bound():
    pauses = []
    for seed in range(200):
        breaker = Breaker(600.0, _random=random.Random(seed))
        for _ in range(4):
            breaker.record("unreachable", now=0.0, fingerprint="")
        pauses.append(first_allowed(breaker))
    assert 540 < max(pauses) <= 601


def test_the_attempt_after_the_pause_is_half_open_and_its_failure_opens_again():
    breaker = failing(1)
    assert breaker.state == "open"
    assert breaker.allows(31.0, "")
    assert breaker.state == "half_open"
    breaker.record("unreachable", now=31.0, fingerprint="")
    assert breaker.state == "open"


def test_refused_credentials_lock_for_half_an_hour():
    breaker = Breaker(30.0)
    breaker.record("auth_failed", now=0.0, fingerprint="old")
    assert breaker.state == "auth_locked"
    assert not breaker.allows(AUTH_LOCK_SECONDS - 1, "old")
    assert breaker.allows(AUTH_LOCK_SECONDS, "old")
    assert AUTH_LOCK_SECONDS == 1800


def test_a_changed_secret_lifts_the_lock_at_once():
    breaker = Breaker(30.0)
    breaker.record("auth_failed", now=0.0, fingerprint="old")
    assert not breaker.allows(1.0, "old")
    assert breaker.allows(2.0, "new")
