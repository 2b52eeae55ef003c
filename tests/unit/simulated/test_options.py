"""Options: strict, with sentences; clocks that several processes share."""

import time
from datetime import datetime

import pytest
from pydantic import ValidationError

from collectors.simulated.clock import Clock
from collectors.simulated.options import SimulatedOptions, options_class
from collectors.simulated.platform import PLATFORM, check_address
from exporter.commands.configuration import from_targets
from exporter.config.mistakes import ConfigError
from tests.backends.processes import until

BAD = [
    ({"guest": 5}, "Extra inputs are not permitted"),
    ({"guests": "5"}, "valid integer"),
    ({"guests": -1}, "greater than or equal to 0"),
    ({"guests": 3, "snapshots": 4}, "there are only 3 guests"),
    ({"like": "xen"}, "'vsphere', 'hyperv', 'libvirt' or 'proxmox'"),
    ({"like": "libvirt", "hosts": 2}, "is one host: leave hosts out, or add targets"),
    ({"start": "yesterday"}, "'yesterday' is no instant; write it as in 2026-01-01T00:00:00Z"),
    ({"start": "1999-01-01T00:00:00Z"}, "must lie between 2025-01-01 and 2100-01-01"),
    ({"speed": 0}, "greater than 0"),
    ({"faults": [{"kind": "explode"}]}, "'slow', 'hang'"),
    ({"faults": [{"kind": "slow"}]}, "slow, and no other kind, needs seconds beside it"),
    ({"faults": [{"kind": "hang", "seconds": 3}]}, "slow, and no other kind, needs seconds beside it"),
    ({"faults": [{"kind": "hang", "every": "5m"}]}, "every and lasts need each other"),
    ({"faults": [{"kind": "hang", "every": "5m", "lasts": "5m"}]}, "lasts must be shorter than every"),
    ({"faults": [{"kind": "hang", "every": "5", "lasts": "1m"}]}, "'5' is no duration"),
    (
        {"faults": [{"kind": "hang", "from": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}]},
        "until must be later than from",
    ),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=[str(options) for options, _ in BAD])
def test_mistakes_are_refused_with_a_sentence(options, told):
    with pytest.raises(ValidationError, match="validation error") as refused:
        SimulatedOptions.model_validate(options)
    assert told in str(refused.value)


def test_a_configuration_refuses_them_too():
    target = {"name": "t", "platform": "simulated", "address": "simulated://t", "options": {"like": "vsphrere"}}
    with pytest.raises(ConfigError) as refused:
        from_targets([target], "test")
    assert "options.like" in str(refused.value)
    with pytest.raises(ConfigError, match="simulated:// and any name"):
        from_targets([{**target, "options": {}, "address": "vc.example.net"}], "test")


def test_a_stand_in_is_always_of_its_look():
    assert options_class("vsphere").model_validate({}).like is None
    with pytest.raises(ValidationError, match="always like vsphere"):
        options_class("vsphere").model_validate({"like": "hyperv"})


@pytest.mark.parametrize(("options", "platform"), [({}, "simulated"), ({"like": "hyperv"}, "simulated.hyperv")])
def test_the_look_decides_the_platform_when_the_configuration_is_read(options, platform):
    target = {"name": "t", "platform": "simulated", "address": "simulated://t", "options": options}
    (read,) = from_targets([target], "test").targets
    assert read.platform == platform
    # What /config shows can be read again.
    (again,) = from_targets([{**target, "platform": platform, "options": dict(read.options)}], "test").targets
    assert again == read


def test_the_clock_is_the_real_one_unless_told_otherwise():
    assert Clock.of(SimulatedOptions()).at(1_790_000_000.25) == 1_790_000_000.25


def test_a_clock_that_runs_apart_begins_when_it_was_first_read():
    options = {"start": "2026-01-01T00:00:00Z", "speed": 60}
    first, read_at = SimulatedOptions.model_validate(options), time.time()
    until(lambda: time.time() > read_at + 0.005, 5, "another millisecond")
    second = SimulatedOptions.model_validate(options)
    assert first.began is not None
    assert first == second, "a reload, or another worker, must not turn it back"
    began = datetime.fromisoformat(first.began).timestamp()
    assert Clock.of(first).at(began + 10) == pytest.approx(1_767_225_600 + 600)
    assert Clock.of(SimulatedOptions.model_validate(first.model_dump(mode="json", by_alias=True))) == Clock.of(first)


def test_a_fault_strikes_when_it_is_said():
    (fault,) = SimulatedOptions.model_validate(
        {
            "faults": [
                {
                    "kind": "unreachable",
                    "group": "vitals",
                    "from": "2026-01-01T00:00:00Z",
                    "until": "2026-01-01T01:00:00+00:00",
                    "every": "10m",
                    "lasts": "1m30s",
                }
            ]
        }
    ).faults
    midnight = 1_767_225_600
    assert fault.strikes("vitals", midnight)
    assert not fault.strikes("storage", midnight)
    assert not fault.strikes("vitals", midnight - 1)
    assert [fault.strikes("vitals", midnight + after) for after in (89, 91, 600, 689, 691)] == [
        True,
        False,
        True,
        True,
        False,
    ]
    assert not fault.strikes("vitals", midnight + 3600)


def test_addresses_are_names():
    assert PLATFORM.check_address("simulated://hamburg") is None
    assert "simulated://" in check_address("hamburg")
    assert "simulated://" in check_address("simulated://")
