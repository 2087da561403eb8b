"""Judgments, queries and products as tables in; the usable ones as pairs, texts and vectors out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Judged", "judged"]

SHOWN = ("title", "brand", "category", "bullets", "description", "attributes")


@dataclass(frozen=True, slots=True)
class Judged:
    """Judgments whose query has a text and whose product is known, grouped by query."""

    row_ids: NDArray[np.int64]
    queries: list[str]
    products: list[dict[str, Any]]
    """id and the texts of each judged product."""
    pairs: list[tuple[int, int]]
    """(place of the query, place of the product) of each judgment."""
    grades: NDArray[np.float64]
    query_ids: list[str]

    def vectors(self, tables: Mapping[str, pa.Table]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Unit vectors of queries and products, where an encoder's are among the tables and none is missing.

        ``queries.vectors`` (query_id, vector) and ``products.vectors`` (product, vector): lists of float32.
        """
        if "queries.vectors" not in tables or "products.vectors" not in tables:
            return None
        asked = _rows(tables["queries.vectors"], "query_id", self.query_ids)
        shown = _rows(tables["products.vectors"], "product", [str(row["id"]) for row in self.products])
        return None if asked is None or shown is None else (asked, shown)


def _rows(table: pa.Table, key: str, wanted: list[str]) -> NDArray[np.float32] | None:
    place = {id: number for number, id in enumerate(table[key].to_pylist())}
    if any(id not in place for id in wanted):
        return None
    matrix = np.array(table["vector"].to_pylist(), dtype=np.float32)
    return np.asarray(matrix[[place[id] for id in wanted]])


def judged(tables: Mapping[str, pa.Table], *, most: int) -> Judged:
    """Judgments of at most `most` rows: whole queries, in the order of a hash of their id."""
    texts = _texts(tables["queries"])
    rows = tables["judgments"].select(["row_id", "query_id", "product", "grade"]).to_pylist()
    rows = [row for row in rows if row["query_id"] in texts and row["product"] and _finite(row["grade"])]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["query_id"]] = counts.get(row["query_id"], 0) + 1
    chosen, total = set(), 0
    for id in sorted(counts, key=lambda id: hashlib.md5(id.encode(), usedforsecurity=False).hexdigest()):
        if total + counts[id] <= most:
            chosen.add(id)
            total += counts[id]
    products = _products(tables["products"], {row["product"] for row in rows if row["query_id"] in chosen})
    rows = [row for row in rows if row["query_id"] in chosen and row["product"] in products]
    query_ids = list(dict.fromkeys(row["query_id"] for row in rows))
    asked = {id: place for place, id in enumerate(query_ids)}
    shown = {id: place for place, id in enumerate(products)}
    return Judged(
        np.array([row["row_id"] for row in rows], dtype=np.int64),
        [texts[id] for id in query_ids],
        list(products.values()),
        [(asked[row["query_id"]], shown[row["product"]]) for row in rows],
        np.array([row["grade"] for row in rows], dtype=np.float64),
        query_ids,
    )


def _finite(grade: float | None) -> bool:
    return grade is not None and bool(np.isfinite(grade))


def _texts(table: pa.Table) -> dict[str, str]:
    """Query id → text, the first where it stands twice."""
    found: dict[str, str] = {}
    for id, text in zip(table["query_id"].to_pylist(), table["text"].to_pylist(), strict=True):
        if id and (text or "").strip():
            found.setdefault(id, text)
    return found


def _products(table: pa.Table, wanted: set[str]) -> dict[str, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = table.select(["id", *SHOWN]).filter(pc.is_in(table["id"], value_set=pa.array(sorted(wanted), pa.string())))
    found: dict[str, dict[str, Any]] = {}
    for row in kept.to_pylist():
        found.setdefault(row["id"], row)
    return found
