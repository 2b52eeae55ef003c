"""The WinRM double goes wrong in the ways it is told to, and in no other."""

import re
import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from pathlib import Path

import pytest
from spnego.exceptions import SpnegoError
from winrm.exceptions import InvalidCredentialsError
from winrm.transport import Transport

from tests.backends.processes import until
from tests.backends.winrm import WinRM, stand_alone
from tests.backends.winrm.misbehaviour import KINDS
from tests.backends.winrm_asking import Asker, context_of

V2, CIMV2 = "root/virtualization/v2", "root/cimv2"
IDENTIFY = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    b'<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
)
SYSTEMS = "SELECT ElementName FROM Msvm_ComputerSystem"
DISKS = "SELECT Name FROM Win32_PerfRawData_Counters_HyperVVirtualStorageDevice"


@pytest.fixture
def server():
    with WinRM(stand_alone(guests=3), transport="basic", allow_unencrypted=True) as started:
        yield started


@pytest.fixture
def asker(server):
    with Asker(server.address, server.port, server.user, server.password) as made:
        yield made


def all_well(asker):
    """Whether a whole enumeration comes as it should."""
    texts = asker.query(V2, SYSTEMS)
    return len(re.findall("<ElementName>", "".join(texts))) == 4


@pytest.mark.parametrize("style", ["wsman", "wmi"])
@pytest.mark.parametrize(
    ("name", "code", "subcode"),
    [
        ("access_denied", "5", "w:AccessDenied"),
        ("wmi_access_denied", "2150859014", "w:AccessDenied"),
        ("timeout", "2150858793", "w:TimedOut"),
        ("quota_operations", "2150859174", "w:InternalError"),
        ("quota_user", "2150859175", "w:QuotaLimit"),
        ("envelope", "2150858824", "w:EncodingLimit"),
        ("pull_in_progress", "2150858758", "w:Concurrency"),
        ("remote_disabled", "2150859229", "w:AccessDenied"),
    ],
)
def test_a_fault_in_either_style_and_any_language(server, asker, name, code, subcode, style):  # noqa: PLR0917
    german = "Zugriff verweigert: „Ärger“"
    with server.misbehave("fault", name=name, style=style, reason=german, language="de-DE", operation="Enumerate"):
        status, text = asker.enumerate(V2, SYSTEMS)
    assert status == 500
    assert f'<s:Text xml:lang="de-DE">{german}</s:Text>' in text
    assert f"<s:Value>{subcode}</s:Value>" in text
    numbers = re.findall(r'WSManFault [^>]*Code="(\d+)"|<p:error_Code[^>]*>(\d+)<', text)
    assert numbers == [(code, "") if style == "wsman" else ("", code)]
    assert all_well(asker)


def test_an_order_holds_where_and_as_often_as_it_says(server, asker):
    order = server.misbehave("fault", name="internal", class_name="Win32_PerfRawData_%", times=2, skip=1)
    codes = [asker.enumerate(CIMV2, DISKS)[0] for _ in range(4)]
    assert codes == [200, 500, 500, 200]
    assert order.carried_out == 2
    server.misbehave("fault", name="internal", operation="Pull", namespace=V2)
    assert asker.query(CIMV2, "SELECT Name FROM Win32_Volume")[-1].count("EndOfSequence") == 1
    assert "Fault" in asker.query(V2, SYSTEMS)[-1]
    server.clear()
    assert all_well(asker)


def test_a_stall_lasts_as_long_as_ordered_and_a_hang_until_the_order_ends(server, asker):
    with server.misbehave("stall", seconds=0.3, class_name="Win32_Volume"):
        started = time.monotonic()
        assert asker.enumerate(CIMV2, "SELECT Name FROM Win32_Volume")[0] == 200
        assert time.monotonic() - started >= 0.3
    answered = threading.Event()
    with server.misbehave("hang", operation="Enumerate") as order:
        thread = threading.Thread(target=lambda: (asker.enumerate(V2, SYSTEMS), answered.set()))
        thread.start()
        until(lambda: order.carried_out, 10, "a request that hangs")
        assert not answered.is_set()
    thread.join(10)
    assert answered.is_set()


def test_a_slow_class_is_given_up_when_the_request_says_so(server, asker):
    with server.misbehave("slow", seconds=5, class_name="Win32_Volume"):
        asked = asker.ask
        asker.ask = lambda *words, **more: asked(*words, **more, timeout="PT0.100S")
        started = time.monotonic()
        status, text = asker.enumerate(CIMV2, "SELECT Name FROM Win32_Volume")
        assert time.monotonic() - started < 5
        assert (status, "w:TimedOut" in text) == (500, True)
    assert asker.enumerate(CIMV2, "SELECT Name FROM Win32_Volume")[0] == 200


@pytest.mark.parametrize(("part", "error"), [(0, RemoteDisconnected), (400, IncompleteRead)])
def test_a_connection_dies_during_an_enumeration(server, asker, part, error):
    _, first = asker.enumerate(V2, SYSTEMS)
    with server.misbehave("close", operation="Pull", part=part), pytest.raises(error):
        asker.pull(V2, context_of(first))
    asker.close()
    assert all_well(asker)


def test_a_connection_dies_after_an_answer_and_when_idle(server, asker):
    with server.misbehave("close_after"):
        assert asker.enumerate(V2, SYSTEMS)[0] == 200
    with pytest.raises((HTTPException, OSError)):
        asker.enumerate(V2, SYSTEMS)
    asker.close()
    assert all_well(asker)
    server.cut()
    with pytest.raises((HTTPException, OSError)):
        asker.enumerate(V2, SYSTEMS)


