"""What a host refuses, in the words of any language: the right kind of error, and a sentence with its remedy."""

import re

import pytest

from collectors.hyperv.client.errors import AccessDenied, Busy, NotThere, Refused
from collectors.hyperv.client.faults import Asked, Fault, error_of
from exporter.errors import Malformed, TimedOut, Unreachable
from tests.backends.need import need
from tests.backends.winrm import WinRM, stand_alone
from tests.integration.hyperv_client import GUESTS, PROCESSORS, connected, failure, names, within

CHINESE = "无法处理该请求。"
ASKED = Asked("https://hv-1:5986/wsman", "Enumerate", "root/virtualization/v2", "Msvm_ComputerSystem")
EXPECTED = [
    (5, AccessDenied, "it lacks membership of Hyper-V Administrators"),
    (2150859012, AccessDenied, "Enable Account and Remote Enable on root/virtualization/v2"),
    (2150859013, AccessDenied, "it lacks membership of Hyper-V Administrators"),
    (2150859014, AccessDenied, "in root/virtualization/v2"),
    (2147749891, AccessDenied, "may not read Msvm_ComputerSystem"),
    (2150859229, AccessDenied, "run winrm quickconfig"),
    (2150858752, NotThere, "has no root/virtualization/v2/Msvm_ComputerSystem"),
    (2150858811, NotThere, "has no root/virtualization/v2/Msvm_ComputerSystem"),
    (2147749904, NotThere, "has no root/virtualization/v2/Msvm_ComputerSystem"),
    (2147749902, NotThere, "Hyper-V is not installed"),
    (2150858813, Refused, "is it a newer Windows?"),
    (2150858843, Refused, "is it a newer Windows?"),
    (2150858793, TimedOut, "did not answer Enumerate of Msvm_ComputerSystem before the deadline"),
    (2150859174, Busy, "raise MaxConcurrentOperationsPerUser"),
    (2150859240, Busy, "raise MaxConcurrentOperationsPerUser"),
    (2150859173, Busy, "a quota of WinRM used up"),
    (2150859175, Busy, "a quota of WinRM used up"),
    (2150859176, Busy, "a quota of WinRM used up"),
    (2150858815, Busy, "a quota of WinRM used up"),
    (2150858790, Malformed, "raise MaxEnvelopeSizekb"),
    (2150858823, Malformed, "raise MaxEnvelopeSizekb"),
    (2150858824, Malformed, "raise MaxEnvelopeSizekb"),
    (2150858825, Malformed, "raise MaxEnvelopeSizekb"),
    (2150858767, Refused, "raise MaxTimeoutms"),
    (2150858881, Refused, "raise MaxTimeoutms"),
    (1726, Refused, "Microsoft-Windows-WinRM/Operational"),
]


@pytest.fixture(scope="module")
def server():
    with WinRM(stand_alone(guests=3)) as started:
        yield started


@pytest.mark.parametrize("style", ["wsman", "wmi"])
@pytest.mark.parametrize(("code", "kind", "remedy"), EXPECTED)
def test_a_fault_is_told_by_its_number_in_either_style_and_any_language(server, code, kind, remedy, style):
    order = {"name": "internal", "style": style, "code": code, "reason": CHINESE, "language": "zh-CN"}
    with server.misbehave("fault", operation="Enumerate", **order), connected(server) as connection:
        sentence = failure(kind, connection.rows, GUESTS, within())
    assert remedy in sentence
    assert "\n" not in sentence
    with connected(server) as connection:
        assert len(names(connection)) == 4


@pytest.mark.parametrize(
    ("subcode", "kind"),
    [
        ("AccessDenied", AccessDenied),
        ("QuotaLimit", Busy),
        ("TimedOut", TimedOut),
        ("EncodingLimit", Malformed),
        ("DestinationUnreachable", NotThere),
        ("Nonsense", Refused),
    ],
)
def test_a_fault_without_a_number_is_told_by_its_subcode(subcode, kind):
    assert type(error_of(Fault(subcode, (), CHINESE), ASKED)) is kind


def test_what_wmi_said_within_counts_more_than_what_winrm_said_around_it():
    around = 2150858778
    assert isinstance(error_of(Fault("CannotProcessFilter", (around, 2147749904), ""), ASKED), NotThere)
    assert isinstance(error_of(Fault("CannotProcessFilter", (around, 2147749891), ""), ASKED), AccessDenied)


def test_a_denied_namespace_is_named_with_what_it_takes(server):
    with server.misbehave("fault", name="wmi_access_denied", namespace="root/cimv2"), connected(server) as connection:
        with pytest.raises(AccessDenied) as found:
            connection.rows(PROCESSORS, within())
        assert found.value.namespace == "root/cimv2"
        assert found.value.right == "Enable Account and Remote Enable on root/cimv2"
        assert len(names(connection)) == 4  # the other namespace is not concerned, nor is the connection
        assert connection.counts.connections == 1


