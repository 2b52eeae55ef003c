"""Several daemons share the targets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.model import Config, Target
from exporter.sharding import Shard, shard


@given(st.text(), st.integers(1, 8))
def test_every_target_belongs_to_exactly_one_shard(name, count):
    assert [Shard(index, count).owns(name) for index in range(count)].count(True) == 1


def test_targets_spread_evenly():
    owned = [sum(Shard(index, 4).owns(f"target-{number}") for number in range(4000)) for index in range(4)]
    assert min(owned) > 900  # 1000 on average
    assert sum(owned) == 4000


def test_one_more_shard_only_takes_targets_over():
    for number in range(500):
        name = f"target-{number}"
        (before,) = [index for index in range(3) if Shard(index, 3).owns(name)]
        (after,) = [index for index in range(4) if Shard(index, 4).owns(name)]
        assert after in (before, 3)


def test_a_shard_leaves_the_others_targets_out_of_its_configuration():
    config = Config(targets=tuple(Target(f"t{number}", "p", "a") for number in range(20)))
    parts = [Shard(index, 3).own(config).targets for index in range(3)]
    assert sorted(target.name for part in parts for target in part) == sorted(target.name for target in config.targets)
    assert all(parts)
    assert Shard().own(config) is config


@pytest.mark.parametrize(
    ("index", "count", "hostname", "expected"),
    [
        pytest.param(None, 1, "whatever", Shard(0, 1), id="alone"),
        pytest.param(2, 3, "exporter-0", Shard(2, 3), id="the flag wins over the host name"),
        pytest.param(None, 3, "exporter-1", Shard(1, 3), id="ordinal of a stateful set"),
        pytest.param(None, 12, "a-b-11", Shard(11, 12), id="two digits"),
    ],
)
def test_flags_and_host_name(index, count, hostname, expected):
    assert shard(index, count, hostname) == expected


@pytest.mark.parametrize(
    ("index", "count", "hostname", "told"),
    [
        pytest.param(3, 3, "h", "between 0 and 2", id="index too large"),
        pytest.param(-1, 3, "h", "between 0 and 2", id="index negative"),
        pytest.param(0, 0, "h", "at least 1", id="no shards"),
        pytest.param(None, 3, "host", "--shard.index is missing", id="no ordinal"),
        pytest.param(None, 3, "host-7", "it is 7", id="more replicas than shards"),
    ],
)
def test_wrong_flags_are_told(index, count, hostname, told):
    with pytest.raises(ValueError, match=told):
        shard(index, count, hostname)
