"""X05 compares what a model learned from with what it is fed."""

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.x05_skew import Skew
from mercer.quality.training import check_training


def found(table, log, **told):
    rows = check_training(table, label="rating", inputs=["category", "price"], log=log, **told).findings.to_pylist()
    return [(row["field"], row["problem"]) for row in rows if row["check_id"] == "X05"]


def changed(table, name, values):
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))


KEY = {"ids": ["user", "item"], "time": "time"}


def test_the_same_log(recommended):
    assert found(recommended, recommended.take(np.random.default_rng(0).permutation(len(recommended))), **KEY) == []
    assert found(recommended, recommended) == []


@pytest.mark.parametrize(
    "transform", [lambda price: price * 1.13, np.round, lambda price: np.where(price > 40, 40, price), np.log]
)
def test_another_transform(recommended, transform):
    log = changed(recommended, "price", transform(np.asarray(recommended["price"])))
    assert found(recommended, log, **KEY) == [("price", "value_differs")]


def test_other_categories(recommended):
    log = changed(recommended, "category", [name.upper() for name in recommended["category"].to_pylist()])
    assert found(recommended, log, **KEY) == [("category", "value_differs")]
    assert found(recommended, log) == [("category", "distribution_shifted")]


def test_another_distribution_where_rows_cannot_be_matched(recommended):
    log = changed(recommended, "price", np.asarray(recommended["price"]) * 2)
    assert found(recommended, log) == [("price", "distribution_shifted")]
    half = recommended.take(np.random.default_rng(1).permutation(len(recommended))[:600])
    assert found(recommended, half) == []


def test_an_input_that_is_not_logged(recommended):
    assert found(recommended, recommended.drop_columns(["price"]), **KEY) == [("price", "not_logged")]


def test_settings_that_cannot_be():
    with pytest.raises(SettingsError):
        Skew(psi=0.0)
