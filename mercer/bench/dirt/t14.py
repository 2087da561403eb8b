"""Products (or reviews) and judged queries in, the same with test queries and answers in some texts out (T14)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims

CHECK = "T14"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Easy: a query and its product's id; medium: that, or several queries; adversarial: one long query."""
    truth = Truth(CHECK)
    if not {"queries", "judgments", "products"} <= set(tables):
        return tables, truth.table()
    rng = np.random.default_rng([seed, 314])
    answers: dict[str, str] = {}
    for row in tables["judgments"].to_pylist():
        if row["product"] and (row["grade"] or 0) > 0:
            answers.setdefault(row["query_id"], row["product"])
    asked = [(row["text"], answers[row["query_id"]]) for row in tables["queries"].to_pylist()
             if row["query_id"] in answers and _weight(row["text"]) >= 3]  # fmt: skip
    long = [pair for pair in asked if _weight(pair[0]) >= 8]
    if len(asked) < 5:
        return tables, truth.table()
    table = tables["products"]
    values: dict[int, object] = {}
    for number, row in enumerate(victims(table, rate, rng, among=filled(table, "description"))):
        kind = "answer" if difficulty == "easy" or number % 2 else "queries"
        if difficulty == "adversarial":
            kind = "long_query" if long else "queries"
        values[row] = f"{table['description'][row].as_py()} {_added(kind, asked, long, rng)}"
        truth.add("products", table["row_id"][row].as_py(), kind)
    return {**tables, "products": changed(table, "description", values)}, truth.table()


def _weight(text: str | None) -> float:
    words = re.findall(r"[a-z0-9]+|[\u4e00-\u9fff]", (text or "").lower())
    return sum(0.5 if word > "\u33ff" else 1 for word in words)


def _added(kind: str, asked: list[tuple[str, str]], long: list[tuple[str, str]], rng: Any) -> str:
    if kind == "long_query":
        return long[int(rng.integers(len(long)))][0]
    if kind == "answer":
        query, product = asked[int(rng.integers(len(asked)))]
        return f"query: {query} answer: {product}"
    return " | ".join(asked[at][0] for at in rng.permutation(len(asked))[:5])
