"""X06 finds ids among the inputs and says what the model owes to them."""

import json

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.x06_identity import Memory
from mercer.quality.run import QualitySettings
from mercer.quality.training import check_training


def found(table, inputs, **told):
    rows = check_training(table, label="rating", inputs=inputs, **told).findings.to_pylist()
    return {(row["field"], row["problem"]): json.loads(row["evidence"]) for row in rows if row["check_id"] == "X06"}


@pytest.mark.parametrize(
    "text", ["User {user} looks at item {item}", "用户{user}看了商品{item}，", "buyer #u{user}x: sku s{item}"]
)
def test_ids_in_the_text_are_learned_by_heart(recommended, text):
    texts = [text.format(**row) for row in recommended.select(["user", "item"]).to_pylist()]
    told = found(recommended.append_column("told", pa.array(texts)), ["told", "price"])
    assert list(told) == [("told", "id_learned")]
    figures = told["told", "id_learned"]
    assert figures["with_ids_auc"] - figures["exchanged_auc"] > 0.05
    assert figures["with_ids_auc"] > figures["new_ids_auc"]


@pytest.mark.parametrize("told", [{"ids": ["user", "item"]}, {}])
def test_columns_of_ids(recommended, told):
    fields = {field for field, _ in found(recommended, ["user", "item", "price"], **told)}
    assert fields == {"user", "item"}


def test_an_id_that_helps_nobody_is_only_said(recommended):
    drawn = [f"x{number}" for number in np.random.default_rng(0).integers(0, 300, len(recommended))]
    table = recommended.append_column("order_id", pa.array(drawn))
    assert list(found(table, ["order_id", "price", "category"])) == [("order_id", "id_idle")]


def test_inputs_without_ids(recommended):
    assert found(recommended, ["category", "price"], ids=["user", "item"]) == {}


def test_declared_ids(recommended):
    settings = QualitySettings(checks={"X06": Memory(declared=("user",))})
    assert found(recommended, ["user", "price"], settings=settings) == {}
    with pytest.raises(SettingsError):
        Memory(gap=0.9)
