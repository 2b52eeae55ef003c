"""Our own platforms keep the contract, in every world that we have for them."""

import importlib.util

import pytest

from tests.backends.need import need
from tests.contract.suite import run_suite
from tests.scripted.build import SITE

LOOKS = ("simulated", "simulated.vsphere", "simulated.hyperv", "simulated.libvirt", "simulated.proxmox")
FAULTS = {
    "a_hung_endpoint_does_not_keep_its_session",
    "a_session_survives_a_hung_endpoint",
    "a_session_survives_a_vanished_endpoint",
    "a_broken_part_does_not_hide_the_rest",
}
CREDENTIALS = {"refused_credentials_are_told_as_such", "no_secret_is_told"}


def test_the_scripted_platform_keeps_it_with_every_fault(tmp_path):
    (verdict,) = run_suite(tmp_path, ["scripted"], sites=[SITE]).values()
    assert (verdict.failed, verdict.skipped) == ({}, {})
    assert len(verdict.passed) >= 36


@pytest.mark.parametrize("look", LOOKS)
def test_the_simulated_fleet_keeps_it_in_every_look_with_every_fault(tmp_path, look):
    (verdict,) = run_suite(tmp_path, [look]).values()
    assert (verdict.failed, verdict.skipped) == ({}, {})
    assert len(verdict.passed) >= 37


@pytest.mark.backend
def test_vsphere_keeps_it_in_front_of_a_simulated_vcenter(tmp_path):
    (verdict,) = run_suite(tmp_path, ["vsphere"]).values()
    assert (verdict.failed, verdict.skipped) == ({}, {})
    assert len(verdict.passed) >= 37


def test_hyperv_keeps_it_in_front_of_a_cluster_of_doubles(tmp_path):
    (verdict,) = run_suite(tmp_path, ["hyperv"]).values()
    assert (verdict.failed, verdict.skipped) == ({}, {})
    assert len(verdict.passed) >= 37


def test_libvirt_keeps_it_in_the_world_it_brings(tmp_path):
    if not importlib.util.find_spec("libvirt"):
        pytest.skip("libvirt-python is not installed")
    (verdict,) = run_suite(tmp_path, ["libvirt"]).values()
    assert verdict.failed == {}
    # A driver inside our process neither hangs nor asks for a password.
    assert set(verdict.skipped) == FAULTS | CREDENTIALS


@pytest.mark.backend
def test_libvirt_keeps_it_with_a_real_daemon(tmp_path):
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    world = "--world=libvirt=tests.contract.lab_world:world"
    (verdict,) = run_suite(tmp_path, ["libvirt"], flags=[world]).values()
    assert verdict.failed == {}
    assert set(verdict.skipped) == CREDENTIALS
