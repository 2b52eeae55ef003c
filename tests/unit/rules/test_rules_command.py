"""The command `rules`: a flag for every parameter, and a file that Prometheus accepts."""

import subprocess

import pytest
import yaml

from exporter.cli import main


def printed(capsys, *flags):
    assert main(["rules", *flags]) == 0
    return capsys.readouterr().out


def alerts(text):
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def test_the_same_flags_print_the_same_file(capsys):
    assert printed(capsys) == printed(capsys)


@pytest.mark.backend
@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--rate-window", "1m", "--hold", "1h30m", "--for-scale", "0.01"),
        ("--target-labels", "site,team", "--exclude-guests", r'lab-.*|(?i:"odd\\1name")|\w', "--exclude-tag", "a(b\n"),
    ],
)
def test_prometheus_accepts_the_file(capsys, tmp_path, flags):
    file = tmp_path / "rules.yml"
    file.write_text(printed(capsys, *flags))
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_threshold_is_in_the_alert_and_in_its_words(capsys):
    alert = alerts(printed(capsys, "--snapshot-age-warning", "5d"))["HypervisorSnapshotOld"]
    assert "> 432000" in alert["expr"]
    assert "5 days" in alert["annotations"]["description"]


def test_what_an_alert_waits_is_scaled(capsys):
    alert = alerts(printed(capsys, "--for-scale", "0.01"))["HypervisorSnapshotOld"]
    assert (alert["for"], alert["keep_firing_for"]) == ("6s", "9s")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--snapshot-age-warning", "5"), "'5' is no duration; write it with its unit, as in 30s, 2m, 1h or 500ms"),
        (("--storage-used-warning", "85"), "'85' is no share; write 0.85 for 85 %"),
        (("--cpu-overcommit", "many"), "'many' is no number above 0"),
        (("--exclude-guests", "ci-(.*"), "'ci-(.*' is no regular expression: missing ), unterminated subpattern at"),
        (("--exclude-guests", "(?!ci-).*"), "'(?!ci-).*' has '(?!', which Prometheus' regular expressions do not know"),
        (("--exclude-guests", r"(a)\1"), "which Prometheus' regular expressions do not know"),
        (("--target-labels", "site,team-name"), "'team-name' is no name of a label"),
        (("--target-labels", "site,1st"), "'1st' is no name of a label"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_a_sentence(capsys, flags, sentence):
    with pytest.raises(SystemExit) as ended:
        main(["rules", *flags])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
