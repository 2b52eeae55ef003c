"""A guest that goes to and fro between two libvirt daemons, asked at every moment of its way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from exporter.config.model import Profile
from tests.backends.estate import disk
from tests.backends.need import need
from tests.backends.processes import until
from tests.integration.libvirt_world import world

pytestmark = [pytest.mark.backend, pytest.mark.timeout(240)]

RARE = Profile(family_include=("hypervisor_host_migrations",))
TIMES = 8
GROUPS = ("vitals", "storage", "snapshots", "inventory")


@pytest.fixture(scope="module")
def labs():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv", "cc"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab(hostname="one.example") as one, LibvirtLab(hostname="two.example") as two:
        yield one, two


@contextmanager
def asked_without_end(labs) -> Iterator[tuple[dict[tuple[int, str], list], list[Exception]]]:
    """Every group of both daemons, over and over while the block runs: the observations and what was raised."""
    over = threading.Event()
    seen = {(number, group): [] for number in range(len(labs)) for group in GROUPS}
    raised: list[Exception] = []

    def ask(number: int, group: str) -> None:
        try:
            with world(labs[number].uri, profile=RARE) as session:
                while not over.is_set():
                    seen[number, group].append(session.collect(group))
        except Exception as error:  # noqa: BLE001  the test's thread looks at it
            raised.append(error)

    threads = [threading.Thread(target=ask, args=each) for each in seen]
    for thread in threads:
        thread.start()
    try:
        until(lambda: raised or all(seen.values()), 60, "first answers")
        yield seen, raised
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(("name", "flags"), [("stays defined", ()), ("leaves for good", ("--undefinesource",))])
def test_no_moment_of_a_migration_is_a_problem(labs, name, flags):
    from tests.backends.boot_sector import bootable

    source, target = labs
    devices = disk("raw", bootable(source, f"{name}.raw"), "vda")
    source.launch(name, paused=False, vcpus=2, memory_mib=16, devices=devices)
    with asked_without_end(labs) as (seen, raised):
        for _ in range(TIMES):
            source.migrate(name, target, "--persistent", *flags)
            source, target = target, source
    source.conn().lookupByName(name).destroy()
    assert raised == []
    observations = [each for answers in seen.values() for each in answers]
    assert [each.problems for each in observations if each.problems or each.partial] == []
    moved = {
        way for (_, group), answers in seen.items() if group == "storage"
        for each in answers for way, count in each.hosts[0].migrations.items() if count
    }  # fmt: skip
    assert moved == {"in", "out"}
    states = {guest.state.value for (_, group), found in seen.items() if group == "vitals"
              for each in found for guest in each.guests}  # fmt: skip
    assert {"running", "migrating"} <= states
