"""X02 finds rows and inputs that know what happened later."""

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.x02_future import Future
from mercer.quality.moment import known_then
from mercer.quality.training import check_training


def found(table, inputs=("category", "price"), **told):
    rows = check_training(table, label="rating", inputs=inputs, time="time", **told).findings.to_pylist()
    return [(row["row_id"], row["problem"]) for row in rows if row["check_id"] == "X02"]


def with_split(table, wrong=()):
    side = np.where(np.arange(len(table)) < 900, "train", "test").astype(object)
    for row in wrong:
        side[row] = "train" if side[row] == "test" else "test"
    return table.append_column("split", pa.array(side.tolist()))


def counts(table, which):
    code = np.asarray(table["item"].to_pylist(), dtype=int)
    moments = np.asarray(table["time"], dtype=float)
    label = np.asarray(table["rating"], dtype=float)
    then, total = known_then(code, moments, label)
    every = np.bincount(code)[code].astype(float)
    return {"then": then, "every": every, "mean": np.where(then > 0, total / np.maximum(then, 1), 3.0)}[which]


def test_a_split_by_time_and_two_rows_on_the_wrong_side(recommended):
    assert found(with_split(recommended), split="split") == []
    wrong = found(with_split(recommended, [10, 1100]), split="split")
    assert sorted(wrong) == [(10, "before_test"), (1100, "after_test")]


def test_a_split_by_chance_is_left_to_x04(recommended):
    mixed = with_split(recommended, range(0, 1200, 2))
    assert found(mixed, split="split") == []


def test_an_input_that_was_known_later(recommended):
    times = np.asarray(recommended["time"]) - 1000
    times[[3, 77]] += 5000
    table = recommended.append_column("priced_at", pa.array(times))
    assert found(table, known={"price": "priced_at"}) == [(3, "known_later"), (77, "known_later")]


def test_a_count_of_earlier_rows_is_honest(recommended):
    for which in ("then", "mean"):
        table = recommended.append_column("seen", pa.array(counts(recommended, which)))
        assert found(table, ["seen", "price"], ids=["item"]) == []


def test_a_count_of_all_rows(recommended):
    table = recommended.append_column("seen", pa.array(counts(recommended, "every")))
    assert found(table, ["seen", "price"], ids=["item"]) == [(-1, "future_window")]


@pytest.mark.parametrize("which", ["then", "mean"])
def test_some_rows_counted_with_the_future(recommended, which):
    values = counts(recommended, which)
    hurt = np.flatnonzero(np.arange(len(values)) % 20 == 3)
    values[hurt] += 1.5
    table = recommended.append_column("seen", pa.array(values))
    rows = [row for row, problem in found(table, ["seen", "price"], ids=["item"]) if problem == "future_window"]
    assert set(rows) <= set(hurt.tolist())
    assert len(rows) >= 0.9 * len(hurt)


def test_settings_that_cannot_be():
    with pytest.raises(SettingsError):
        Future(by_time=0.0)
