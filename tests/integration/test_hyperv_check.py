"""What `check --connect` says of a Hyper-V host: the right that is missing and its remedy, or the circumstance, in one
sentence. And how often a password that is refused is tried, by a daemon."""

import socket
import sys
from contextlib import ExitStack

import pytest

from collectors.hyperv.client import carriers
from exporter import cli
from tests.backends.daemon import FAST, Daemon, document
from tests.backends.processes import until
from tests.backends.winrm import WinRM, cluster, stand_alone
from tests.backends.winrm.hosts import PERF

V2, CIMV2, CLUSTER = "root/virtualization/v2", "root/cimv2", "root/MSCluster"
ENABLE_COSTS = "what the host is and its volumes are absent, usage of processors"
GUESTS_ABSENT = "guests, their state, disks and checkpoints are absent"
USAGE_ABSENT = "usage of processors, memory, disks and network is absent"
ADMINISTRATORS = "membership of Hyper-V Administrators"
MONITORS = "membership of Performance Monitor Users"
ENABLE = "Enable Account and Remote Enable on root/cimv2"
METHODS = "Execute Methods on root/virtualization/v2"
MANAGEMENT = "membership of Remote Management Users"
TO_GROUP = "add it to the local group {}"
SCRIPT = "deploy/permissions/hyperv/Grant-Monitoring.ps1 grants it"


def one_target(server, password=None, **more):
    addresses = {site.name: site.host for site in server.sites}
    target = {"name": "hv", "platform": "hyperv", "address": server.url, "auth": "a", **more}
    target["options"] = {"node_addresses": addresses, **more.get("options", {})}
    account = {"a": {"username": server.user, "password": password or server.password}}
    return document([target], auths=account, profiles={"default": {"intervals": dict.fromkeys(FAST, "60s")}})


