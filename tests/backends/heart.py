"""A guest that lives without an operating system: a boot sector that computes, writes to its disk and sleeps.

At each tick of the PC's timer (18 a second) it writes one sector through the firmware and computes for a few
milliseconds, so that CPU time and disk counters grow by themselves. It works in 4 MiB of memory under TCG.
"""

import os
from pathlib import Path

from tests.backends.libvirt_lab import LibvirtLab

SECTOR = bytes.fromhex(
    "31c0 8ed8 8ec0"  # xor ax, ax; mov ds, ax; mov es, ax
    "fb f4"  # tick: sti; hlt
    "b80103 b90200 ba8000 bb007c cd13"  # write 1 sector from 0:7c00 to sector 2 of the first disk
    "bf0800"  # mov di, 8
    "b90000 e2fe"  # compute: mov cx, 0 (65,536 times); loop to itself
    "4f 75f8"  # dec di; jnz compute
    "ebe3"  # jmp tick
)
BLOCK_BYTES = 512


FILL_AT = 2**20  # above what the firmware and the boot sector use
FILL = """\
<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <qemu:arg value='-device'/>
  <qemu:arg value='loader,file={file},addr={address},force-raw=on'/>
</qemu:commandline>"""


def heart(lab: LibvirtLab, name: str, mib: int = 1) -> Path:
    """A raw image of so many MiB that a guest can be started from; but for two sectors it is a hole."""
    path = lab.scratch.directory("images") / name
    with path.open("wb") as image:
        image.write(SECTOR.ljust(BLOCK_BYTES - 2, b"\0") + b"\x55\xaa")
        image.truncate(mib * 2**20)
    lab.scratch.own(path)
    return path


def filled(lab: LibvirtLab, mib: int) -> str:
    """For a guest's `head`: so many MiB of its memory hold noise, which takes its time to move elsewhere."""
    noise = lab.scratch.directory("images") / f"noise-{mib}"
    noise.write_bytes(os.urandom(mib * 2**20))
    lab.scratch.own(noise)
    return FILL.format(file=noise, address=FILL_AT)
