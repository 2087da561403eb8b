"""Judgments, reviews and products in; references to what is not there out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found

__all__ = ["reference"]

REFERENCES = (
    ("judgments", "query_id", "queries", "query_id", "unknown_query"),
    ("judgments", "product", "products", "id", "unknown_product"),
    ("reviews", "product", "products", "id", "unknown_product"),
)
"""family, column, family it points to, column there, problem. Events are E01's."""


@check(
    "C13",
    families=("products", "judgments", "reviews"),
    tier="relational",
    severity="high",
    problems={
        "unknown_query": Problem("a judgment of an unknown query", "评判指向不存在的查询", "quarantine"),
        "unknown_product": Problem("it points to an unknown product", "指向不存在的商品", "quarantine"),
        "missing_image": Problem("the image file is not there", "图片文件不存在", "quarantine"),
        "no_images": Problem("none of the image files is there", "所有图片文件都不存在", "warn"),
    },
    english="what a row points to exists",
    chinese="引用的对象都存在",
)
def reference(inputs: Inputs[Any], _settings: CheckSettings) -> Iterator[Found]:
    """Anti-joins. Where no image file at all is found, the folder is elsewhere, and that is said once."""
    import narwhals.stable.v2 as nw

    for family, column, other, key, problem in REFERENCES:
        if family in inputs and other in inputs:
            known = inputs[other].select(nw.col(key).alias(column)).drop_nulls().unique()
            rows = inputs[family].filter(~nw.col(column).is_null()).join(known, on=column, how="anti")
            yield Found(rows.select("row_id", column), family, column, problem)
    if "products" in inputs:
        images = inputs["products.images"]
        there = images.select(
            images=nw.len().cast(nw.Int64), found=nw.col("exists").cast(nw.Int64).sum().cast(nw.Int64)
        )
        absent = images.filter(~nw.col("exists")).join(there, how="cross")
        yield Found(absent.filter(nw.col("found") > 0).select("row_id", "image"), "products", "image", "missing_image")
        none = there.filter((nw.col("images") > 0) & (nw.col("found") == 0))
        yield Found(
            none.select(nw.lit(FILE).cast(nw.Int64).alias("row_id"), "images"), "products", "image", "no_images"
        )
