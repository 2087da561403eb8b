import json

import numpy as np
import pyarrow as pa
import pytest

from mercer.quality.cast import Cast
from mercer.quality.expression import Expression
from mercer.quality.rows import Batch


def cast(
    family: str, column: str, values: object, **more: Expression
) -> tuple[list[object], list[tuple[int, str, str]]]:
    """What `values` become in one canonical column, and what did not fit."""
    array = values if isinstance(values, pa.Array) else pa.array(values)
    apply = Cast(family, {column: Expression((f"raw_{column}",))} | more, "UTC")
    table = apply(Batch(np.arange(len(array)), {f"raw_{column}": array}, len(array)))
    return table[column].to_pylist(), apply.uncast


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["17850.0", " 12 ", "A.0", "1.50", "", "nan", "NULL"], ["17850", "12", "A.0", "1.50", None, None, None]),
        ([17850.0, None, 1.5], ["17850", None, "1.5"]),
        ([7, 8], ["7", "8"]),
    ],
)
def test_ids_are_the_same_text_whichever_way_they_were_written(values: object, expected: list[object]) -> None:
    assert cast("events", "product", values) == (expected, [])


def test_whole_numbers() -> None:
    found, lost = cast("products", "stock", ["5", "5.0", "1,200", "4.5", "many", "-", "1e30", "nan"])
    assert found == [5, 5, 1200, None, None, None, None, None]
    assert lost == [(3, "stock", "4.5"), (4, "stock", "many"), (6, "stock", "1e30")]


def test_lists_become_paths_and_lines() -> None:
    values = ['["A", " B ", null]', "[]", "A>B", "A > B", "[sic", None]
    assert cast("products", "category", values)[0] == ["A > B", None, "A > B", "A > B", "[sic", None]
    assert cast("products", "bullets", ['["a > b","c"]', "d\ne"])[0] == ["a > b\nc", "d\ne"]


def test_attributes_are_strings_in_one_object() -> None:
    values = ['{"b": [1, "x"], "a": true, "gone": null, "none": ""}', "{not json", None]
    found, _ = cast("products", "attributes", values)
    assert json.loads(str(found[0])) == {"a": "true", "b": "1, x"}
    assert json.loads(str(found[1])) == {"raw_attributes": "{not json"}
    assert found[2] is None


def test_availability_and_currency_that_nobody_knows_are_told() -> None:
    assert cast("products", "availability", ["In Stock", "soonish", ""]) == (
        ["in_stock", None, None],
        [(1, "availability", "soonish")],
    )
    assert cast("products", "currency", ["usd", "¥", "doubloons"]) == (
        ["USD", "CNY", None],
        [(2, "currency", "doubloons")],
    )


def test_event_ids_depend_on_content_and_row_alone() -> None:
    first, _ = cast("events", "product", ["A", "A", "B"])
    rows = pa.table({"p": ["A", "A", "B"]})
    apply = Cast("events", {"product": Expression(("p",))}, "UTC")
    whole = apply(Batch(np.arange(3), {"p": rows["p"]}, 3))["event_id"].to_pylist()
    last = apply(Batch(np.array([2]), {"p": pa.array(["B"])}, 1))["event_id"].to_pylist()
    assert first == ["A", "A", "B"]
    assert len(set(whole)) == 3
    assert last == whole[2:]
    assert all(len(id) == 16 for id in whole)
