"""What a sick vCenter does to a client: each costs one clear error or one property, never a hang, a leak or a lie."""

import gzip
import threading
import time

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Busy, Refused
from collectors.vsphere.client.performance import Metric, Wanted
from exporter.contract import Deadline
from exporter.errors import AuthenticationFailed, CollectorError, Forbidden, Malformed, TimedOut, Unreachable
from exporter.remote import body as body_module
from tests.backends.fake_vcenter import FakeVCenter, Reply, chunked, dripping, dying, fault, html, silent, took
from tests.backends.processes import until
from tests.integration.vsphere_seen import PATHS, endpoint, failed, names

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


def delivered(deliver):
    """The usual answer, brought in another way."""

    def react(_fake, _request, usual):
        reply = usual()
        reply.deliver = deliver
        return reply

    return react


def changed(change):
    """The usual answer with another body."""

    def react(_fake, _request, usual):
        reply = usual()
        reply.body = change(reply.body)
        return reply

    return react


SICK = [
    pytest.param(html(503, "503 Service Unavailable"), Busy, "answers 503", id="overloaded, with a page of HTML"),
    pytest.param(html(502), Busy, "answers 502", id="a proxy before a vCenter that restarts"),
    pytest.param(html(404), Malformed, "404: is it a vCenter", id="not found"),
    pytest.param(html(200), Malformed, "something else: is it a vCenter", id="a web page"),
    pytest.param(html(302, Location="https://sso.example/"), Malformed, "on to 'https://sso.example/'", id="redirect"),
    pytest.param(html(500), Malformed, "500: is it a vCenter", id="an error that is no fault of the API"),
    pytest.param(Reply(200, b""), Malformed, "something else", id="nothing"),
    pytest.param(fault("NoPermission", "no", privilegeId="System.View"), Forbidden, "System.View", id="no permission"),
    pytest.param(fault("HostCommunication", "lost"), Refused, "HostCommunication: lost", id="another fault"),
    pytest.param(delivered(dying(0.5)), Unreachable, "breaks off", id="dies in the middle of a body"),
    pytest.param(delivered(dying(0.0)), Unreachable, "closes the connection", id="dies before an answer"),
    pytest.param(changed(lambda text: text[:-40]), Malformed, "no XML", id="XML without an end"),
    pytest.param(changed(lambda text: text.replace(b"<objects>", b"<object>")), Malformed, "no XML", id="torn XML"),
    pytest.param(changed(lambda text: text.decode().encode("utf-16")), Malformed, "is it a vCenter", id="UTF-16"),
    pytest.param(
        changed(lambda text: b'<!DOCTYPE a [<!ENTITY b "c">]><!-- RetrievePropertiesExResponse -->' + text[39:]),
        Malformed, "document type", id="entities",
    ),
    pytest.param(Reply(200, b"x\r\n", [("Transfer-Encoding", "chunked")]), Unreachable, "breaks off", id="no chunks"),
    pytest.param(Reply(200, b"", [("Content-Encoding", "br")]), Malformed, "'br'", id="a compression nobody asked for"),
    pytest.param(Reply(200, b"no gzip", [("Content-Encoding", "gzip")]), Malformed, "unpacked", id="broken gzip"),
]  # fmt: skip


@pytest.mark.parametrize(("reaction", "kind", "sentence"), SICK)
def test_a_sick_answer_is_one_clear_error_and_the_next_collection_is_whole(fake, asked, reaction, kind, sentence):
    fake.on("RetrievePropertiesEx", reaction)
    with pytest.raises(kind, match=sentence):
        names(asked)
    fake.calm()
    assert names(asked) == THREE
    assert fake.authenticated == fake.peak == 1


