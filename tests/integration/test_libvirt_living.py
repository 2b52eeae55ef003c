"""A Linux guest that lives: what a session says of its CPU, disks and adapter is what the guest and its host count."""

import re
import time
from pathlib import Path

import pytest

from tests.backends.living_guest import MAC
from tests.backends.processes import until
from tests.integration.libvirt_world import key_values, world

pytestmark = pytest.mark.backend
HOST_MAC = "52:54:00:00:00:01"
BLOCK = 65536


@pytest.fixture
def session(living):
    with world(living.lab.uri) as opened:
        yield opened


def vitals(session):
    return session.guests("vitals")["living"]


def vcpu_seconds(living):
    """User and system time of the virtual CPU's thread."""
    monitor = living.lab.virsh("qemu-monitor-command", "living", "--hmp", "info cpus")
    thread = re.search(r"thread_id=(\d+)", monitor)[1]
    fields = Path(f"/proc/{living.lab.guest_pid('living')}/task/{thread}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_busy_cpu_counts_as_one_second_per_second_less_what_it_waited(living, session):
    def grown():
        """Seconds that the CPU ran or waited during at least so many and at most so many seconds of the clock."""
        moments, parts = [time.monotonic()], []
        for pause in (1.5, 0):
            cpu = vitals(session).cpu
            parts.append(cpu.seconds.values["0"] + cpu.ready_seconds.values["0"])
            moments.append(time.monotonic())
            time.sleep(pause)
            moments.append(time.monotonic())
        return parts[1] - parts[0], moments[2] - moments[1], moments[3] - moments[0]

    living.sh("while :; do :; done & echo $! >/tmp/burning")
    try:
        before, told, after = vcpu_seconds(living), vitals(session).cpu, vcpu_seconds(living)
        assert before <= told.seconds.values["0"] <= after
        busy, least, most = grown()
        # Other work of the emulator takes the lock that this thread needs, and the kernel counts in steps of 10 ms.
        assert 0.8 * least < busy < most + 0.05
    finally:
        living.sh("kill $(cat /tmp/burning)")
    idle, _, longest = grown()
    assert idle / longest < busy / most / 2


def test_disk_counters_are_what_was_moved_and_what_the_guest_counts(living, session):
    def inside():
        """Reads, sectors read, writes, sectors written, flushes of the third disk as the guest counts them."""
        fields = [int(each) for each in living.sh("cat /sys/block/vdc/stat").split()]
        return [fields[0], fields[2] * 512, fields[4], fields[6] * 512]

    def outside():
        disk = {each.disk: each for each in vitals(session).disks}["vdc"]
        return [disk.reads, disk.read_bytes, disk.writes, disk.written_bytes]

    inside_before, before = inside(), outside()
    living.sh(f"dd if=/dev/zero of=/dev/vdc bs={BLOCK} count=16 oflag=direct 2>&1")
    living.sh(f"dd if=/dev/vdc of=/dev/null bs={BLOCK} count=10 skip=2 iflag=direct 2>&1")
    inside_after, after = inside(), outside()
    moved = [new - old for new, old in zip(after, before, strict=True)]
    assert moved[2:] == [16, 16 * BLOCK]
    # Opening the device lets the guest look for partitions.
    assert moved == [new - old for new, old in zip(inside_after, inside_before, strict=True)]
    assert moved[0] >= 10
    assert moved[1] >= 10 * BLOCK
    told = key_values(living.lab.virsh("domblkstat", "living", "vdc").replace("vdc ", ""), " ")
    assert after == [int(told[key]) for key in ("rd_req", "rd_bytes", "wr_req", "wr_bytes")]


def test_what_the_guest_sends_is_transmitted_and_what_it_gets_is_received(living, session):
    if living.tap is None:
        pytest.skip("only root can make a tap")
    for command in (
        "echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6",
        f"ip link set eth0 up; ip addr add 192.0.2.2/24 dev eth0; arp -s 192.0.2.1 {HOST_MAC}",
    ):
        living.sh(command)

    def counters():
        """Frames and bytes that the guest received and sent: as the session, the host and the guest count them."""
        (nic,) = vitals(session).nics
        assert nic.nic == living.tap.name
        traffic = nic.traffic
        host = living.tap.statistic
        own = re.search(r"eth0:(.*)", living.sh("cat /proc/net/dev"))[1].split()
        return (
            [traffic.receive_packets, traffic.receive_bytes, traffic.transmit_packets, traffic.transmit_bytes],
            [host("tx_packets"), host("tx_bytes"), host("rx_packets"), host("rx_bytes")],
            [int(own[1]), int(own[0]), int(own[9]), int(own[8])],
        )

    before = counters()
    frame = bytes.fromhex((MAC + HOST_MAC).replace(":", "")) + b"\x88\xb5" + bytes(486)  # for experiments: no protocol
    for _ in range(100):
        living.tap.send(frame)
    living.sh("ping -c 5 -i 0.1 -W 1 -s 1000 192.0.2.1 || true")  # 1042 bytes in a frame; nobody answers
    expected = [100, 50_000, 5, 5210]

    def moved():
        return [[new - old for new, old in zip(*each, strict=True)] for each in zip(counters(), before, strict=True)]

    until(lambda: moved()[1] == expected and moved()[2] == expected, 30, "all frames at their places")
    assert moved()[0] == expected
    (described,) = session.guests("inventory")["living"].nics
    assert (described.nic, described.mac) == (living.tap.name, MAC)