@pytest.fixture
def check(tmp_path, capsys):
    """Runs `check --connect`: the exit code, and the lines on stderr."""

    def run(server, **how):
        file = tmp_path / "config.yml"
        file.write_text(one_target(server, **how))
        code = cli.main(["check", "--connect", f"--config.file={file}"])
        lines = [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  hv: ")]
        return code, [line.removeprefix("hv: ") for line in lines if "one collection cannot make" not in line]

    return run


def rights(said):
    return [line.removeprefix("rights: the account lacks ") for line in said if line.startswith("rights: ")]


@pytest.fixture(scope="module")
def server():
    with WinRM(stand_alone()) as started:
        yield started


def test_a_host_that_tells_everything_is_well(server, check):
    assert check(server) == (0, [])


@pytest.mark.parametrize(
    ("kind", "where", "told"),
    [
        ("access_denied", {"namespace": V2, "operation": "Enumerate|Pull"}, (ADMINISTRATORS, GUESTS_ABSENT, TO_GROUP)),
        ("empty", {"namespace": V2}, (ADMINISTRATORS, GUESTS_ABSENT, TO_GROUP)),
        ("provider_denied", {"class_name": PERF + "%"}, (MONITORS, USAGE_ABSENT, TO_GROUP)),
        ("empty", {"class_name": PERF + "%"}, (MONITORS, USAGE_ABSENT, TO_GROUP)),
        (
            "wmi_access_denied",
            {"namespace": CIMV2},
            (ENABLE, ENABLE_COSTS, "grant both in"),
        ),
        ("empty", {"namespace": CIMV2}, (ENABLE, ENABLE_COSTS, "grant both in")),
        ("empty", {"operation": "Enumerate"}, (ENABLE, USAGE_ABSENT, "grant both in")),
        ("access_denied", {"operation": "Invoke"}, (METHODS, "chain of virtual disks' files are absent", "disk_files")),
        ("access_denied", {"operation": "Enumerate"}, (MANAGEMENT, "nothing at all is told", TO_GROUP)),
    ],
)
def test_a_right_that_is_missing_is_named_alone_with_its_cost_and_its_remedy(server, check, kind, where, told):
    right, costs, remedy = told
    order = (kind, where) if kind == "empty" else ("fault", {"name": kind, **where})
    with server.misbehave(order[0], **order[1]):
        code, said = check(server)
    (sentence,) = rights(said)
    assert code == 1
    assert sentence.startswith(f"{right} on the host: ")
    assert costs in sentence
    assert remedy.format(right.removeprefix("membership of ")) in sentence
    assert SCRIPT in sentence


@pytest.mark.parametrize("kind", ["access_denied", "empty"])
def test_a_cluster_that_may_not_be_read_is_named(check, kind):
    with WinRM(cluster(nodes=2, guests=2)) as server, ExitStack() as stack:
        order = ("empty", {}) if kind == "empty" else ("fault", {"name": kind})
        for site in server.sites:
            stack.enter_context(site.misbehave(order[0], namespace=CLUSTER, **order[1]))
        code, said = check(server)
    (sentence,) = rights(said)
    assert code == 1
    assert sentence.startswith("access to the cluster on the host: the cluster is taken for a single host")
    assert "run Grant-ClusterAccess -User ACCOUNT -ReadOnly on one node" in sentence


def test_a_right_that_is_missing_on_one_node_names_the_node(check):
    with WinRM(cluster(nodes=3, guests=6)) as server, server.node("HV-3").misbehave("empty", namespace=V2):
        code, said = check(server)
    (sentence,) = rights(said)
    assert code == 1
    assert sentence.startswith(f"{ADMINISTRATORS} on 1 of 3 nodes (hv-3): ")


def test_guests_that_are_all_off_are_missed_too(check):
    """No counter gives them away; but a host that may be read shows itself."""
    estate = stand_alone(guests=0)
    with WinRM(estate) as server, server.misbehave("empty", namespace=V2):
        code, said = check(server)
    assert code == 1
    assert any("shows no systems, not even itself" in line for line in said)


# Circumstances: the whole of what is said.


def vitals_of(said):
    (first, *_) = [line for line in said if line.startswith(("inventory: ", "vitals: "))]
    return first.partition(": ")[2]


def test_nothing_listens_there(server, check):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    code, said = check(server, address=url)
    assert (code, said) == (
        1,
        [
            (
                f"inventory: unreachable: {url}/wsman refuses the connection: "
                "is the address right, and does a firewall let it through?"
            )
        ],
    )


def test_http_and_https_are_told_apart(server, check):
    url = server.url.replace("http:", "https:")
    sentence = f"unreachable: {url}/wsman does not speak TLS: is it the port of https (5986)?"
    assert check(server, address=url) == (1, [f"inventory: {sentence}"])
    with WinRM(stand_alone(), tls=True) as secure:
        code, (said,) = check(secure, address=secure.url.replace("https:", "http:"))
    assert code == 1
    assert said.startswith("inventory: unreachable: ")
    assert said.endswith(": is WinRM starting, or does that port speak https?")


@pytest.mark.parametrize("refusal", ["password", "lock"])
def test_a_wrong_password_and_a_lock_look_the_same(server, check, refusal):
    if refusal == "lock":
        with server.misbehave("refuse"):
            code, said = check(server)
    else:
        code, said = check(server, password="wrong")
    assert (code, said) == (
        1,
        [
            (
                f"inventory: auth_failed: {server.endpoint} refuses the account (401): a wrong password, "
                "an account that is locked, disabled or expired, one that may not log on over the network, "
                "or ntlm being forbidden there: "
                "these all look the same from here, see event 4625 in its Security log"
            )
        ],
    )


def test_a_clock_that_kerberos_does_not_accept(server, check, monkeypatch):
    pytest.importorskip("pypsrp")
    skewed = type("KerberosError", (Exception,), {"__module__": "gssapi.exceptions"})

    def send(*_):
        raise skewed("Major (851968): Unspecified GSS failure. Minor (2529638949): Clock skew too great")

    monkeypatch.setattr(carriers._Pypsrp, "send", send)
    code, said = check(server, options={"transport": "negotiate"})
    assert (code, said) == (
        1,
        [
            (
                f"inventory: unreachable: {server.endpoint}: the clocks of this machine and of the domain "
                "differ by too much: set the time (NTP) (Clock skew too great)"
            )
        ],
    )


@pytest.mark.parametrize("password", [True, False])
def test_a_library_that_only_kerberos_needs_is_named(server, check, monkeypatch, password):
    def client(*_, **__):
        raise ImportError("GSSAPIProxy requires the Python gssapi library: No module named 'gssapi'")

    monkeypatch.setitem(sys.modules, "krb5", None)
    monkeypatch.setattr("spnego.client", client)
    if not password:
        monkeypatch.setattr("exporter.secrets.SecretSource.read", lambda _: None)
    code, (said,) = check(server, options={"transport": "kerberos"})
    assert code == 1
    assert said.startswith("inventory: unreachable: ")
    assert "pip install 'hypervisor-exporter[kerberos]', which compiles: Debian's libkrb5-dev, gcc" in said


def test_negotiate_needs_no_library_of_kerberos(server, check, monkeypatch):
    monkeypatch.setitem(sys.modules, "krb5", None)
    with WinRM(stand_alone(guests=1), transport="negotiate") as other:
        code, _ = check(other, options={"transport": "negotiate"})
    assert code == 0


def test_a_host_without_hyperv(check):
    estate = stand_alone()
    estate.absent_namespaces.add(V2)
    with WinRM(estate) as server:
        code, said = check(server)
    assert (code, said) == (
        0,
        ["vitals: role_absent (1): HV-1 has no virtual machine management: is Hyper-V installed?"],
    )


def test_a_quota_that_is_used_up_is_an_endpoint_to_leave_alone(server, check):
    with server.misbehave("fault", name="quota_operations", reason="Превышено число операций.", operation="Enumerate"):
        code, said = check(server)
    assert (code, said) == (
        1,
        [
            (
                f"inventory: unreachable: {server.endpoint} takes no more operations of this account "
                "(InternalError 2150859174): find who else uses it, or raise MaxConcurrentOperationsPerUser under "
                "winrm/config/service"
            )
        ],
    )


def test_an_answer_that_does_not_fit_costs_what_it_tells(server, check):
    with server.misbehave("fault", name="envelope", class_name="Msvm_SummaryInformation"):
        code, said = check(server)
    assert code == 0
    assert said == [
        (
            "vitals: malformed_object (1): Msvm_SummaryInformation: an answer about Msvm_SummaryInformation "
            f"does not fit into an envelope of {server.endpoint} (2150858824): "
            "raise MaxEnvelopeSizekb under winrm/config"
        )
    ]


def test_nodes_whose_names_nobody_knows(check):
    with WinRM(cluster(nodes=2, guests=2)) as server:
        code, (said,) = check(server, options={"node_addresses": {}, "node_address": "{node}.invalid"})
        only = {"HV-1": "127.0.0.1", "HV-2": "no-such-host.invalid"}
        partly = check(server, options={"node_addresses": only})
    assert code == 1
    assert "http://hv-1.invalid" in said
    assert "the name is not known" in said
    assert said.endswith("If not, options.node_address or node_addresses says where nodes answer")
    assert partly[0] == 0
    assert any(line.startswith("vitals: node_unread (1): hv-2: http://no-such-host.invalid") for line in partly[1])


# What a daemon does about it.


def test_a_refused_password_is_tried_once_for_all_nodes_and_another_at_once(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    with WinRM(cluster(nodes=3, guests=3)) as server:
        account = {"a": {"username": server.user, "password": {"file": str(secret)}}}
        target = {"name": "hv", "platform": "hyperv", "address": server.url, "auth": "a"}
        target["options"] = {"node_addresses": {site.name: site.host for site in server.sites}}
        with Daemon(document([target], auths=account, profiles={"default": {"intervals": FAST}})) as daemon:
            held = {"target": "hv", "group": "vitals", "outcome": "held"}
            ticks = lambda: daemon.page().value("hypervisor_target_collections_total", **held) or 0  # noqa: E731
            until(lambda: server.counts["refused"], 60, "the refusal", daemon.child)
            before = ticks()
            until(lambda: ticks() >= before + 3, 60, "three ticks held back", daemon.child)
            assert daemon.page().value("hypervisor_target_up", target="hv") == 0
            assert (server.counts["refused"], server.counts["logins"]) == (1, 0)
            secret.write_text(f"{server.password}\n")
            daemon.wait_for("hypervisor_target_up", 1, 60, target="hv")
            assert server.counts["refused"] == 1
            assert daemon.log().count("refuses the account (401)") <= 2  # the group, and the target
            assert server.password not in daemon.log()


def test_two_targets_of_one_cluster_are_told_and_clusters_of_one_name_are_not():
    elsewhere = cluster(nodes=1, guests=1)
    elsewhere.row("MSCluster_Cluster")["Fqdn"] = "HVC-1.other.example"
    with WinRM(cluster(nodes=2, guests=2)) as server, WinRM(elsewhere) as other:
        nodes = {site.name: site.host for site in server.sites}
        addresses = {"by-1": server.sites[0].url, "by-2": server.sites[1].url, "other": other.url}
        common = {"platform": "hyperv", "auth": "a", "options": {"node_addresses": nodes}}
        targets = [{**common, "name": name, "address": address} for name, address in addresses.items()]
        account = {"a": {"username": server.user, "password": server.password}}
        with Daemon(document(targets, auths=account)) as daemon:
            overlap = {"problem": "overlapping_target", "group": "vitals"}
            daemon.wait_for("hypervisor_target_problems", 1, 40, target="by-1", **overlap)
            page = daemon.wait_for("hypervisor_target_problems", 1, 40, target="by-2", **overlap)
            assert page.find("hypervisor_guest_info", target="other")
            assert not page.value("hypervisor_target_problems", target="other", **overlap)


def test_a_node_that_refuses_is_asked_again_once_the_secret_changes(tmp_path):
    secret = tmp_path / "password"
    with WinRM(cluster(nodes=2, guests=2)) as server:
        secret.write_text(server.password)
        account = {"a": {"username": server.user, "password": {"file": str(secret)}}}
        target = {"name": "hv", "platform": "hyperv", "address": server.url, "auth": "a"}
        target["options"] = {"node_addresses": {site.name: site.host for site in server.sites}}
        node = server.node("HV-2")
        with node.misbehave("refuse"), Daemon(document([target], auths=account)) as daemon:
            unread = {"target": "hv", "group": "vitals", "problem": "node_unread"}
            daemon.wait_for("hypervisor_target_problems", 1, 30, **unread)
            ticks = {"target": "hv", "group": "vitals", "outcome": "partial"}
            counted = lambda: daemon.page().value("hypervisor_target_collections_total", **ticks) or 0  # noqa: E731
            until(lambda: counted() >= 3, 60, "three collections", daemon.child)
            assert node.counts["refused"] <= 2, "one attempt of each lane"
            node.orders.clear()
            server.password = "another"
            secret.write_text("another")
            daemon.wait_for("hypervisor_guest_vcpus", 2, 60, target="hv", guest="guest-2")
