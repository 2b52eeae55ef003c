"""Guests without an operating system: boot sectors that live, suspend, switch themselves off, panic or hang.

Under TCG in 4 MiB of memory. What the hardware of QEMU's machine `pc` does at a port is its documentation's: firmware
puts power management at 0x600, the panic device is at 0x505, the watchdog ib700 at 0x443.
"""

import os
from pathlib import Path

from tests.backends.libvirt_lab import LibvirtLab

BLOCK_BYTES = 512
SEGMENTS = "31c0 8ed8 8ec0"  # xor ax, ax; mov ds, ax; mov es, ax
HALT = "fa f4 ebfc"  # cli; halt: hlt; jmp halt

HEART = (
    f"{SEGMENTS} fb f4"  # tick: sti; hlt
    "b80103 b90200 ba8000 bb007c cd13"  # write 1 sector from 0:7c00 to sector 2 of the first disk
    "bf0800"  # mov di, 8
    "b90000 e2fe"  # compute: mov cx, 0 (65,536 times); loop to itself
    "4f 75f8"  # dec di; jnz compute
    "ebe3"  # jmp tick
)
"""Writes a sector and computes some milliseconds at each tick of the PC's timer, 18 a second."""
SLEEPER = f"ba0406 b80024 ef {HALT}"  # out 0x604, 0x2400: sleep state 3
LEAVER = f"ba0406 b80020 ef {HALT}"  # out 0x604, 0x2000: soft off
PANICKER = f"ba0505 b001 ee {HALT}"  # out 0x505, 1
HANGER = f"ba4304 b00f ee {HALT}"  # out 0x443, 15: the watchdog bites at once

FILL_AT = 2**20  # above what the firmware and the boot sector use
FILL = """\
<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <qemu:arg value='-device'/>
  <qemu:arg value='loader,file={file},addr={address},force-raw=on'/>
</qemu:commandline>"""


def bootable(lab: LibvirtLab, name: str, sector: str = HEART, mib: int = 1) -> Path:
    """A raw image of so many MiB that a guest can be started from; but for the sector it is a hole."""
    path = lab.scratch.directory("images") / name
    with path.open("wb") as image:
        image.write(bytes.fromhex(sector).ljust(BLOCK_BYTES - 2, b"\0") + b"\x55\xaa")
        image.truncate(mib * 2**20)
    lab.scratch.own(path)
    return path


def filled(lab: LibvirtLab, mib: int) -> str:
    """For a guest's `head`: so many MiB of its memory hold noise, which takes its time to move elsewhere."""
    noise = lab.scratch.directory("images") / f"noise-{mib}"
    noise.write_bytes(os.urandom(mib * 2**20))
    lab.scratch.own(noise)
    return FILL.format(file=noise, address=FILL_AT)
