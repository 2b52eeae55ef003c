"""Counters made of realtime samples: what govc sees of the samples is what the ledger has counted, to the last one."""

import time

import pytest

from collectors.vsphere.mapping.counters import HOST_COUNTERS
from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_vitals_world import Collected, collecting

GUEST, PATH = "DC0_H0_VM0", "/DC0/vm/DC0_H0_VM0"
READY = "hypervisor_guest_cpu_ready_seconds_total"
HOUR = 3600


@pytest.fixture
def vcenter():
    with VCenter(*flags_of(hosts=1, machines=2)) as started:
        yield started


def ready(guest):
    return guest.cpu.ready_seconds


def sampled(vcenter, counter, count, path=PATH, instance="-"):
    """The newest values of a counter as govc prints them, percent as percent."""
    lines = vcenter.govc("metric.sample", "-n", str(count), "-instance", instance, path, counter).splitlines()
    (values,) = (line.split()[3] for line in lines if line.split()[2] == counter)
    return [float(value) for value in values.split(",")]


class Clock:
    """The clock of the vCenter's statistics, stepped by the test."""

    def __init__(self, vcenter) -> None:
        self._vcenter = vcenter
        self.at = self.begin = int(time.time()) // 20 * 20
        self.step(0)

    def step(self, seconds: int) -> None:
        self.at += seconds
        self._vcenter.order("statistics", now=self.at)


def poll(collected: Collected, clock: Clock, seconds: int) -> float | None:
    clock.step(seconds)
    collected.vitals()
    return collected.settled(READY, ready)[GUEST]


