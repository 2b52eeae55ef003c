"""A connection to the WinRM double as the collector makes one, for tests of the client."""

import time
from contextlib import contextmanager

import pytest

from collectors.hyperv.client.account import Account
from collectors.hyperv.client.connection import connect
from collectors.hyperv.client.rows import Namespace, Query
from collectors.hyperv.client.settings import Address, Settings
from exporter.config.model import Auth, Tls
from exporter.contract import Meter
from exporter.errors import CollectorError
from exporter.secrets import SecretSource

GUESTS = Query(Namespace.VIRTUALIZATION, "Msvm_ComputerSystem", ("Name", "ElementName", "EnabledState"))
PROCESSORS = Query(
    Namespace.CIMV2, "Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor", ("Name", "PercentTotalRunTime")
)
DISKS = Query(Namespace.CIMV2, "Win32_PerfRawData_Counters_HyperVVirtualStorageDevice", ("Name", "ReadBytesPersec"))


def auth_of(server, password=None):
    return Auth("lab", server.user, SecretSource("literal", password or server.password))


def settings_of(server, *, tls=None, transport=None, url=None, password=None, **rest):
    tls = tls or (Tls(ca_file=server.ca_file) if server.tls else Tls())
    return Settings(
        Address.of(url or server.url), auth_of(server, password), tls, transport or server.transport, **rest
    )


@contextmanager
def connected(server, *, account=None, meter=None, columns=None, **settings):
    """A connection that is closed at the end."""
    chosen = settings_of(server, **settings)
    made = connect(chosen, account or Account(chosen.auth), meter or Meter(), columns)
    try:
        yield made
    finally:
        made.close()


def within(seconds=20):
    return time.monotonic() + seconds


def names(connection, seconds=20):
    """Names of the guests (and of the host) that a connection shows."""
    return sorted(row["ElementName"] for row in connection.rows(GUESTS, within(seconds)))


def failure(error, call, *arguments):
    """The sentence of an error of exactly this kind."""
    with pytest.raises(CollectorError) as found:
        call(*arguments)
    assert type(found.value) is error, f"{type(found.value).__name__}: {found.value}"
    return str(found.value)
