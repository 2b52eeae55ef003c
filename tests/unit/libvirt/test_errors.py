"""libvirt's errors as ours, with sentences that help and hide."""

import pytest

from collectors.libvirt.client.errors import Failed, Gone, Refused, WrongState, call_error, hidden, opening_error
from exporter.errors import AuthenticationFailed, Forbidden, TimedOut, Unreachable, Unsupported

RPC, QEMU = 7, 10


@pytest.mark.parametrize(
    ("code", "message", "kind", "remedy"),
    [
        (
            38,
            "Failed to connect socket to '/x': No such file or directory",
            Unreachable,
            "libvirtd or virtqemud running",
        ),
        (38, "Failed to connect socket to '/x': Permission denied", Unreachable, "group libvirt"),
        (38, "unable to connect to server at 'h:16509': Connection refused", Unreachable, "listening"),
        (
            38,
            "Cannot recv data: m@h: Permission denied (publickey).: Connection reset by peer",
            AuthenticationFailed,
            "key",
        ),
        (38, "Cannot recv data: Host key verification failed.", Unreachable, "known_hosts"),
        (38, "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory", Unreachable, "pkipath"),
        (
            38,
            "Cannot recv data: Identity file /k: No such file or directory.\nm@h: Permission denied (publickey).",
            AuthenticationFailed,
            "SSH key open",
        ),
        (45, "authentication failed: Username/PublicKey combination invalid", AuthenticationFailed, "SSH key open"),
        (45, "authentication failed: !!! SSH HOST KEY VERIFICATION FAILED !!!: Identity", Unreachable, "known_hosts"),
        (45, "authentication failed: TLS handshake failed Error in the pull function.", Unreachable, "16514"),
        (45, "authentication failed: Failed to start SASL: No worthy mechs found", AuthenticationFailed, "set auth"),
        (45, "authentication failed: authentication failed", AuthenticationFailed, "password right"),
        (38, "Cannot write data: Broken pipe", Unreachable, "by hand"),
        (38, "End of file while reading data: Input/output error", Unreachable, "the port of this transport"),
        (38, "End of file while reading data: sh: 1: nc: not found: Input/output error", Unreachable, "netcat"),
        (45, "authentication failed: no", AuthenticationFailed, "refuses"),
        (94, "authentication unavailable: no polkit agent", AuthenticationFailed, "refuses"),
        (68, "Timed out", TimedOut, "too long"),
        (5, "no connection driver available", Unreachable, "cannot be opened"),
    ],
)
def test_why_a_uri_could_not_be_opened(code, message, kind, remedy):
    error = opening_error(code, message, "qemu+ssh://m@h/system")
    assert type(error) is kind
    assert remedy in str(error)
    assert "qemu+ssh://m@h/system" in str(error)


@pytest.mark.parametrize(
    ("code", "domain", "alive", "kind"),
    [
        pytest.param(38, RPC, True, Unreachable, id="the transport failed"),
        pytest.param(38, QEMU, True, Failed, id="a file of the guest failed, not the connection"),
        pytest.param(1, RPC, False, Unreachable, id="keep-alive gave up"),
        pytest.param(1, QEMU, True, Failed, id="internal error about one guest"),
        pytest.param(3, 20, True, Unsupported, id="not offered by the driver"),
        pytest.param(67, QEMU, True, Unsupported, id="not offered by the host"),
        pytest.param(8, QEMU, True, Refused, id="unknown flag"),
        pytest.param(42, QEMU, True, Gone, id="the guest has vanished"),
        pytest.param(55, QEMU, True, WrongState, id="off now, or it cannot tell"),
        pytest.param(68, QEMU, True, TimedOut, id="no job within 30 s"),
        pytest.param(29, QEMU, True, Forbidden, id="read-only connection"),
        pytest.param(88, 55, True, Forbidden, id="the daemon's access rules"),
    ],
)
def test_what_a_failed_call_means(code, domain, alive, kind):
    error = call_error(code, domain, "text", "virDomainGetState", alive=alive)
    assert type(error) is kind
    assert "virDomainGetState" in str(error)


def test_a_missing_right_is_named():
    assert call_error(88, 55, "no", "virDomainGetXMLDesc", alive=True).right == "virDomainGetXMLDesc"


def test_no_password_is_repeated():
    assert hidden("cannot open esx://root:s3cr3t@h/ now") == "cannot open esx://***@h/ now"
    assert "s3cr3t" not in str(opening_error(38, "x esx://root:s3cr3t@h/ x", "esx://root:s3cr3t@h/"))
    assert hidden("qemu+ssh://monitor@h/system") == "qemu+ssh://monitor@h/system"


def test_of_what_ssh_prints_only_the_end_is_told():
    banner = (
        "Cannot recv data: @@@\r\n@ WARNING: CHANGED! @\r\nHost key for h has changed and you have requested strict "
    )
    error = opening_error(38, f"{banner}checking.\r\nHost key verification failed.: Connection reset", "qemu+ssh://h/")
    assert "\n" not in str(error)
    assert "@@@" not in str(error)
    assert "not the key in known_hosts" in str(error)


def test_a_connection_that_breaks_later_is_no_matter_of_ports():
    error = call_error(38, RPC, "End of file while reading data: Input/output error", "virNodeGetInfo", alive=False)
    assert "port" not in str(error)
