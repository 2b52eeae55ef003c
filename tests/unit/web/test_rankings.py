"""What the first page ranks, in words."""

from datetime import UTC, datetime

from exporter.web.page import render_first_page, size
from exporter.web.source import EstateStatus, FullStorage, Glance, LoadedHost, OldSnapshot

NOW = datetime.fromtimestamp(100 * 86400, UTC)


def page(**glance) -> str:
    return " ".join(render_first_page(EstateStatus("1", (), Glance(**glance)), NOW).split())


def test_snapshots_are_told_with_their_age():
    shown = page(snapshots=(OldSnapshot("kvm", "<db>", 3, 86400.0 * 60, 2, None),), guests_with_snapshots=7)
    assert "Oldest snapshots <small>1 of 7 guests with snapshots</small>" in shown
    assert '<th scope="row">&lt;db&gt;</th><td>kvm</td><td>40 d</td><td>3</td><td>2</td>' in shown


def test_hosts_and_storage_are_told_in_percent_and_what_is_unknown_is_a_dash():
    shown = page(
        hosts=(LoadedHost("kvm", "h", 4.5, None),),
        storages=(FullStorage("kvm", "pool", 0.84, 1.5, 16 * 1024.0**3),),
    )
    assert '<th scope="row">h</th><td>kvm</td><td>-</td><td>4.5</td>' in shown
    assert '<th scope="row">pool</th><td>kvm</td><td>84%</td><td>150%</td><td>16 GiB</td>' in shown


def test_a_list_without_rows_is_left_out():
    assert "Oldest" not in page()
    assert "Fullest" not in page(snapshots=(OldSnapshot("k", "g", 1, 0.0, 1, None),))


def test_sizes_are_said_in_the_unit_that_fits():
    assert [size(number) for number in (0, 1023, 1024, 1.5 * 1024**2, 20 * 1024.0**4)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.5 MiB",
        "20 TiB",
    ]
