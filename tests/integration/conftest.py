"""Back ends that only tests against real hypervisors ask for."""

import os
from collections.abc import Iterator

import pytest

from tests.backends.debs import TOOLS
from tests.backends.need import need
from tests.backends.processes import BackendError


@pytest.fixture(scope="module")
def living() -> Iterator:
    """A LivingGuest named "living" that has booted, in a lab of its own. Its agent is off until a test starts it."""
    need([*TOOLS, "libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends import living_guest
    from tests.backends.debs import unpacked
    from tests.backends.libvirt_lab import LibvirtLab

    try:
        unpacked(*living_guest.PACKAGES)
    except BackendError as error:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            raise
        pytest.skip(str(error))
    with LibvirtLab() as lab, living_guest.tap_if_possible(lab) as tap:
        guest = living_guest.launch(lab, "living", tap=tap)
        guest.await_boot()
        yield guest
        lab.discard("living")
