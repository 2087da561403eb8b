"""Judgments, queries and products in; graded pairs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mercer.errors import RequestError
from mercer.learn.pairs.pair import group_of, to_pairs
from mercer.records import Product
from mercer.retrieve.text import passage

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["from_judgments"]


def from_judgments(
    judgments: Iterable[Mapping[str, Any]],
    queries: Mapping[str, str],
    products: Mapping[str, Product],
    *,
    gains: Mapping[float, float] | None = None,
) -> pa.Table:
    """One pair a judgment whose query has a text and whose product is for sale.

    Args:
        judgments: rows with query_id, product and grade, and row_id where there is one.
        queries: query id → text.
        products: id → product.
        gains: grade → gain, scaled so that the highest is 1; the grade by the highest grade where None.

    Raises:
        RequestError: a grade that `gains` leaves out.
    """
    rows = [row for row in judgments if row["grade"] is not None and row["product"] in products]
    told = [row for row in rows if (queries.get(str(row["query_id"])) or "").strip()]
    scale = _scale(told, gains)
    return to_pairs(_pair(row, queries[str(row["query_id"])], products[row["product"]], scale) for row in told)


def _pair(row: Mapping[str, Any], query: str, product: Product, scale: Mapping[float, float]) -> tuple[Any, ...]:
    lineage = f"judgments:{row.get('row_id', '')}"
    gain = scale[float(row["grade"])]
    return (query, product.id, passage(product), gain, 1.0, group_of(query), None, "judgments", lineage)


def _scale(rows: Iterable[Mapping[str, Any]], gains: Mapping[float, float] | None) -> dict[float, float]:
    grades = {float(row["grade"]) for row in rows}
    if gains is None:
        gains = {grade: max(grade, 0.0) for grade in grades}
    if unknown := sorted(grades - set(gains)):
        listed = ",".join(f"{key:g}={value:g}" for key, value in gains.items())
        raise RequestError(f"grade {unknown[0]:g} is not in the gains {listed}", cure=f"add {unknown[0]:g}=GAIN")
    top = max((gains[grade] for grade in grades), default=0.0)
    return {grade: max(gains[grade], 0.0) / top if top > 0 else 0.0 for grade in grades}