def test_an_idle_connection_is_ended_after_its_time():
    with (
        WinRM(stand_alone(), transport="basic", allow_unencrypted=True, idle_seconds=0.2) as server,
        socket.create_connection((server.address, server.port), timeout=10) as idle,
    ):
        assert idle.recv(1) == b""


def test_a_host_that_is_down_refuses_connections_and_comes_back(server, asker):
    assert all_well(asker)
    server.sites[0].stop()
    asker.close()
    with pytest.raises(OSError):
        asker.enumerate(V2, SYSTEMS)
    server.sites[0].start()
    asker.close()
    assert all_well(asker)


def test_contexts_expire(server, asker):
    _, first = asker.enumerate(V2, SYSTEMS)
    with server.misbehave("expire", operation="Pull"):
        status, text = asker.pull(V2, context_of(first))
    assert (status, "n:InvalidEnumerationContext" in text) == (500, True)
    assert server.open_enumerations == 0


def test_what_a_message_relates_to_may_be_wrong_or_missing(server, asker):
    text = asker.enumerate(V2, SYSTEMS)[1]
    assert f"<a:RelatesTo>{asker.message_id}</a:RelatesTo>" in text
    with server.misbehave("relates_to"):
        text = asker.enumerate(V2, SYSTEMS)[1]
        assert f"<a:RelatesTo>{asker.message_id}</a:RelatesTo>" not in text
        assert "<a:RelatesTo>uuid:" in text
    with server.misbehave("no_relates_to"):
        assert "RelatesTo" not in asker.enumerate(V2, SYSTEMS)[1]


def test_missing_rights_answer_with_an_empty_success(server, asker):
    with server.misbehave("empty", namespace=V2):
        status, text = asker.enumerate(V2, SYSTEMS)
        assert (status, "<w:EndOfSequence/>" in text, "ElementName" in text) == (200, True, False)
        assert "<Name>" in asker.enumerate(CIMV2, "SELECT Name FROM Win32_Volume")[1]
    with server.misbehave("rows", keep=lambda row: row["ElementName"] != "guest-2"):
        assert "guest-2" not in "".join(asker.query(V2, SYSTEMS))


def test_something_else_than_soap_answers(server, asker):
    with server.misbehave("status", code=503, body=b"<html>HTTP Error 503</html>"):
        assert asker.enumerate(V2, SYSTEMS) == (503, "<html>HTTP Error 503</html>")
    with server.misbehave("status", operation="login", code=407):
        assert asker.enumerate(V2, SYSTEMS)[0] == 407
    assert all_well(asker)


def test_the_text_itself_may_be_broken(server, asker):
    with server.misbehave("truncate", size=700):
        assert len(asker.enumerate(V2, SYSTEMS)[1]) == 700
    with server.misbehave("replace", text=lambda text: text.replace("HV-1", "&lol;")):
        assert "<ElementName>&lol;</ElementName>" in asker.enumerate(V2, SYSTEMS)[1]
    with server.misbehave("replace", text="no XML"):
        assert asker.enumerate(V2, SYSTEMS)[1] == "no XML"


def test_texts_may_be_indented_and_pulls_prefixed_otherwise(server, asker):
    with server.misbehave("indent"), server.misbehave("fault", name="filter", provider="x"):
        _, text = asker.enumerate(V2, SYSTEMS)
    assert re.search(r"<a:Action>\s+http://\S+\s+</a:Action>", text)
    assert re.search(r"<s:Value>\s+n:CannotProcessFilter\s+</s:Value>", text)
    with server.misbehave("pull_prefix"):
        last = asker.query(V2, SYSTEMS)[-1]
    assert "<w:Items>" in last
    assert "<w:EndOfSequence/>" in last


def test_an_answer_may_be_endless_or_slow(server, asker):
    size = 5_000_000
    with server.misbehave("oversize", size=size), suppress(IncompleteRead):
        assert len(asker.enumerate(V2, SYSTEMS)[1]) == size
    asker.close()
    with server.misbehave("drip", seconds=0.0001):
        assert asker.enumerate(V2, SYSTEMS)[0] == 200
    assert all_well(asker)


def test_logins_are_refused_as_with_a_locked_account(server, asker):
    with server.misbehave("refuse", operation="login"):
        status, text = asker.enumerate(V2, SYSTEMS)
        assert (status, text) == (401, "")
    assert server.counts["refused"] == 1
    assert all_well(asker)


@pytest.fixture
def sealed():
    """A function that asks with pywinrm over sealing; pypsrp would leak a socket at each refusal."""
    with WinRM(stand_alone(guests=1)) as server:
        options = {"auth_method": "ntlm", "username": server.user, "password": server.password, "ca_trust_path": None}
        transport = Transport(server.endpoint, read_timeout_sec=10, **options)

        def identify():
            try:
                return transport.send_message(IDENTIFY).decode()
            finally:
                transport.close_session()

        yield server, identify


@pytest.mark.parametrize(
    ("kind", "error"),
    [("bad_seal", SpnegoError), ("refuse", InvalidCredentialsError), ("no_header", InvalidCredentialsError)],
)
def test_sealed_answers_and_logins_may_fail(sealed, kind, error):
    server, identify = sealed
    with server.misbehave(kind), pytest.raises(error):
        identify()
    assert "OS: 10.0.20348" in identify()


def test_an_answer_may_come_unsealed(sealed):
    server, identify = sealed
    with server.misbehave("plain"):  # pywinrm believes it; a client that cares does not
        assert "OS: 10.0.20348" in identify()


def test_an_order_that_does_not_exist_is_refused_with_those_that_do(server):
    with pytest.raises(ValueError, match="no misbehaviour 'dance'; there are: ") as refused:
        server.misbehave("dance")
    assert all(kind in str(refused.value) for kind in KINDS)


def test_every_kind_of_misbehaviour_is_shown_here():
    text = Path(__file__).read_text()
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []
