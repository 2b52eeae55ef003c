"""Addresses of targets and of a cluster's nodes."""

import pytest
from pydantic import ValidationError

from collectors.hyperv.address import check_address, node_address
from collectors.hyperv.client.settings import Address
from collectors.hyperv.options import HypervOptions


@pytest.mark.parametrize(
    "text",
    ["hv-1", "hv-1.example.net:5985", "https://hv-1.example.net:5986/wsman", "http://[fe80::1]:5985", "10.0.0.1"],
)
def test_good_addresses(text):
    assert check_address(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "blanks"),
        ("hv 1", "blanks"),
        ("ssh://hv-1", "https or http"),
        ("https://monitor:secret@hv-1", "auths:"),
        ("https://:5986", "needs a host"),
        ("https://hv-1:0", "needs a host"),
        ("https://hv..1", "no host's name"),
        ("https://hv-1/?a=b", "ends with its path"),
        ("https://[::1", "not an address"),
    ],
)
def test_mistakes(text, word):
    assert word in check_address(text)
    assert "secret" not in check_address(text)


ENTRANCE = Address.of("https://hvc.dom.example:5986")


@pytest.mark.parametrize(
    ("pattern", "node", "expected"),
    [
        ("", "HV-1", "https://hv-1.dom.example:5986/wsman"),
        ("", "hv-1.other.example", "https://hv-1.other.example:5986/wsman"),
        ("{node}.lab.example", "HV-1", "https://hv-1.lab.example:5986/wsman"),
        ("{node}:5999", "HV-1", "https://hv-1:5999/wsman"),
        ("http://{node}.lab.example:5985", "HV-1", "http://hv-1.lab.example:5985/wsman"),
    ],
)
def test_addresses_of_nodes(pattern, node, expected):
    assert str(node_address(ENTRANCE, pattern, node)) == expected


def test_an_address_of_numbers_has_no_domain():
    assert str(node_address(Address.of("https://10.0.0.1"), "", "HV-1")) == "https://hv-1:5986/wsman"


def test_a_pattern_that_is_no_pattern_is_refused():
    with pytest.raises(ValidationError, match=r"\{node\}"):
        HypervOptions(node_address="hv.example.net")
    with pytest.raises(ValidationError):
        HypervOptions(cpu_wait_unit="ms")
