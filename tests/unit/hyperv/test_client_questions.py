"""What is sent, and how little: envelopes that only read, columns found by halves, accounts that are not locked."""

import subprocess
import sys
import threading
import time
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.hyperv.client import envelopes
from collectors.hyperv.client.account import Account, Credentials
from collectors.hyperv.client.calls import METHODS
from collectors.hyperv.client.columns import Columns
from collectors.hyperv.client.envelopes import Door
from collectors.hyperv.client.errors import FilterRefused, NotThere
from collectors.hyperv.client.refusals import library_error
from collectors.hyperv.client.rows import Query, Reference, quoted
from collectors.hyperv.client.settings import Address, Settings
from exporter.errors import AuthenticationFailed, Malformed, TimedOut, Unreachable
from exporter.secrets import Secret

DOOR = Door("https://hv-1:5986/wsman", 20.0)
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
V2 = "root/virtualization/v2"


def test_every_method_reads():
    assert all(method.startswith("Get") for _, method in METHODS)


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_other_method_can_be_sent(class_name, method):
    if (class_name, method) not in METHODS:
        with pytest.raises(ValueError, match="not on the list"):
            envelopes.invoke(DOOR, V2, class_name, method, {})


def test_the_only_actions_are_those_of_reading():
    query = Query("root/cimv2", "Win32_Volume", ("Name", "FreeSpace"), "DriveType = 3")
    sent = [
        envelopes.enumerate_(DOOR, query, query.columns),
        envelopes.pull(DOOR, query.namespace, "uuid:1"),
        envelopes.release(DOOR, query.namespace, "uuid:1"),
        envelopes.invoke(DOOR, V2, "Msvm_ImageManagementService", "GetVirtualHardDiskState", {"Path": "C:\\a.vhdx"}),
    ]
    actions = [ET.fromstring(each.content).findtext(f".//{A}Action").rpartition("/")[2] for each in sent]
    assert actions == ["Enumerate", "Pull", "Release", "GetVirtualHardDiskState"]
    root = ET.fromstring(sent[0].content)
    assert root.findtext(f".//{W}Filter") == "SELECT Name,FreeSpace FROM Win32_Volume WHERE DriveType = 3"
    assert root.findtext(f".//{W}ResourceURI") == "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"
    assert root.findtext(f".//{W}OperationTimeout") == "PT20.000S"
    assert root.findtext(f".//{W}MaxElements") == "32000"
    assert root.findtext(f".//{A}MessageID") == sent[0].message_id


@pytest.mark.parametrize(("seconds", "told"), [(0.01, "PT0.500S"), (12.5, "PT12.500S"), (600, "PT60.000S")])
def test_a_host_is_given_between_half_a_second_and_a_minute(seconds, told):
    sent = envelopes.pull(Door("https://hv-1", seconds), "root/cimv2", "c")
    assert ET.fromstring(sent.content).findtext(f".//{W}OperationTimeout") == told


def test_a_reference_is_sent_as_an_address_of_its_instance():
    machine = Reference("Msvm_ComputerSystem", {"Name": "G<1>"})
    sent = envelopes.invoke(
        DOOR, V2, "Msvm_ReplicationService", "GetReplicationStatisticsEx", {"ComputerSystem": machine}
    )
    root = ET.fromstring(sent.content)
    parameters = root.find(f".//{A}ReferenceParameters")
    assert parameters.findtext(f"{W}ResourceURI").endswith("/root/virtualization/v2/Msvm_ComputerSystem")
    assert parameters.find(f".//{W}Selector").attrib == {"Name": "Name"}
    assert parameters.findtext(f".//{W}Selector") == "G<1>"


@given(st.text(max_size=50))
def test_whatever_a_name_holds_the_envelope_is_whole(name):
    query = Query("root/cimv2", "Win32_Volume", ("Name",), f"Name = {quoted(name)}")
    root = ET.fromstring(envelopes.enumerate_(DOOR, query, query.columns).content)
    assert root.findtext(f".//{W}Filter").startswith("SELECT Name FROM Win32_Volume WHERE Name = '")


def test_a_literal_of_wql_ends_where_it_should():
    assert quoted("C:\\it's") == "'C:\\\\it\\'s'"


class Host:
    """A class with some columns, of which some are arrays of none in its first row."""

    def __init__(self, *there, unseen=(), exists=True):
        self.there, self.unseen, self.exists, self.asked = set(there), set(unseen), exists, 0

    def sample(self, _query, columns):
        self.asked += 1
        if not self.exists or set(columns) - self.there:
            raise FilterRefused("refused", "X")
        return frozenset(self.there - self.unseen)


def probed(host, *columns):
    known = Columns()
    query = Query("root/cimv2", "X", columns)
    known.probe(query, host.sample, FilterRefused("refused", "X"), NotThere("absent", "X"))
    return known.lacking(query)


def test_columns_are_told_missing_from_arrays_of_none():
    host = Host("A", "B", "C", unseen=["C"])
    assert probed(host, "A", "B", "C", "D") == {"D"}


