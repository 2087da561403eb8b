"""X04 reads from the rows how they were split."""

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.x04_split import Split
from mercer.quality.training import check_training


def found(table, learned, **told):
    split = table.append_column("split", pa.array(np.where(learned, "Train", "valid").tolist()))
    told = {"label": "rating", "inputs": ["category", "price"], "split": "split", **told}
    return [row["problem"] for row in check_training(split, **told).findings.to_pylist() if row["check_id"] == "X04"]


@pytest.fixture
def by_time(recommended):
    return np.arange(len(recommended)) < 900


@pytest.fixture
def by_chance(recommended):
    return np.random.default_rng(0).random(len(recommended)) < 0.8


@pytest.fixture
def by_user(recommended):
    return np.asarray(recommended["user"].to_pylist(), dtype=int) % 4 != 0


def test_a_split_by_time(recommended, by_time):
    assert found(recommended, by_time, time="time") == []
    assert found(recommended, by_time, time="time", groups=["user"]) == []


def test_a_split_by_chance(recommended, by_chance):
    assert found(recommended, by_chance, time="time") == ["split_by_chance"]
    assert found(recommended, by_chance, time="time", groups=["user"]) == ["split_by_chance"]
    assert found(recommended, by_chance, groups=["user"]) == ["split_through_groups"]


def test_a_split_by_group(recommended, by_user):
    assert found(recommended, by_user, groups=["user"]) == []
    assert found(recommended, by_user, time="time", groups=["user"]) == ["not_by_time"]


def test_where_nothing_is_known_nothing_is_said(recommended, by_chance):
    assert found(recommended, by_chance) == []
    assert found(recommended, np.ones(len(recommended), dtype=bool), time="time") == []


def test_settings_that_cannot_be():
    with pytest.raises(SettingsError):
        Split(shared=2.0)
