"""What a person reads on the first page."""

import re

import httpx
import pytest

from exporter.web.page import render_first_page, span
from exporter.web.source import EstateStatus, GroupStatus, TargetStatus


def target(name, *groups, up=True, last_error=None):
    return TargetStatus(name, "libvirt", f"qemu+ssh://monitor@{name}/system", up, last_error, groups)


def words(html):
    """The text of a page, as one line."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL).split())


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0 s"),
        (0.042, "0.042 s"),
        (0.31, "0.31 s"),
        (4.25, "4.2 s"),
        (12.4, "12 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_a_length_of_time_reads_as_a_person_would_say_it(seconds, expected):
    assert span(seconds) == expected


def test_every_target_is_shown_with_state_ages_durations_and_its_last_error():
    page = words(
        render_first_page(
            EstateStatus(
                "1.2.3",
                (
                    target("up-1", GroupStatus("vitals", "success", 4.2, 0.31, 30)),
                    target("new-1", GroupStatus("vitals", None, None, None, 30), up=None),
                    target(
                        "down-1",
                        GroupStatus("vitals", "timed_out", 91, 24, 30),
                        GroupStatus("snapshots", "success", 60, 1.5, 300),
                        up=False,
                        last_error="no answer within 24 s",
                    ),
                ),
            )
        )
    )
    assert "hypervisor-exporter 1.2.3" in page
    assert "3 targets 1 up 1 down 1 not yet" in page
    assert (
        "Target Platform State Vitals Snapshots "
        "down-1 qemu+ssh://monitor@down-1/system libvirt Down 91 s ago took 24 s timed out, late 60 s ago took 1.5 s "
        "Last error: no answer within 24 s "
        "new-1 qemu+ssh://monitor@new-1/system libvirt Not yet not yet "
        "up-1 qemu+ssh://monitor@up-1/system libvirt Up 4.2 s ago took 0.31 s As of" in page
    )


def test_an_empty_estate_says_what_to_do():
    assert "No target is configured" in words(render_first_page(EstateStatus("1.2.3", ())))


def test_hostile_names_stay_text(served):
    served.estate.shown = EstateStatus(
        "1.2.3", (target("<script>alert(1)</script>\udc80", up=False, last_error="<b>&\"'"),)
    )
    answer = httpx.get(served.url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;?" in answer.text
    assert "&lt;b&gt;&amp;&#34;&#39;" in answer.text


def test_the_page_needs_no_script_and_links_to_what_there_is(served):
    page = httpx.get(served.url).text
    assert "<script" not in page
    links = re.findall(r'href="([^"]*)"', page)
    assert links == ["/metrics", "/config", "/-/ready", "/-/healthy"]
    for link in links:
        assert httpx.get(served.url + link).status_code == 200
