"""A virtual CPU with a history is unplugged from a real Linux: the hypervisor's own sum falls, the counter does not."""

from contextlib import suppress
from subprocess import CalledProcessError

import pytest

from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.need import need
from tests.backends.processes import until
from tests.e2e.conftest import Virsh, fresh_page

pytestmark = [pytest.mark.backend, pytest.mark.timeout(300)]

NAME = "plugging"
CPU, VCPUS = "hypervisor_guest_cpu_seconds_total", "hypervisor_guest_vcpus"
BURN = "timeout 3 sh -c 'while :; do :; done' || :"
ONLINE = "for cpu in /sys/devices/system/cpu/cpu[1-9]; do echo 1 >$cpu/online; done"


@pytest.fixture(scope="module")
def guest():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv", "apt-get", "dpkg-deb"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab
    from tests.backends.living_guest import DEVICES, FIRMWARE, MEMORY_MIB, LivingGuest, boot_files

    with LibvirtLab() as lab:
        kernel, initrd = boot_files(lab)
        folder = lab.scratch.directory(NAME)
        living = LivingGuest(lab, NAME, lab.scratch.file(f"{NAME}/console", ""), folder / "commands")
        disks = {each: lab.image(f"{NAME}-{each}", "16M", "raw") for each in ("first", "second", "third")}
        lab.launch(
            NAME,
            paused=False,
            vcpus=1,
            max_vcpus=3,
            memory_mib=MEMORY_MIB,
            head="<features><acpi/></features>",
            firmware=FIRMWARE.format(kernel=kernel, initrd=initrd),
            devices=DEVICES.format(console=living.console, commands=living.commands, stats="", **disks),
        )
        living.await_boot()
        yield living


def test_a_cpu_that_is_unplugged_stays_in_the_sum_and_grows_no_more(guest):
    lab, virsh = guest.lab, Virsh(guest.lab)

    def summed() -> float:
        stats = virsh.domstats(NAME)
        times = (value for key, value in stats.items() if key.startswith("vcpu.") and key.endswith(".time"))
        return sum(map(int, times)) / 1e9

    with Daemon(document([libvirt("lab", lab.uri)])) as daemon:
        lab.virsh("setvcpus", NAME, "3", "--live")
        until(lambda: guest.sh("ls -d /sys/devices/system/cpu/cpu[0-9] | wc -l").strip() == "3", 30, "three CPUs")
        guest.sh(ONLINE)
        guest.sh(" & ".join([f"({BURN})"] * 3) + " & wait")
        before = fresh_page(daemon)
        full = summed()
        assert before.value(VCPUS, guest=NAME) == 3
        assert 0 < before.value(CPU, guest=NAME) <= full
        with suppress(CalledProcessError):  # Debian 12's libvirt does not hear from QEMU under TCG that it is done
            lab.virsh("setvcpus", NAME, "2", "--live")
        until(lambda: summed() < full, 60, "a sum without the CPU that is gone")
        left, after = summed(), fresh_page(daemon)
        assert after.value(VCPUS, guest=NAME) == int(virsh.domstats(NAME)["vcpu.current"])
        assert after.value(CPU, guest=NAME) >= before.value(CPU, guest=NAME)
        guest.sh(BURN)
        later = fresh_page(daemon)
        grown = later.value(CPU, guest=NAME) - after.value(CPU, guest=NAME)
        assert 0 < grown <= summed() - left, "only what is left counts"