def test_truncated_gzip_is_noticed_and_whole_gzip_in_chunks_is_read(fake, asked):
    def cut(_fake, _request, usual):
        reply = usual().zipped()
        reply.body = reply.body[:-12]
        return reply

    def whole(_fake, _request, usual):
        reply = usual()
        middle = len(reply.body) // 2
        members = gzip.compress(reply.body[:middle]) + gzip.compress(reply.body[middle:])
        return Reply(200, chunked(members, (1, 7)), [("Content-Encoding", "GZIP"), ("Transfer-Encoding", "chunked")])

    fake.on("RetrievePropertiesEx", cut, times=1)
    fake.on("RetrievePropertiesEx", whole, times=1)
    with pytest.raises(Malformed, match="breaks off in the middle of a compressed answer"):
        names(asked)
    assert names(asked) == THREE


@pytest.mark.parametrize("zipped", [True, False])
def test_an_answer_that_is_too_large_is_not_kept_in_memory(fake, asked, zipped, monkeypatch):
    monkeypatch.setattr(body_module, "LARGEST_BYTES", 1 << 20)
    bomb = Reply(200, b" " * (64 << 20))
    fake.on("RetrievePropertiesEx", bomb.zipped() if zipped else bomb, times=1)
    with pytest.raises(Malformed, match="sends more than 1 MiB in one answer"):
        names(asked)
    assert names(asked) == THREE


@pytest.mark.parametrize("operation", ["GET", "RetrieveServiceContent", "Login", "RetrievePropertiesEx"])
@pytest.mark.parametrize("deliver", [silent, dripping(0.05)], ids=["silent", "drip-fed"])
def test_whatever_is_slow_ends_by_the_deadline(fake, asked, operation, deliver):
    fake.on(operation, delivered(deliver))
    begun = time.monotonic()
    with pytest.raises(TimedOut, match="did not answer before the deadline"):
        names(asked, seconds=1)
    assert 0.9 < time.monotonic() - begun < 3
    fake.calm()
    assert names(asked) == THREE
    assert fake.authenticated == 1


@pytest.mark.parametrize("operation", ["GET", "Login", "RetrievePropertiesEx"])
def test_a_hung_call_returns_within_a_second_of_being_cut(fake, asked, operation):
    fake.on(operation, delivered(silent))
    outcome: list[CollectorError] = []

    def collect():
        with pytest.raises(TimedOut, match="was given up") as raised:
            names(asked, seconds=100)
        outcome.append(raised.value)

    thread = threading.Thread(target=collect)
    thread.start()
    until(lambda: fake.calls[operation], 20, "hung call")
    assert took(lambda: (asked.cut("fast"), thread.join(20))) < 2
    assert len(outcome) == 1
    fake.calm()
    assert names(asked) == THREE


def test_closing_is_quick_while_a_call_hangs_and_logs_out(fake, asked):
    names(asked, "slow")
    fake.on("RetrievePropertiesEx", delivered(silent))
    thread = threading.Thread(target=lambda: failed(CollectorError, asked, "fast", 100))
    before = fake.calls["RetrievePropertiesEx"]
    thread.start()
    until(lambda: fake.calls["RetrievePropertiesEx"] > before, 20, "hung call")
    assert took(asked.close) < 2
    thread.join(5)
    assert not thread.is_alive()
    assert fake.authenticated == 0
    assert took(asked.close) < 2
    with pytest.raises(Unreachable, match="closed"):
        names(asked)


def test_closing_is_quick_where_even_the_logout_hangs(fake, asked):
    names(asked)
    fake.on("*", delivered(silent))
    assert took(asked.close) < 2


def test_a_lane_that_waits_for_the_others_login_has_its_own_deadline(fake, asked):
    fake.on("Login", delivered(silent), times=1)
    thread = threading.Thread(target=lambda: failed(TimedOut, asked, "slow", 100))
    thread.start()
    until(lambda: fake.calls["Login"], 20, "hung login")
    assert 0.9 < took(lambda: failed(TimedOut, asked, "fast", 1)) < 3
    asked.cut("slow")
    thread.join(10)
    assert names(asked, "fast") == THREE


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        pytest.param(fault("InvalidLogin", "Cannot complete login."), "InvalidLogin: Cannot", id="wrong password"),
        pytest.param(fault("PasswordExpired"), "PasswordExpired", id="password expired"),
        pytest.param(fault("InvalidLogin", "User account is locked."), "is locked", id="account locked"),
    ],
)
def test_a_refused_account_is_told_once_and_never_tried_twice(fake, asked, refusal, sentence):
    fake.on("Login", refusal)
    for lane in ("fast", "slow", "fast"):
        with pytest.raises(AuthenticationFailed, match=sentence):
            names(asked, lane)
    assert fake.calls["Login"] == 1


