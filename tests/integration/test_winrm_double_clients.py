"""Clients that others wrote work against the double: pywinrm, pypsrp, and the shell scripts of Debian's wsl."""

import os
import re
import ssl
import subprocess
import warnings
from xml.etree import ElementTree as ET

import pytest
import xmltodict
from pypsrp.wsman import WSMan
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError
from winrm.protocol import Protocol

from tests.backends.processes import find_binary
from tests.backends.winrm import WinRM, stand_alone
from tests.backends.winrm_asking import WMI, Asker, context_of

ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
NAMESPACE = "root/virtualization/v2"
QUERY = "SELECT ElementName FROM Msvm_ComputerSystem"
NAMES = ["HV-1", "guest-1", 'Büro: "😀" <&>', "guest-3"]
DOORS = {
    "ntlm": {"transport": "ntlm"},
    "negotiate": {"transport": "negotiate"},
    "ntlm-tls": {"transport": "ntlm", "tls": True},
    "basic-tls": {"transport": "basic", "tls": True},
    "certificate": {"transport": "certificate"},
}


@pytest.fixture(autouse=True)
def own_authorities(monkeypatch):
    """pywinrm warns where the environment names authorities."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def estate():
    made = stand_alone(guests=3)
    made.row("Msvm_ComputerSystem", ElementName="guest-2")["ElementName"] = NAMES[2]
    return made


@pytest.fixture
def serve(estate):
    servers = []

    def start(**options):
        servers.append(WinRM(estate, **options).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def names_in(text):
    return re.findall(r"<ElementName>(.*?)</ElementName>", text)


def by_pywinrm(server, auth, password=None, **options):
    """The names of all systems: Enumerate and Pull with pywinrm's Protocol."""
    options = {"server_cert_validation": "validate", **options}
    if server.tls:
        options["ca_trust_path"] = server.ca_file
    if auth == "certificate":
        options |= {"cert_pem": server.cert_file, "cert_key_pem": server.key_file}
    protocol = Protocol(
        server.endpoint,
        transport=auth,
        username=server.user,
        password=password or server.password,
        read_timeout_sec=15,
        operation_timeout_sec=10,
        **options,
    )
    filtered = {"@Dialect": WQL, "#text": QUERY}
    start = {"w:OptimizeEnumeration": None, "w:MaxElements": "32000", "w:Filter": filtered}
    found, context, action, body = [], "", "Enumerate", {"n:Enumerate": start}
    try:
        while True:
            header = protocol.build_wsman_header(f"{ENUMERATION}/{action}", f"{WMI}{NAMESPACE}/*")
            asked = {"env:Envelope": {**header, "env:Body": body}}
            answer = protocol.transport.send_message(xmltodict.unparse(asked)).decode()
            found += names_in(answer)
            if "EndOfSequence" in answer:
                return [re.sub(r"&\w+;", unescaped, name) for name in found]
            context, action = context_of(answer), "Pull"
            body = {"n:Pull": {"n:EnumerationContext": context, "n:MaxElements": "2"}}
    finally:
        protocol.transport.close_session()


