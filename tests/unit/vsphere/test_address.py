"""Addresses of vSphere targets: what is reached, and mistakes that show before anything is asked."""

import pytest

from collectors.vsphere.address import Address, check_address


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("vcenter.example.net", "https://vcenter.example.net:443/sdk"),
        ("vcenter.example.net:8443", "https://vcenter.example.net:8443/sdk"),
        ("https://vcenter.example.net/sdk/", "https://vcenter.example.net:443/sdk"),
        ("https://proxy.example.net/vc1/sdk", "https://proxy.example.net:443/vc1/sdk"),
        ("http://127.0.0.1:8989", "http://127.0.0.1:8989/sdk"),
        ("http://esx", "http://esx:80/sdk"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:443/sdk"),
        ("[::1]:8989", "https://[::1]:8989/sdk"),
        ("bücher.example", "https://bücher.example:443/sdk"),
    ],
)
def test_an_address_leads_to_an_api(text, reached):
    assert check_address(text) is None
    assert str(Address.of(text)) == reached


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("ftp://vcenter", "over https, not 'ftp'"),
        ("https://user:secret@vcenter", "accounts do not belong into an address"),
        ("https://", "needs a host"),
        ("", "needs a host"),
        ("vcenter:0", "needs a host"),
        ("vcenter:99999", "not an address"),
        ("vcenter:port", "not an address"),
        ("https://vcenter/sdk?x=1", "ends with its path"),
        ("https://vcenter/sdk#x", "ends with its path"),
        ("vcenter example", "holds no blanks"),
        ("https://[::1", "not an address"),
        (f"{'a' * 64}.example.net", "no host's name"),
        ("vcenter..example.net", "no host's name"),
        ("https://vcenter/sdk/ü", "plain ASCII"),
    ],
)
def test_a_mistake_is_told_with_an_example_and_without_its_secrets(text, mistake):
    found = check_address(text)
    assert found is not None
    assert mistake in found
    assert "secret" not in found