def test_an_account_without_any_right_is_no_wrong_password(fake, asked):
    fake.on("Login", fault("NoPermission", "Permission denied.", privilegeId="System.View"))
    with pytest.raises(Forbidden, match=r"Login: it lacks System.View"):
        names(asked)


def test_too_many_metrics_and_too_many_elements_are_told_as_what_they_are(fake, asked):
    wanted = [Wanted(Ref("VirtualMachine", f"vm-{n}"), [Metric(2), Metric(12)], most=1) for n in range(1, 4)]

    def samples():
        return asked.ask("fast", Deadline.after(20), lambda lane: lane.samples(wanted))

    assert samples()[0].values == {Metric(2): (2, None, 2), Metric(12): (12, None, 12)}
    fake.limit_metrics = 5
    with pytest.raises(Refused) as refused:
        samples()
    assert refused.value.fault.name == "RestrictedByAdministrator"
    fake.limit_metrics, fake.limit_elements = None, 20
    with pytest.raises(Refused, match="element count exceeds"):
        samples()


def test_a_path_that_this_vcenter_does_not_know_is_left_out_and_the_rest_is_read(fake, asked):
    fake.unknown = {"summary.config.numCpu"}

    def properties(lane):
        return [sorted(held) for page in lane.every(PATHS) for held in page.objects.values()]

    assert asked.ask("fast", Deadline.after(20), properties) == [["name"]] * 3
    assert fake.calls["RetrievePropertiesEx"] == 2
    assert asked.ask("fast", Deadline.after(20), properties) == [["name"]] * 3
    assert fake.calls["RetrievePropertiesEx"] == 3  # it has been learned


def test_a_fault_that_comes_with_status_200_is_a_fault(fake, asked):
    reply = fault("HostCommunication", "lost")
    reply.status = 200
    fake.on("RetrievePropertiesEx", reply, times=1)
    with pytest.raises(Refused, match="HostCommunication"):
        names(asked)


def test_poison_costs_the_one_property_that_holds_it(fake, asked):
    fake.guests["vm-2"]["summary.config.numCpu"] = '<val xsi:type="xsd:int">two</val>'
    fake.guests["vm-3"]["summary.config.numCpu"] = '<val xsi:type="NewInNine"><a>1</a><b xsi:type="AlsoNew">x</b></val>'
    pages = asked.ask("fast", Deadline.after(20), lambda lane: list(lane.every(PATHS)))
    assert pages[0].objects[Ref("VirtualMachine", "vm-2")] == {"name": "guest 2"}
    assert pages[0].lost == [(Ref("VirtualMachine", "vm-2"), "summary.config.numCpu", "malformed")]
    held = pages[0].objects[Ref("VirtualMachine", "vm-3")]["summary.config.numCpu"]
    assert held == {"_kind": "NewInNine", "a": "1", "b": "x"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"a\x01b", id="a control character"),
        pytest.param(b"a&#x1;b", id="a reference to one"),
        pytest.param(b"a&#xD800;b", id="a reference to a lone surrogate"),
        pytest.param(b"a\xed\xa0\x80b", id="a lone surrogate"),
        pytest.param(b"a\xffb", id="no UTF-8"),
    ],
)
def test_a_name_that_no_xml_can_hold_costs_some_of_its_letters(fake, asked, name):
    fake.on("RetrievePropertiesEx", changed(lambda text: text.replace(b"guest 2", name)))
    found = names(asked)
    assert (len(found), found[1:]) == (3, ["guest 1", "guest 3"])
    assert found[0].strip("\ufffd") in {"a\ufffdb", "a\ufffd\ufffd\ufffdb"}
