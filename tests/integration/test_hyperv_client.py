"""A Hyper-V host's rows over real sockets: every way to log in, pages, columns, lost connections, deadlines."""

import threading
import time

import pytest

from collectors.hyperv.client.columns import Columns
from collectors.hyperv.client.errors import Busy, NotThere
from collectors.hyperv.client.rows import Namespace, Query, quoted
from exporter.config.model import Tls
from exporter.contract import Meter
from exporter.errors import Malformed, TimedOut, Unreachable
from tests.backends.processes import until
from tests.backends.winrm import WinRM, stand_alone
from tests.integration.hyperv_client import DISKS, GUESTS, PROCESSORS, connected, failure, names, within

FOUR = ["HV-1", "guest-1", "guest-2", "guest-3"]


@pytest.fixture
def server():
    with WinRM(stand_alone(guests=3)) as started:
        yield started


@pytest.mark.parametrize(
    ("transport", "tls"),
    [
        pytest.param("ntlm", False, id="NTLM, sealed"),
        pytest.param("ntlm", True, id="NTLM over TLS"),
        pytest.param("negotiate", False, id="Negotiate, sealed"),
        pytest.param("negotiate", True, id="Negotiate over TLS"),
        pytest.param("basic", True, id="Basic over TLS"),
        pytest.param("certificate", True, id="a client certificate"),
    ],
)
def test_every_way_to_log_in_gives_the_rows(transport, tls):
    if transport == "negotiate":
        pytest.importorskip("pypsrp")
    bindings = tls and transport == "ntlm"
    with WinRM(stand_alone(guests=3), transport=transport, tls=tls, channel_bindings=bindings) as server:
        chosen = {}
        if transport == "certificate":
            chosen["tls"] = Tls(ca_file=server.ca_file, cert_file=server.cert_file, key_file=server.key_file)
        with connected(server, **chosen) as connection:
            assert names(connection) == FOUR
            assert names(connection) == FOUR
            assert connection.verified == tls
            assert (connection.tls_not_after is not None) == tls
            assert server.counts["connections"] == 1


def test_what_goes_over_http_is_sealed(server):
    with connected(server) as connection:
        names(connection)
    assert server.counts["logins"] == 1
    assert any(b"Msvm_ComputerSystem" in request for request in server.sites[0].requests)  # unsealed by the server


def test_rows_come_whole_however_many_pages_they_fill():
    with WinRM(stand_alone(guests=300)) as server, connected(server) as connection:
        found = connection.rows(PROCESSORS, within())
        expected = sum(1 for row in server.estate.instances[PROCESSORS.class_name])
        assert len(found) == expected == len({row["Name"] for row in found})
        assert connection.counts.pulls == server.counts["Pull"] >= 1
        assert connection.counts.enumerations == server.counts["Enumerate"] == 1
        assert server.open_enumerations == 0


def test_both_kinds_of_end_are_read(server):
    with server.misbehave("pull_prefix"), connected(server) as connection:
        assert names(connection) == FOUR


def test_a_condition_is_sent_as_it_is_meant(server):
    wanted = Query(GUESTS.namespace, GUESTS.class_name, GUESTS.columns, f"ElementName = {quoted('guest-2')}")
    with connected(server) as connection:
        assert [row["ElementName"] for row in connection.rows(wanted, within())] == ["guest-2"]


def test_columns_that_a_build_lacks_are_left_out_and_named():
    wanted = Query(
        Namespace.VIRTUALIZATION, "Msvm_ComputerSystem", ("ElementName", "Nonsense", "OperationalStatus", "AlsoNone")
    )
    with WinRM(stand_alone(build=2016, guests=2)) as server, connected(server) as connection:
        found = connection.rows(wanted, within())
        assert sorted(row["ElementName"] for row in found) == ["HV-1", "guest-1", "guest-2"]
        assert connection.missing(wanted) == {"Nonsense", "AlsoNone"}
        before = server.counts["Enumerate"]
        connection.rows(wanted, within())
        assert server.counts["Enumerate"] == before + 1  # what was found out is known
        assert server.open_enumerations == 0


def test_what_one_lane_found_out_the_other_knows(server):
    wanted = Query(GUESTS.namespace, GUESTS.class_name, ("Name", "Nonsense"))
    columns = Columns()
    with connected(server, columns=columns) as fast, connected(server, columns=columns) as slow:
        fast.rows(wanted, within())
        before = server.counts["faults"]
        assert slow.missing(wanted) == {"Nonsense"}
        slow.rows(wanted, within())
        assert server.counts["faults"] == before


@pytest.mark.parametrize(
    "query",
    [
        Query(Namespace.CLUSTER, "MSCluster_Node", ("Name", "State")),
        Query(Namespace.CIMV2, "Win32_Nonsense", ("Name",)),
    ],
)
def test_what_a_host_does_not_have_is_told_as_such(server, query):
    with connected(server) as connection:
        sentence = failure(NotThere, connection.rows, query, within())
        assert f"has no {query.namespace}/{query.class_name}" in sentence
        assert names(connection) == FOUR


def test_a_condition_that_makes_no_sense_is_not_taken_for_a_missing_class(server):
    wanted = Query(GUESTS.namespace, GUESTS.class_name, GUESTS.columns, "Nonsense =")
    with connected(server) as connection:
        assert "refuses the query of Msvm_ComputerSystem" in failure(Malformed, connection.rows, wanted, within())


