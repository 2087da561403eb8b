"""Products, queries, judgments, reviews and questions in; rows that cannot be read or say nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found
from mercer.quality.schema import COLUMNS, REQUIRED
from mercer.quality.service import is_service

__all__ = ["schema"]

FAMILIES = ("products", "queries", "judgments", "reviews", "faq", "policies", "dialogues")


@check(
    "C01",
    families=FAMILIES,
    tier="relational",
    severity="critical",
    problems={
        "malformed": Problem("the row could not be parsed", "该行无法解析", "quarantine", restorable=False),
        "wrong_type": Problem("the value fits no type of its column", "值与列的类型不符", "quarantine"),
        "missing_required": Problem("a required value is missing", "缺少必填值", "quarantine", restorable=False),
        "not_a_product": Problem(
            "the title names a fee or a stock note, not a product", "标题是费用或盘点备注，不是商品", "quarantine"
        ),
    },
    english="every row can be read and has what its family requires",
    chinese="每一行都能读取，并含有该类数据的必填字段",
)
def schema(inputs: Inputs[Any], _settings: CheckSettings) -> Iterator[Found]:
    """Rows the reader could not parse, values of the wrong type, missing required values, products that are none."""
    for family in FAMILIES:
        if family in inputs:
            yield from unreadable(inputs, family)
            yield from missing(inputs, family)
    if "products" in inputs:
        rows = inputs["products"].filter(is_service()).select("row_id", "id", "title")
        yield Found(rows, "products", "title", "not_a_product", 0.9)


def unreadable(inputs: Inputs[Any], family: str) -> Iterator[Found]:
    """What the reader itself could not place."""
    import narwhals.stable.v2 as nw

    malformed = inputs[f"{family}.malformed"].select("row_id", "line", reason=nw.col("problem"))
    yield Found(malformed, family, "", "malformed")
    yield Found(inputs[f"{family}.uncast"].select("row_id", "field", "text"), family, "", "wrong_type")


def missing(inputs: Inputs[Any], family: str) -> Iterator[Found]:
    """Rows without a required value, save those whose value is there but of the wrong type."""
    import narwhals.stable.v2 as nw

    for name in REQUIRED[family]:
        column = nw.col(name)
        absent = column.is_null()
        if COLUMNS[family][name] == "str":
            absent = absent | (column.str.strip_chars() == "")
        uncast = inputs[f"{family}.uncast"].filter(nw.col("field") == name).select("row_id").unique()
        rows = inputs[family].filter(absent).select("row_id").join(uncast, on="row_id", how="anti")
        yield Found(rows, family, name, "missing_required")