@settings(deadline=None)
@given(st.sets(st.integers(0, 30), min_size=1), st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_what_is_missing_is_found_with_few_questions(wanted, missing, unseen):
    lacking = {str(each) for each in wanted & missing}
    host = Host("key", *(str(each) for each in wanted - missing), unseen=[str(each) for each in unseen])
    if lacking:
        assert probed(host, "key", *map(str, sorted(wanted))) == lacking
        assert host.asked <= 2 + 2 * (len(lacking) + len(unseen)) * 5
    else:
        with pytest.raises(Malformed):
            probed(host, "key", *map(str, sorted(wanted)))


def test_a_class_that_is_not_there_costs_one_question():
    host = Host(exists=False)
    with pytest.raises(NotThere, match="absent"):
        probed(host, "A", "B")
    assert host.asked == 1


def test_a_row_too_large_for_an_answer_does_not_hide_its_columns():
    host = Host("A")
    whole = host.sample

    def sample(query, columns):
        if not columns:
            raise Malformed("too large")
        return whole(query, columns)

    host.sample = sample
    assert probed(host, "A", "B") == {"B"}


NTLM = Settings(Address.of("http://hv-1:5985"))
KNOWN = Credentials("LAB\\monitor", Secret("right"))
WRONG = Credentials("LAB\\monitor", Secret("wrong"))


def refused(account, host, credentials=WRONG):
    with pytest.raises(AuthenticationFailed) as found, account.entering(host, credentials, time.monotonic() + 5):
        raise AuthenticationFailed(f"{host} refuses")
    return str(found.value)


def test_a_refusal_is_remembered_for_its_host_and_two_for_all():
    account = Account(None)
    assert refused(account, "hv-1") == "hv-1 refuses"
    assert refused(account, "hv-2") == "hv-2 refuses"  # one host may have a reason of its own
    assert refused(account, "hv-3") == "hv-1 refuses"  # not asked: the block was not entered
    assert refused(account, "hv-1", KNOWN) == "hv-1 refuses"  # another password is tried
    with account.entering("hv-9", KNOWN, time.monotonic() + 5):
        pass


def test_hosts_that_refuse_an_account_that_others_accept_are_alone():
    account = Account(None)
    with account.entering("hv-0", KNOWN, time.monotonic() + 5):
        pass
    for host in ("hv-1", "hv-2", "hv-3"):
        assert refused(account, host, KNOWN) == f"{host} refuses"
    assert refused(account, "hv-3", KNOWN) == "hv-3 refuses"


def test_an_unproven_account_logs_in_at_one_host_at_a_time():
    account = Account(None)
    inside, go_on = threading.Event(), threading.Event()

    def first():
        with account.entering("hv-1", KNOWN, time.monotonic() + 20):
            inside.set()
            go_on.wait(20)

    one = threading.Thread(target=first)
    one.start()
    assert inside.wait(20)
    with pytest.raises(TimedOut), account.entering("hv-2", KNOWN, time.monotonic() + 0.05):
        pass
    go_on.set()
    one.join(20)
    with account.entering("hv-2", KNOWN, time.monotonic()), account.entering("hv-3", KNOWN, time.monotonic()):
        pass  # it is proven: any number at a time


@pytest.mark.parametrize(
    ("said", "kind", "remedy"),
    [
        ("Clock skew too great (KRB5KRB_AP_ERR_SKEW)", Unreachable, "set the time (NTP)"),
        ("Ticket expired", Unreachable, "have kinit renew it"),
        ("Preauthentication failed", AuthenticationFailed, "refuses the password"),
        ("Client's credentials have been revoked", AuthenticationFailed, "locked, disabled or expired"),
        ("Server host/hv-1@LAB not found in Kerberos database", Unreachable, "use its full name as address"),
        ("Client 'x@LAB' not found in Kerberos database", AuthenticationFailed, "no such account"),
        ("Cannot contact any KDC for realm 'LAB'", Unreachable, "no domain controller answers"),
        ("No Kerberos credentials available", Unreachable, "have kinit make one"),
        ("Something else", AuthenticationFailed, "the login fails"),
    ],
)
def test_what_kerberos_says_is_told_with_its_remedy(said, kind, remedy):
    spnego = pytest.importorskip("spnego.exceptions")
    found = library_error(spnego.SpnegoError(error_code=1, context_msg=said), NTLM)
    assert type(found) is kind
    assert remedy in str(found)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hv-1.example.net", Address("hv-1.example.net", 5986, "https")),
        ("hv-1:5985", Address("hv-1", 5985, "http")),
        ("hv-1:5986", Address("hv-1", 5986, "https")),
        ("hv-1:443", Address("hv-1", 443, "https")),
        ("http://hv-1", Address("hv-1", 5985, "http")),
        ("https://[fe80::1]:5986/wsman", Address("fe80::1", 5986, "https")),
        ("https://hv-1/custom/", Address("hv-1", 5986, "https", "/custom")),
    ],
)
def test_addresses(text, address):
    assert Address.of(text) == address
    assert Address.of(str(address)) == address


def test_the_libraries_are_imported_only_when_a_host_is_asked():
    script = (
        "import sys, collectors.hyperv.client.connection\n"
        "found = {'winrm', 'requests', 'spnego', 'pypsrp', 'cryptography'} & set(sys.modules)\n"
        "sys.exit(str(found) if found else 0)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