def test_methods_only_read(server):
    with connected(server) as connection:
        path = next(iter(server.estate.instances["Msvm_StorageAllocationSettingData"]))["HostResource"][0]
        service = "Msvm_ImageManagementService"
        row = connection.invoke(Namespace.VIRTUALIZATION, service, "GetVirtualHardDiskState", {"Path": path}, within())
        assert row["ReturnValue"] == "0"
        assert 'CLASSNAME="Msvm_VirtualHardDiskState"' in row["State"]
        before = server.counts["requests"]
        for method in ("DeleteVirtualHardDisk", "RequestStateChange", "ResizeVirtualHardDisk"):
            with pytest.raises(ValueError, match="not on the list"):
                connection.invoke(Namespace.VIRTUALIZATION, service, method, {}, within())
        assert server.counts["requests"] == before


def test_a_host_tells_what_it_is_without_a_login(server):
    with server.misbehave("refuse"), connected(server) as connection:
        assert connection.identify(within())["ProductVendor"] == "Microsoft Corporation"
        assert server.counts["refused"] == 0


def test_requests_are_metered_by_operation(server):
    meter = Meter()
    with connected(server, meter=meter) as connection:
        connection.rows(PROCESSORS, within())
        taken = meter.take()
        assert taken["Enumerate"].count == 1
        assert taken["Pull"].count == connection.counts.pulls
        assert sum(each.received_bytes for each in taken.values()) == connection.counts.received_bytes > 0


@pytest.mark.parametrize("transport", ["ntlm", "negotiate"])
def test_a_connection_that_was_cut_while_idle_is_made_anew_unseen(transport):
    if transport == "negotiate":
        pytest.importorskip("pypsrp")
    with WinRM(stand_alone(guests=3), transport=transport) as server, connected(server) as connection:
        assert names(connection) == FOUR
        server.cut()
        assert names(connection) == FOUR
        assert server.counts["connections"] == 2


@pytest.mark.parametrize("part", [0, 40, 400])
@pytest.mark.parametrize("operation", ["Enumerate", "Pull"])
def test_a_query_that_loses_its_connection_begins_anew(operation, part):
    with WinRM(stand_alone(guests=300)) as server, connected(server) as connection:
        expected = connection.rows(PROCESSORS, within())
        with server.misbehave("close", operation=operation, times=1, part=part) as order:
            found = connection.rows(PROCESSORS, within())
            assert order.carried_out == 1
        assert {row["Name"] for row in found} == {row["Name"] for row in expected}
        assert len(found) == len(expected)


def test_a_query_that_the_host_forgets_begins_anew():
    with WinRM(stand_alone(guests=300)) as server, connected(server) as connection:
        with server.misbehave("expire", times=1) as order:
            found = connection.rows(PROCESSORS, within())
            assert order.carried_out == 1
        assert len(found) == len(server.estate.instances[PROCESSORS.class_name])
        assert server.counts["connections"] == 1


def test_a_host_that_always_closes_is_unreachable(server):
    with server.misbehave("close"), connected(server) as connection:
        assert "closes the connection" in failure(Unreachable, connection.rows, GUESTS, within())
    assert server.counts["connections"] <= 3


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_nothing_takes_longer_than_the_deadline(server, how):
    with connected(server) as connection:
        names(connection)
        begun = time.monotonic()
        with server.misbehave(how, operation="Enumerate", seconds=600 if how == "hang" else 0.05):
            sentence = failure(TimedOut, connection.rows, GUESTS, within(1.0))
        assert "did not answer before the deadline" in sentence
        assert time.monotonic() - begun < 5
        assert names(connection) == FOUR


def test_a_query_that_is_given_up_is_given_back():
    with WinRM(stand_alone(guests=300)) as server, connected(server) as connection:
        with server.misbehave("fault", name="quota", operation="Pull", times=1):
            failure(Busy, connection.rows, PROCESSORS, within())
        assert (server.counts["Release"], server.open_enumerations) == (1, 0)
        with server.misbehave("hang", operation="Pull"):
            failure(TimedOut, connection.rows, PROCESSORS, within(1.5))
        assert connection.rows(DISKS, within())  # over a new connection, which says so first
        assert server.counts["Release"] == 2


def test_a_stall_of_some_seconds_is_waited_for(server):
    with connected(server) as connection, server.misbehave("stall", operation="Enumerate", seconds=2):
        assert names(connection) == FOUR


def test_cutting_ends_a_hung_call_at_once_and_the_next_goes_well(server):
    with connected(server) as connection:
        names(connection)
        ended = []
        with server.misbehave("hang", operation="Enumerate") as order:
            asking = threading.Thread(target=lambda: ended.append(failure(TimedOut, names, connection, 60)))
            asking.start()
            until(lambda: order.carried_out == 1, 10, "the call to hang")
            begun = time.monotonic()
            connection.cut()
            asking.join(10)
            assert time.monotonic() - begun < 5
        assert "was given up" in ended[0]
        assert names(connection) == FOUR


def test_closing_while_a_call_hangs_ends_it_and_leaves_no_connection(server):
    ended = []
    with connected(server) as connection, server.misbehave("hang", operation="Enumerate") as order:
        asking = threading.Thread(target=lambda: ended.append(failure(TimedOut, names, connection, 60)))
        asking.start()
        until(lambda: order.carried_out == 1, 10, "the call to hang")
        connection.close()
        asking.join(10)
        assert ended
        connection.close()
        assert "is closed" in failure(Unreachable, names, connection)
