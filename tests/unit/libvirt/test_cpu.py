"""Virtual processors: nanoseconds per CPU to seconds per part."""

import pytest

from collectors.libvirt.mapping.cpu import guest_cpu, summed_cpu_time
from collectors.libvirt.mapping.record import Stats
from exporter.model import GuestCpu, Parts

RUN = 7


@pytest.mark.parametrize(
    ("stats", "seconds", "ready"),
    [
        pytest.param(
            {"vcpu.current": 1, "vcpu.maximum": 1, "vcpu.0.time": 1_500_000_000},
            Parts({"0": 1.5}, complete=True, epoch="7"),
            None,
            id="before libvirt 7.2 there is no delay",
        ),
        pytest.param(
            {"vcpu.current": 1, "vcpu.maximum": 1, "vcpu.0.time": 32_920_000_000, "vcpu.0.delay": 286_215_885},
            Parts({"0": 32.92}, complete=True, epoch="7"),
            Parts({"0": 0.286215885}, complete=True, epoch="7"),
            id="one CPU",
        ),
        pytest.param(
            {"vcpu.current": 2, "vcpu.maximum": 4, "vcpu.0.time": 10**9, "vcpu.3.time": 2 * 10**9},
            Parts({"0": 1.0, "3": 2.0}, complete=True, epoch="7"),
            None,
            id="CPUs 1 and 2 are unplugged",
        ),
        pytest.param(
            {"vcpu.current": 3, "vcpu.maximum": 3, "vcpu.0.time": 10**9, "vcpu.2.time": 10**9},
            Parts({"0": 1.0, "2": 1.0}, complete=False, epoch="7"),
            None,
            id="CPU 1 did not answer: no sum",
        ),
        pytest.param(
            {"vcpu.current": 1, "vcpu.maximum": 1, "vcpu.0.time": 0, "vcpu.0.wait": 5 * 10**9},
            Parts({"0": 0.0}, complete=True, epoch="7"),
            None,
            id="wait is no ready time; zero was observed",
        ),
        pytest.param({"vcpu.current": 2, "cpu.time": 2_500_000_000}, 2.5, None, id="a driver that knows the sum only"),
        pytest.param({"vcpu.current": 2}, None, None, id="nothing known is not zero"),
        pytest.param(
            {"vcpu.current": 10**9, "vcpu.maximum": 10**9, "vcpu.0.time": 10**9},
            Parts({"0": 1.0}, complete=False, epoch="7"),
            None,
            id="an absurd maximum costs no time",
        ),
    ],
)
def test_cpu_times_are_parts_in_seconds(stats, seconds, ready):
    assert guest_cpu(Stats(stats), run=RUN) == GuestCpu(stats["vcpu.current"], seconds=seconds, ready_seconds=ready)


def test_a_guest_that_is_off_has_cpus_but_no_times():
    stats = Stats({"vcpu.current": 2, "vcpu.maximum": 2, "vcpu.0.time": 10**9})
    assert guest_cpu(stats, run=None) == GuestCpu(vcpus=2)


@pytest.mark.parametrize(
    ("driver", "nanoseconds", "known"),
    [("lxc", 5, 5), ("lxc", 0, 0), ("esx", 0, None), ("hyper-v", 0, None), ("ch", 0, None), ("vbox", 3, 3)],
)
def test_a_zero_that_nobody_counts_is_unknown(driver, nanoseconds, known):
    assert summed_cpu_time([1, 4096, 4096, 1, nanoseconds], driver) == known
