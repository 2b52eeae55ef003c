"""A daemon on the network: TLS with certificates of one's own, and what a refusal reads like."""

import pytest
import trustme

from exporter.config.model import Tls
from exporter.errors import AuthenticationFailed, CollectorError, SecretUnreadable, Unreachable
from tests.backends.need import need
from tests.integration.libvirt_world import world

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "setpriv"], ["libvirt"])
    from tests.integration.libvirt_remote import TlsLab

    with TlsLab() as tls_lab:
        tls_lab.define("far away")
        yield tls_lab


def test_a_daemon_behind_tls_is_watched_with_certificates_of_ones_own(lab):
    cert, key = lab.client()
    with world(lab.address, tls=Tls(ca_file=str(lab.pki("ca.pem")), cert_file=cert, key_file=key)) as session:
        assert session.guests("vitals").keys() == session.guests("snapshots").keys() == {"far away"}


def refusal(lab, tls):
    with world(lab.address, tls=tls) as session, pytest.raises(CollectorError) as error:
        session.collect("vitals")
    return error.value


def test_a_certificate_that_has_expired_is_refused(lab):
    cert, key = lab.client(days=-1)
    error = refusal(lab, Tls(ca_file=str(lab.pki("ca.pem")), cert_file=cert, key_file=key))
    assert isinstance(error, Unreachable), "it is tried again: renewed, it works"
    assert f"The client certificate {cert} has expired (renew it" in str(error)


def test_a_daemon_of_an_unknown_authority_is_not_trusted(lab, tmp_path):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    cert, key = lab.client()
    error = refusal(lab, Tls(ca_file=str(other), cert_file=cert, key_file=key))
    assert isinstance(error, Unreachable)
    assert f"against {other}" in str(error)
    assert "tls.ca_file is not the authority" in str(error)


def test_without_a_certificate_the_daemon_refuses(lab):
    error = refusal(lab, Tls(ca_file=str(lab.pki("ca.pem"))))
    assert isinstance(error, AuthenticationFailed)
    assert "tls.cert_file" in str(error)


def test_a_missing_file_is_named(lab):
    assert isinstance(refusal(lab, Tls(ca_file="/nowhere/ca.pem")), SecretUnreadable)