def test_over_an_hour_a_counter_grows_by_every_sample(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:
        assert poll(collected, clock, 0) == 0
        steps = [30, 31, 29, 7, 53, 30]  # about every 30 s, as a clock with other work does it
        while clock.at < clock.begin + HOUR:
            counted = poll(collected, clock, min(steps[clock.at % 6], clock.begin + HOUR - clock.at))
        milliseconds = sum(sampled(vcenter, "cpu.ready.summation", HOUR // 20))
        assert counted == pytest.approx(milliseconds / 1000)
        assert collected.problems() == {}


def test_bytes_of_disks_adapters_and_hosts_are_those_of_the_samples(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:

        def counted():
            collected.vitals()
            guest, host = collected.guest(GUEST), collected.host("DC0_H0")
            values = {
                "disk": guest.disks[0].written_bytes,
                "operations": guest.disks[0].writes,
                "nic": guest.nics[0].traffic.receive_bytes,
                "packets": guest.nics[0].traffic.receive_packets,
                "swap": guest.memory.swap_in_bytes,
                "pnic": host.nics[1].traffic.transmit_bytes,
                "busy": host.cpu.busy_seconds,
                "joules": host.power_joules,
            }
            return {name: collected.ledger.settle(name, [name], [value])[0] for name, value in values.items()}

        assert set(counted().values()) == {0.0}
        clock.step(200)
        found = counted()
        host = "/DC0/host/DC0_H0/DC0_H0"
        expected = {
            "disk": sum(sampled(vcenter, "virtualDisk.write.average", 10, instance="scsi0:0")) * 1024 * 20,
            "operations": sum(sampled(vcenter, "virtualDisk.numberWriteAveraged.average", 10, instance="scsi0:0")) * 20,
            "nic": sum(sampled(vcenter, "net.bytesRx.average", 10, instance="4000")) * 1024 * 20,
            "packets": sum(sampled(vcenter, "net.packetsRx.summation", 10, instance="4000")),
            "swap": sum(sampled(vcenter, "mem.swapinRate.average", 10)) * 1024 * 20,
            "pnic": sum(sampled(vcenter, "net.bytesTx.average", 10, host, "vmnic1")) * 1024 * 20,
            "busy": sum(sampled(vcenter, "cpu.utilization.average", 10, host)) / 100 * 2 * 20,  # two threads
            "joules": sum(sampled(vcenter, "power.energy.summation", 10, host)),
        }
        assert found == pytest.approx(expected)


def test_what_was_not_asked_for_within_the_hour_is_counted_as_missing(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        counted = poll(collected, clock, HOUR + 400)
        # The endpoint keeps 180 samples of 200: 20 of every object that runs are gone.
        assert collected.problems() == {"samples_missing": 20 * (4 + 2)}
        assert counted == pytest.approx(sum(sampled(vcenter, "cpu.ready.summation", 180)) / 1000)
        assert not collected.seen.partial
        poll(collected, clock, 30)
        assert collected.problems() == {}


def test_a_value_of_minus_one_adds_nothing_and_is_a_gap(vcenter):
    clock = Clock(vcenter)
    reference = vcenter.references("m")[PATH].split(":")[1]
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        before = poll(collected, clock, 100)
        vcenter.order("statistics", constant={f"{reference}/cpu.ready.summation": -1})
        assert poll(collected, clock, 60) == before
        assert collected.ledger.take()[1] == 3


def test_a_collection_that_fails_reads_the_same_samples_again(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        clock.step(100)
        vcenter.order("delay", QueryPerf=9000)
        collected.vitals(seconds=4)
        assert collected.seen.partial
        vcenter.clear()
        assert poll(collected, clock, 40) == pytest.approx(sum(sampled(vcenter, "cpu.ready.summation", 7)) / 1000)


def test_a_guest_that_was_off_has_no_gap(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        vcenter.govc("vm.power", "-off", PATH)
        off = poll(collected, clock, 400)
        assert off is None
        vcenter.govc("vm.power", "-on", PATH)
        poll(collected, clock, HOUR)
        # Of the time it was off there are no samples that could be missing, though an hour is all that is kept.
        assert collected.problems() == {}


def test_a_guest_deleted_while_its_samples_are_asked_for_costs_nobody_else(vcenter):
    clock = Clock(vcenter)
    reference = vcenter.references("m")[PATH]
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        clock.step(100)
        vcenter.fault(
            "ManagedObjectNotFound",
            method="QueryPerf",
            properties={"obj": {"type": "VirtualMachine", "value": reference.split(":")[1]}},
            times=1,
        )
        collected.vitals()
        assert GUEST not in {guest.name for guest in collected.seen.guests}
        assert len(collected.seen.guests) == 3
        assert all(guest.cpu.seconds.timestamps for guest in collected.seen.guests)
        assert collected.problems() == {}


def test_a_limit_of_metrics_makes_queries_smaller_and_loses_nothing(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        vcenter.order("statistics", limit=40)
        vcenter.calls()
        counted = poll(collected, clock, 100)
        assert counted == pytest.approx(sum(sampled(vcenter, "cpu.ready.summation", 5)) / 1000)
        assert (collected.seen.partial, collected.problems()) == (False, {})
        first = vcenter.calls()["QueryPerf"]
        poll(collected, clock, 30)
        assert vcenter.calls()["QueryPerf"] < first  # it has learned what the endpoint bears


def test_one_object_that_cannot_be_asked_is_found_and_then_left_alone(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        vcenter.fault("InvalidState", method="QueryPerf", times=4)  # the whole, the half, the quarter, one object
        poll(collected, clock, 100)
        assert collected.problems() == {"object_inaccessible": 1}
        assert len(collected.seen.guests) == 4
        vcenter.clear()
        poll(collected, clock, 30)
        assert collected.problems() == {"object_inaccessible": 1}


def test_guests_that_are_off_and_hosts_out_of_reach_are_not_asked(vcenter):
    clock = Clock(vcenter)
    with collecting(vcenter) as collected:
        poll(collected, clock, 0)
        for path, reference in vcenter.references("h").items():
            if path.endswith("DC0_H0"):
                vcenter.set(reference, {"runtime.connectionState": "disconnected"})
        for name in ("DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1"):
            vcenter.govc("vm.power", "-off", f"/DC0/vm/{name}")
        vcenter.order("statistics", limit=len(HOST_COUNTERS))  # what asks for more than one host is refused
        vcenter.calls()
        poll(collected, clock, 100)
        assert vcenter.calls()["QueryPerf"] == 1
        assert collected.guest(GUEST).cpu.seconds is None
        assert collected.host("DC0_H0").cpu.busy_seconds is None
        assert collected.host("DC0_C0_H0").cpu.busy_seconds.timestamps
