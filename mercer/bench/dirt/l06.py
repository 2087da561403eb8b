"""Judgments in, the same with positives planted as negatives out (L06)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, victims

CHECK = "L06"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """The best grade becomes the worst: of products with a twin (easy), of whatever has the query's words, of any."""
    rng, truth, done = np.random.default_rng(seed), Truth(CHECK), dict(tables)
    if not {"judgments", "queries", "products"} <= set(tables):
        return done, truth.table()
    table = tables["judgments"]
    rows = table.to_pylist()
    grades = [row["grade"] for row in rows if row["grade"] is not None]
    titles = dict(zip(tables["products"]["id"].to_pylist(), tables["products"]["title"].to_pylist(), strict=True))
    texts = dict(zip(tables["queries"]["query_id"].to_pylist(), tables["queries"]["text"].to_pylist(), strict=True))
    best = [place for place, row in enumerate(rows) if row["grade"] == max(grades, default=0)]
    if difficulty == "medium":
        best = [
            place for place in best if _said(texts.get(rows[place]["query_id"]), titles.get(rows[place]["product"]))
        ]
    if difficulty == "easy":
        best = _twins(rows, best, titles)
    if not best or min(grades) == max(grades):
        return done, truth.table()
    chosen = victims(table, rate, rng, among=best)
    for row in chosen:
        truth.add("judgments", table["row_id"][row].as_py(), difficulty)
    done["judgments"] = changed(table, "grade", dict.fromkeys(chosen, min(grades)))
    return done, truth.table()


def _said(query: str | None, title: str | None) -> bool:
    return bool(query and title) and all(word in str(title).casefold() for word in str(query).casefold().split())


def _twins(rows: list[dict[str, object]], best: list[int], titles: dict[str, str]) -> list[int]:
    """Every second of the positives of a query whose titles share four words of five."""
    found: list[int] = []
    seen: dict[object, list[Any]] = {}
    for place in best:
        words = frozenset(str(titles.get(str(rows[place]["product"]))).casefold().split())
        known = seen.setdefault(rows[place]["query_id"], [])
        if any(len(words & other) >= 0.8 * len(words | other) for other in known):
            found.append(place)
        else:
            known.append(words)
    return found