def test_a_fault_with_line_breaks_around_each_word_is_read(server):
    with server.misbehave("indent"), server.misbehave("fault", name="quota"), connected(server) as connection:
        assert "quota" in failure(Busy, connection.rows, GUESTS, within())


def test_an_answer_to_something_else_is_not_taken(server):
    for how in ("relates_to", "no_relates_to"):
        with server.misbehave(how, operation="Enumerate"), connected(server) as connection:
            assert "answers something else" in failure(Malformed, connection.rows, GUESTS, within())


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (503, Busy, "is the service WinRM running"),
        (404, Malformed, r"is it WinRM's port (5985 for http, 5986 for https)?"),
        (413, Malformed, "raise MaxEnvelopeSizekb"),
        (403, Malformed, "answers Enumerate with 403"),
    ],
)
def test_answers_of_the_web_server_alone(server, status, kind, remedy):
    with server.misbehave("status", code=status, body=b"no", operation="Enumerate"), connected(server) as connection:
        assert remedy in failure(kind, connection.rows, GUESTS, within())


@pytest.mark.parametrize("transport", ["ntlm", "negotiate", "credssp"])
@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (413, Unreachable, "finds the login too long (413), as with an account of very many groups"),
        (400, Unreachable, "finds the login too long (400)"),
        (404, Malformed, "answers the login with 404: is it WinRM's port"),
        (503, Busy, "answers 503 to the login: is the service WinRM running there?"),
        (200, Malformed, "asks for no login, so that nothing can be sealed"),
    ],
)
def test_logins_that_are_neither_accepted_nor_refused(server, transport, status, kind, remedy):
    if transport == "credssp":
        need((), ["requests_credssp"])
    answered = server.misbehave("status", code=status, body=b"no", operation="login")
    with answered, connected(server, transport=transport) as connection:
        assert remedy in failure(kind, connection.rows, GUESTS, within())


def test_a_host_that_sends_us_elsewhere_is_not_followed(server):
    headers = [("Location", "http://127.0.0.1:1/elsewhere")]
    with server.misbehave("status", code=302, headers=headers, operation="Enumerate"), connected(server) as connection:
        assert "sends us on to" in failure(Malformed, connection.rows, GUESTS, within())


def test_a_body_that_is_no_longer_understood_makes_a_new_connection(server):
    with connected(server) as connection:
        names(connection)
        with server.misbehave("status", code=400, operation="Enumerate", times=1):
            assert len(names(connection)) == 4
        assert connection.counts.connections == 2


@pytest.mark.parametrize(
    ("how", "sentence"), [("plain", "in the clear what was asked sealed"), ("bad_seal", "cannot be opened")]
)
def test_what_somebody_else_may_have_written_is_not_taken(server, how, sentence):
    with server.misbehave(how), connected(server) as connection:
        assert sentence in failure(Malformed, connection.rows, GUESTS, within())


def test_a_fault_in_the_clear_is_not_taken_either(server):
    envelope = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault/></s:Body></s:Envelope>'
    order = {"code": 500, "body": envelope, "content_type": "application/soap+xml;charset=UTF-8"}
    with server.misbehave("status", operation="Enumerate", **order), connected(server) as connection:
        assert "in the clear what was asked sealed" in failure(Malformed, connection.rows, GUESTS, within())


@pytest.mark.parametrize("size", [10, 300, 700])
def test_an_answer_that_is_cut_short_is_malformed(server, size):
    with server.misbehave("truncate", size=size, operation="Enumerate"), connected(server) as connection:
        assert "is no XML" in failure(Malformed, connection.rows, GUESTS, within())


def test_an_answer_without_end_is_given_up(server):
    with server.misbehave("oversize", size=1 << 40, operation="Enumerate"), connected(server) as connection:
        failure(Malformed, connection.rows, GUESTS, within())


def test_an_enumeration_without_end_is_given_up(server):
    empty = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"><s:Header>{relates}</s:Header><s:Body>'
        "<n:PullResponse><n:EnumerationContext>more</n:EnumerationContext><n:Items/></n:PullResponse>"
        "</s:Body></s:Envelope>"
    )

    def endless(text):
        return empty.format(relates=re.search(r"<a:RelatesTo>.*?</a:RelatesTo>", text)[0])

    before = server.counts["Pull"]
    with server.misbehave("replace", text=endless, operation="Pull"), connected(server) as connection:
        assert "has no end of" in failure(Malformed, connection.rows, PROCESSORS, within())
    assert server.counts["Pull"] - before < 20


def test_a_host_that_is_gone_is_unreachable():
    with WinRM(stand_alone(guests=1)) as server, connected(server) as connection:
        names(connection)
        server.sites[0].stop()
        assert "refuses the connection" in failure(Unreachable, connection.rows, GUESTS, within())
        server.sites[0].start()
        assert len(names(connection)) == 2