def unescaped(entity):
    return {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'"}[entity[0]]


def of_pypsrp(server, auth, password=None):
    files = {"certificate_pem": server.cert_file, "certificate_key_pem": server.key_file}
    return WSMan(
        server.address,
        port=server.port,
        ssl=server.tls,
        auth=auth,
        username=server.user,
        password=password or server.password,
        cert_validation=server.ca_file if server.tls else True,
        **(files if auth == "certificate" else {}),
    )


def by_pypsrp(server, auth, password=None):
    """The names of all systems: Enumerate and Pull with pypsrp's WSMan."""
    enumerate_ = ET.Element(f"{{{ENUMERATION}}}Enumerate")
    ET.SubElement(enumerate_, f"{{{WSMAN}}}OptimizeEnumeration")
    ET.SubElement(enumerate_, f"{{{WSMAN}}}MaxElements").text = "32000"
    ET.SubElement(enumerate_, f"{{{WSMAN}}}Filter", Dialect=WQL).text = QUERY
    with of_pypsrp(server, auth, password) as wsman:
        answer = wsman.enumerate(f"{WMI}{NAMESPACE}/*", enumerate_)
        found = [each.text for each in answer.iter("ElementName")]
        while not list(answer.iter(f"{{{ENUMERATION}}}EndOfSequence")):
            pull = ET.Element(f"{{{ENUMERATION}}}Pull")
            context = answer.findtext(f".//{{{ENUMERATION}}}EnumerationContext")
            ET.SubElement(pull, f"{{{ENUMERATION}}}EnumerationContext").text = context
            ET.SubElement(pull, f"{{{ENUMERATION}}}MaxElements").text = "2"
            answer = wsman.pull(f"{WMI}{NAMESPACE}/*", pull)
            found += [each.text for each in answer.iter("ElementName")]
    return found


@pytest.mark.parametrize("door", [name for name in DOORS if name != "negotiate"])
def test_pywinrm_reads_all_rows(serve, door):
    server = serve(**DOORS[door])
    assert by_pywinrm(server, server.transport) == NAMES
    assert server.open_enumerations == 0
    assert server.counts["Pull"] == 2


@pytest.mark.parametrize("door", list(DOORS))
def test_pypsrp_reads_all_rows(serve, door):
    server = serve(**DOORS[door])
    assert by_pypsrp(server, server.transport) == NAMES
    assert server.counts["logins"] == (1 if "n" in server.transport[0] else server.counts["requests"])


@pytest.mark.parametrize(("transport", "tls"), [("ntlm", False), ("basic", True)])
def test_a_wrong_password_is_refused_and_a_new_one_is_believed_at_once(serve, transport, tls):
    server = serve(transport=transport, tls=tls)
    with pytest.raises(InvalidCredentialsError):
        by_pywinrm(server, transport, "wrong")
    assert server.counts["requests"] == 0
    server.password = "another-1"
    assert by_pywinrm(server, transport, "another-1") == NAMES


def test_a_binding_to_the_certificate_is_insisted_on(serve):
    server = serve(transport="ntlm", tls=True, channel_bindings=True)
    assert by_pywinrm(server, "ntlm", send_cbt=True) == NAMES
    with pytest.raises(InvalidCredentialsError):
        by_pywinrm(server, "ntlm", send_cbt=False)


def test_a_client_without_certificate_is_refused(serve):
    server = serve(transport="certificate")
    context = ssl.create_default_context(cafile=server.ca_file)
    with Asker(server.address, server.port, "", "", tls=context) as asker:
        assert asker.enumerate(NAMESPACE, QUERY)[0] == 401


@pytest.mark.parametrize("transport", ["basic", "certificate"])
def test_what_is_not_bound_to_the_connection_is_asked_for_each_time(serve, transport):
    server = serve(transport=transport, tls=True)
    context = ssl.create_default_context(cafile=server.ca_file)
    context.load_cert_chain(server.cert_file, server.key_file)
    with Asker(server.address, server.port, server.user, server.password, tls=context) as asker:
        if transport == "certificate":
            asker.headers["Authorization"] = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
        assert asker.enumerate(NAMESPACE, QUERY)[0] == 200
        del asker.headers["Authorization"]
        assert asker.enumerate(NAMESPACE, QUERY)[0] == 401


def test_what_is_not_sealed_is_refused_where_nothing_else_protects_it(serve):
    server = serve(transport="ntlm")
    with pytest.raises(WinRMTransportError, match="500"):
        by_pywinrm(server, "ntlm", message_encryption="never")
    assert server.counts["requests"] == 0


def test_sealing_goes_over_tls_too(serve):
    server = serve(transport="ntlm", tls=True)
    assert by_pywinrm(server, "ntlm", message_encryption="always") == NAMES


def test_a_body_sealed_for_a_connection_that_is_gone_is_refused_with_nothing(serve):
    """What pywinrm runs into after a drop: it repeats the body that it sealed with the lost connection's keys."""
    server = serve(transport="ntlm")
    protocol = Protocol(server.endpoint, transport="ntlm", username=server.user, password=server.password)
    asked = {
        "env:Envelope": {**protocol.build_wsman_header(f"{ENUMERATION}/Release", f"{WMI}{NAMESPACE}/*"), "env:Body": ""}
    }
    with pytest.raises(WinRMTransportError, match="500"):  # a fault: there is nothing to release
        protocol.transport.send_message(xmltodict.unparse(asked))
    server.cut()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(WinRMTransportError, match="Code 400") as refused:
            protocol.transport.send_message(xmltodict.unparse(asked))
        protocol.transport.close_session()
    assert refused.value.response_text == ""


def test_pypsrp_invokes_a_method(serve):
    """GetSummaryInformation of all guests: codes 1 ElementName, 4 NumberOfProcessors, 100 EnabledState."""
    server = serve(transport="negotiate")
    uri = f"{WMI}{NAMESPACE}/Msvm_VirtualSystemManagementService"
    request = ET.Element(f"{{{uri}}}GetSummaryInformation_INPUT")
    for code in (1, 4, 100):
        ET.SubElement(request, f"{{{uri}}}RequestedInformation").text = str(code)
    with of_pypsrp(server, "negotiate") as wsman:
        answer = wsman.invoke(f"{uri}/GetSummaryInformation", uri, request)
    assert [each.text for each in answer.iter(f"{{{uri}}}ReturnValue")] == ["0"]
    of = f"{{{WMI}{NAMESPACE}/Msvm_SummaryInformation}}"
    assert [each.text for each in answer.iter(f"{of}EnabledState")] == ["2", "2", "3"]
    assert [each.text for each in answer.iter(f"{of}NumberOfProcessors")] == ["2", "2", "2"]
    assert {each.text for each in answer.iter(f"{of}MemoryUsage")} == {None}


@pytest.mark.parametrize("options", [[], ["-opti", "3"]], ids=["one by one", "in batches"])
def test_the_scripts_of_wsl_read_all_rows(serve, tmp_path, options):
    if not find_binary("wslenum"):
        pytest.skip("Debian's wsl is not installed: deploy/install-packages test")
    server = serve(transport="basic", allow_unencrypted=True, user="monitor")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "WSNOSSL": "true",
        "WSENDPOINT": f"{server.address}:{server.port}",
        "WSUSER": server.user,
        "WSPASS": server.password,
    }
    command = ["wslenum", f"{WMI}{NAMESPACE}/*", "-dialect", WQL, "-filter", QUERY, *options]
    told = subprocess.run(
        command, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60
    )
    assert [re.sub(r"&#x([0-9A-F]+);", lambda it: chr(int(it[1], 16)), name) for name in names_in(told.stdout)] == [
        "HV-1", "guest-1", 'Büro: "😀" &lt;&amp;&gt;', "guest-3"]  # fmt: skip
    assert server.counts["Pull"] == (1 if options else 4)
