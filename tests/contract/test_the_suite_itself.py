"""A platform with one flaw fails the check for that flaw and no other, with a sentence that says what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.suite import run_suite

SITE = Path(__file__).parent / "site"

# The flaw, the checks that find it, and words of the message.
FLAWS = {
    "unloadable": (["it_can_be_loaded"], "No module named 'broken_platforms.missing'"),
    "worldless": (["it_brings_a_world"], '[project.entry-points."hypervisor_exporter.testing"]'),
    "groupless": (
        ["every_family_belongs_to_one_of_its_groups", "every_declared_family_is_delivered"],
        "autostart is declared, but its group 'inventory' is not collected",
    ),
    "lax": (["its_options_are_strict"], "derive the options from exporter.contract.Options"),
    "undeclared": (
        ["nothing_is_delivered_that_is_not_declared"],
        "hypervisor_guest_memory_host_used_bytes is collected but not declared",
    ),
    "undelivered": (
        ["every_declared_family_is_delivered"],
        "hypervisor_guest_snapshots is declared Native but was not delivered",
    ),
    "misplaced": (
        ["every_declared_family_is_delivered", "every_family_comes_from_its_group"],
        "belongs to the group inventory but is filled in by vitals only",
    ),
    "stale_excuse": (["what_the_world_excuses_is_really_missing"], "but it was delivered: take it out"),
    "words": (["no_value_is_refused_on_the_way_to_the_page"], "'N/A' is not a number"),
    "worried": (["its_healthy_world_is_collected_without_an_error"], "is partial: no problem is named"),
    "uptime": (["observations_are_stamped_in_unix_seconds"], "Unix seconds are wanted"),
    "zero_for_absent": (["a_stopped_guest_exports_no_usage_counters"], "leave its counters None"),
    "zero_size": (["unknown_sizes_are_absent_and_not_zero"], "leave the field None where it is unknown"),
    "percent": (["every_value_is_plausible_in_its_unit"], "= 55: a ratio is 0 to 1; is this percent?"),
    "milliseconds": (["seconds_do_not_run_faster_than_their_processors"], "is the vendor's unit"),
    "falling": (["counters_do_not_fall"], "belongs into model.Parts"),
    "unstable": (["identities_are_stable"], "its series begin anew"),
    "numbered": (["names_and_ids_are_text"], "no text or empty: 1"),
    "eager": (["its_library_is_imported_only_when_it_is_needed"], "importing the platform imports broken_sdk"),
    "early": (["opening_makes_no_call_and_no_io"], "opening a session did open('/etc/hostname'"),
    "thread": (["no_thread_is_left_behind"], "the thread 'keep-alive' still runs"),
    "blabbing": (["an_unreachable_endpoint_is_told_in_a_sentence"], "raised Unreachable with the secret in it"),
    "logging": (["no_secret_is_told"], "the secret is in the log"),
    "showing": (["no_secret_is_told"], "the secret is in repr(session)"),
    "foreign": (
        ["an_unreachable_endpoint_is_told_in_a_sentence"],
        "raised ConnectionRefusedError: [Errno 111] Connection refused; the core takes everything but exporter.errors",
    ),
    "mistaken": (["refused_credentials_are_told_as_such"], "AuthenticationFailed is wanted"),
    "slow_to_close": (["closing_is_quick_and_may_be_repeated"], "closing an unused session takes longer than 2 s"),
    "close_once": (["closing_is_quick_and_may_be_repeated"], "closing a closed session raised RuntimeError"),
    "unmetered": (["requests_are_counted"], "use Context.meter"),
    "overtime": (["a_deadline_that_has_passed_is_respected"], "call deadline.check() between calls"),
    "one_lane": (["both_lanes_may_collect_at_once"], "the connection is in use"),
    "cached": (["a_hung_endpoint_does_not_keep_its_session"], "old data must not pass for fresh"),
    "gives_up": (["a_session_survives_a_vanished_endpoint"], "connect anew at the next collection"),
    "all_or_nothing": (
        ["a_broken_part_does_not_hide_the_rest"],
        "one broken part costs the whole group vitals: Malformed",
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Of one run over all of them."""
    return run_suite(tmp_path_factory.mktemp("suite"), ["sound", *FLAWS], sites=[SITE])


def test_a_sound_platform_passes(verdicts):
    assert (verdicts["sound"].failed, verdicts["sound"].skipped) == ({}, {})


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_found_by_its_check_alone(verdicts, flaw):
    checks, words = FLAWS[flaw]
    failed = verdicts[flaw].failed
    assert sorted(failed) == sorted(checks), failed
    messages = "\n".join(failed.values())
    assert words in messages
    assert "Traceback" not in messages
    assert "exporter/testing" not in messages, "a sentence for the platform's author, not a line of the suite"


def test_an_unknown_platform_is_named(tmp_path):
    command = [sys.executable, "-m", "exporter.testing", "--platform", "nosuch"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4
    assert "no platform 'nosuch' is installed; there are hyperv, libvirt" in done.stdout + done.stderr
