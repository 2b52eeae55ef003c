"""One session for both lanes, whatever happens to it: made once, made anew once, left behind never."""

import threading
from contextlib import suppress

import pytest

from collectors.vsphere.client.calls import ALLOWED
from collectors.vsphere.client.faults import Busy, SessionLost
from collectors.vsphere.session import open_session
from exporter.contract import Deadline
from exporter.errors import AuthenticationFailed, CollectorError, Malformed, SecretUnreadable, Unreachable
from exporter.secrets import SecretSource
from tests.backends.fake_vcenter import FakeVCenter, dying, fault, html
from tests.backends.processes import until
from tests.backends.vcenter import BUILT, VCenter
from tests.integration.vsphere_seen import PASSWORD, context, endpoint, names, target

THREE = ["guest 1", "guest 2", "guest 3"]


@pytest.fixture
def fake():
    with FakeVCenter() as started:
        yield started


@pytest.fixture
def asked(fake):
    made = endpoint(fake.url)
    yield made
    made.close()


def at_once(*actions):
    """Run them in threads of their own, begun together, and return what they returned or raised."""
    barrier, outcomes = threading.Barrier(len(actions)), [None] * len(actions)

    def run(place, action):
        barrier.wait()
        try:
            outcomes[place] = action()
        except CollectorError as error:
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def test_both_lanes_share_one_session_that_ends_with_the_endpoint(fake, asked):
    assert at_once(lambda: names(asked, "fast"), lambda: names(asked, "slow")) == [THREE, THREE]
    assert (fake.calls["Login"], fake.authenticated) == (1, 1)
    asked.close()
    assert fake.authenticated == 0


@pytest.mark.parametrize("lose", [FakeVCenter.end_sessions, FakeVCenter.lose_objects])
def test_a_session_that_is_lost_is_made_anew_once_by_both_lanes(fake, asked, lose):
    for lane in ("fast", "slow"):
        names(asked, lane)
    for _ in range(5):
        lose(fake)
        logins = fake.calls["Login"]
        assert at_once(lambda: names(asked, "fast"), lambda: names(asked, "slow")) == [THREE, THREE]
        assert fake.calls["Login"] == logins + 1
        assert fake.authenticated == 1


@pytest.mark.parametrize("gone", ["NotAuthenticated", "ManagedObjectNotFound"])
def test_a_session_that_ends_in_the_middle_of_a_cycle_is_made_anew(fake, asked, gone):
    fake.page_objects = 1
    fake.on("ContinueRetrievePropertiesEx", fault(gone), times=1)
    assert names(asked) == THREE
    assert (fake.calls["Login"], fake.authenticated) == (2, 1)


def test_a_session_that_is_lost_again_and_again_is_an_error_not_a_loop(fake, asked):
    fake.on("RetrievePropertiesEx", fault("NotAuthenticated"))
    with pytest.raises(SessionLost):
        names(asked)
    assert fake.calls["Login"] == 2


def test_two_hundred_failing_cycles_leave_one_session_at_most(fake, asked):
    def lost(_fake, _request, usual):
        reply = usual()
        reply.deliver = dying(0.8)
        return reply

    failures = {
        "RetrieveServiceContent": html(503),
        "Login": lost,
        "CreateContainerView": html(503),
        "CreatePropertyCollector": lost,
        "RetrievePropertiesEx": fault("ManagedObjectNotFound"),
        "GET": html(404),
        "Logout": fault("SystemError"),
        "CurrentTime": lost,
    }
    worst = 0
    for cycle in range(200):
        operation = list(failures)[cycle % len(failures)]
        fake.on(operation, failures[operation])
        with_login = cycle % 3 == 0
        if with_login:
            fake.lose_objects()
        for lane in ("fast", "slow"):
            with suppress(CollectorError):
                names(asked, lane, seconds=5)
        worst = max(worst, fake.authenticated)
        fake.calm()
    assert worst <= 1
    assert names(asked) == THREE
    asked.close()
    assert fake.authenticated == 0


def test_a_vcenter_that_takes_no_more_sessions_is_busy(fake, asked):
    fake.most_sessions = 0
    with pytest.raises(Busy, match=r"answers 503 to Login: .* as many sessions as it may have"):
        names(asked)
    fake.most_sessions = 1
    assert names(asked) == THREE


@pytest.mark.parametrize(
    "headers",
    [
        ['vmware_soap_session="{}"; Path=/; HttpOnly; Secure; '],
        ["vmware_soap_session={}"],
        ["ROUTEID=.2; path=/", 'vmware_soap_session="{}"; HttpOnly; Max-Age=100'],
        ["vmware_soap_session=old; path=/", "vmware_soap_session={};Path=/sdk"],
    ],
)
def test_cookies_of_every_form_are_understood_and_sent_back(fake, asked, headers):
    def set_cookies(served, _request, usual):
        reply = usual()
        made = next(iter(served.sessions))
        reply.headers = [("set-cookie", each.format(made)) for each in headers]
        return reply

    sent = []
    fake.on("RetrieveServiceContent", set_cookies)
    fake.on("RetrievePropertiesEx", lambda _fake, request, _usual: sent.append(request.headers["cookie"]))
    assert names(asked) == THREE
    assert ("ROUTEID=.2" in sent[0]) == any("ROUTEID" in each for each in headers)


