"""Answers that a real Windows Server 2012 has given, as the model has them; numbers were read in them by eye."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.hyperv.client.parsing import answer, page
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.host import booted_at, clock, host_facts
from collectors.hyperv.mapping.storage import local_volumes

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "wsman" / "server_2012"
pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"{CAPTURES} is not here")


def rows(class_name, shape):
    found = []
    for file in sorted(CAPTURES.glob(f"{class_name}_{shape}_*.xml")):
        found += page(answer(file.read_bytes(), "Pull").content, "Pull").rows
    return found


@pytest.mark.parametrize("shape", ["star", "all"])
def test_a_host(shape):
    odd = []
    found = {
        table: rows(table.class_name, shape) for table in (tables.COMPUTER, tables.PACKAGES, tables.OPERATING_SYSTEM)
    }
    facts = host_facts(found, odd)
    assert (facts.name, facts.vendor, facts.model) == ("AMAZONA-SDFU7B1", "Xen", "HVM domU")
    assert (facts.sockets, facts.cores, facts.threads, facts.frequency_hertz) == (1, 1, 1, 2.113e9)
    assert facts.cpu_model == "Intel(R) Xeon(R) CPU E5645 @ 2.40GHz"
    assert facts.memory_bytes == 644468736
    (system,) = found[tables.OPERATING_SYSTEM]
    assert tables.VISIBLE_MEMORY(system, odd) == tables.VISIBLE_MEMORY.raw(system, odd) * 1024
    booted = datetime(2013, 4, 15, 16, 28, 43, 488171, UTC).timestamp()
    assert booted_at(found, odd) == pytest.approx(booted, abs=1e-5)
    assert clock(found) > booted
    assert odd == []


def test_free_memory_of_one_of_the_shapes():
    (system,) = rows("Win32_OperatingSystem", "all")
    assert tables.FREE_MEMORY(system, []) == 58472 * 1024


@pytest.mark.parametrize("shape", ["star", "all"])
def test_volumes(shape):
    odd = []
    found = rows("Win32_Volume", shape)
    reserved = next(row for row in found if row["Label"] == "System Reserved")
    assert (tables.CAPACITY(reserved, odd), reserved["FileSystem"]) == (366997504, "NTFS")
    volumes = local_volumes(found, odd, host_id="h", host="", target="t", now=0.0)
    names = {each.storage.name for each in volumes}
    assert "C:" in names, "what has a letter is told"
    assert all(each.storage.id and not each.storage.name.startswith("\\\\?") for each in volumes)
    assert odd == []
