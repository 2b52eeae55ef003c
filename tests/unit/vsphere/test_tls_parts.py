"""What is read off a certificate and out of cookies, by hand where the standard library does not."""

import datetime as dt

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.vsphere.client.cookies import Cookies
from exporter.remote.certificate import not_after

AUTHORITY = trustme.CA()


def der(end):
    begin = dt.datetime(1951, 1, 1, tzinfo=dt.UTC)
    issued = AUTHORITY.issue_cert("vcenter.example.net", not_before=begin, not_after=end)
    return x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())


@pytest.mark.parametrize("year", [1968, 1999, 2025, 2049, 2050, 2068, 2069, 9999])
def test_the_end_of_a_certificate_is_what_cryptography_reads(year):
    end = dt.datetime(year, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    certificate = der(end)
    assert certificate.not_valid_after_utc == end
    assert not_after(certificate.public_bytes(Encoding.DER)) == end.timestamp()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_what_is_no_certificate_has_no_end(content):
    assert not_after(content) is None or content[:1] == b"\x30"


def test_every_cut_of_a_certificate_has_its_end_or_none():
    whole = der(dt.datetime(2030, 1, 1, tzinfo=dt.UTC)).public_bytes(Encoding.DER)
    end = not_after(whole)
    assert {not_after(whole[:length]) for length in range(len(whole))} <= {None, end}


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (['vmware_soap_session="52 ab"; Path=/; HttpOnly; Secure; '], 'vmware_soap_session="52 ab"'),
        (["a=1; path=/", "vmware_soap_session=2"], "a=1; vmware_soap_session=2"),
        (["vmware_soap_session=1", "vmware_soap_session=2"], "vmware_soap_session=2"),
        (["vmware_soap_session=1", 'vmware_soap_session=""; Max-Age=0'], ""),
        (["vmware_soap_session=a==; Secure"], "vmware_soap_session=a=="),
        (["", "nonsense", "=1", ";"], ""),
        (["vmware_soap_session=1\r\n Evil: yes"], "vmware_soap_session=1 Evil: yes"),
    ],
)
def test_cookies_are_sent_back_as_they_were_given(headers, sent):
    cookies = Cookies()
    cookies.take(headers)
    assert cookies.header == sent
    assert cookies.session == ("vmware_soap_session" in sent)
    assert Cookies(cookies.header).header == sent