def test_a_login_without_a_cookie_is_told_as_a_proxys_work(fake, asked):
    def bare(_fake, _request, usual):
        reply = usual()
        reply.headers = []
        return reply

    fake.on("RetrieveServiceContent", bare)
    with pytest.raises(Malformed, match="without a session's cookie"):
        names(asked)


def test_connections_that_the_endpoint_closes_between_calls_cost_nothing(fake, asked):
    def then_close(_fake, _request, usual):
        reply = usual()
        reply.quiet_close = True
        return reply

    fake.on("*", then_close)
    for _ in range(20):
        assert names(asked) == THREE
    assert fake.calls["Login"] == 1


def test_a_login_whose_connection_dies_is_not_repeated(fake, asked):
    def die(_fake, _request, usual):
        reply = usual()
        reply.deliver = dying(0.0)
        return reply

    fake.on("Login", die)
    with pytest.raises(Unreachable):
        names(asked)
    assert len(fake.logins) == 1


def test_the_password_is_read_anew_at_each_login_and_a_new_one_is_tried_at_once(fake, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    made = endpoint(fake.url, password=SecretSource("file", str(secret)))
    with pytest.raises(AuthenticationFailed):
        names(made)
    with pytest.raises(AuthenticationFailed):
        names(made, "slow")
    secret.write_text(f"{PASSWORD}\n")
    assert names(made) == THREE
    assert [password for _, password in fake.logins] == ["wrong", PASSWORD]
    secret.unlink()
    fake.end_sessions()
    with pytest.raises(SecretUnreadable, match="password"):
        names(made)
    made.close()


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [
        (("6.5", "6.0"), "vim.version.version11"),
        (("6.7.3", "6.7", "6.5"), "vim.version.version15"),
        (("7.0.3.2", "7.0.0.0"), "vim.version.v7_0_3_2"),
        (("8.0.3.0", "8.0.2.0"), "vim.version.v8_0_3_0"),
        (("9.0.0.0", "8.0.3.1"), "vim.version.v9_0_0_0"),
        (("12.0.0.0", "11.5.0.0", "8.0.1.0"), "vim.version.v8_0_1_0"),
    ],
)
def test_the_newest_version_that_both_sides_know_is_spoken(fake, asked, offered, spoken):
    fake.versions = offered
    sent = []
    fake.on("CreatePropertyCollector", lambda _fake, request, _usual: sent.append(request.headers["soapaction"]))
    assert asked.ask("fast", Deadline.after(20), lambda lane: lane.version) == spoken
    assert names(asked) == THREE
    assert sent[0].startswith('"urn:vim25/')


def test_an_endpoint_that_is_too_new_or_no_vcenter_says_so(fake, asked):
    fake.versions = ("12.0.0.0", "11.5.0.0")
    with pytest.raises(Malformed, match=r"offers the API versions 11.5.0.0, 12.0.0.0 and none that is known"):
        names(asked)
    fake.on("GET", html(200))
    with pytest.raises(Malformed, match="describes no vSphere API"):
        names(asked)


def test_what_the_endpoint_says_of_itself_survives_words_of_tomorrow(fake, asked):
    def tomorrow(_fake, _request, usual):
        reply = usual()
        reply.body = reply.body.replace(
            b"<about>", b'<quantum type="QuantumManager">q</quantum><about><mood xsi:type="Mood">good</mood>'
        )
        return reply

    fake.on("RetrieveServiceContent", tomorrow)
    service = asked.ask("fast", Deadline.after(20), lambda lane: lane.service)
    assert (service.product, service.instance, service.vcenter, service.root) == (
        "Fake vCenter",
        "fa-ke",
        True,
        "group-d1",
    )


def test_the_endpoints_clock_is_its_own(fake, asked):
    here = asked.ask("fast", Deadline.after(20), lambda lane: lane.now())
    fake.skew_seconds = 3600.0
    there = asked.ask("fast", Deadline.after(20), lambda lane: lane.now())
    assert there - here == pytest.approx(3600, abs=20)


@pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim")
def test_a_whole_session_makes_only_the_calls_on_the_list_and_holds_one_session():
    with VCenter("--hosts=2", "--machines=3", "--api-version=8.0.3.0") as vcenter:
        vcenter.calls()
        session = open_session(target(vcenter.sdk), context())
        for _ in range(2):
            for group in ("inventory", "vitals", "storage", "snapshots"):
                session.collect(group, Deadline.after(60))
        assert len(vcenter.sessions()) == 1
        session.close()
        assert vcenter.sessions() == []
        made = vcenter.calls()
        assert set(made) <= ALLOWED
        assert (made["Login"], made["Logout"]) == (1, 1)


def test_a_lane_that_hears_late_of_a_lost_session_takes_the_new_one(fake, asked):
    for lane in ("fast", "slow"):
        names(asked, lane)
    go = threading.Event()

    def late(*_):
        go.wait(20)
        return fault("NotAuthenticated")

    fake.on("CurrentTime", late, times=1)
    thread = threading.Thread(target=lambda: asked.ask("slow", Deadline.after(30), lambda lane: lane.now()))
    thread.start()
    until(lambda: fake.calls["CurrentTime"], 20, "call of the slow lane")
    fake.end_sessions()
    assert names(asked, "fast") == THREE
    go.set()
    thread.join(20)
    assert (fake.calls["CurrentTime"], fake.calls["Login"], fake.authenticated) == (2, 2, 1)
