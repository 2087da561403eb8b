"""Judgments in, the same with some grades that are wrong out (L04)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims

CHECK = "L04"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Other grades: the furthest (easy), any (medium), a neighbour of the right one (adversarial)."""
    rng, truth, done = np.random.default_rng(seed), Truth(CHECK), dict(tables)
    if not {"judgments", "queries", "products"} <= set(tables):
        return done, truth.table()
    table = tables["judgments"]
    grades = sorted({grade for grade in table["grade"].to_pylist() if grade is not None})
    if len(grades) < 2:
        return done, truth.table()
    values = {}
    for row in victims(table, rate, rng, among=np.intersect1d(filled(table, "query_id"), filled(table, "grade"))):
        given = table["grade"][row].as_py()
        others = sorted((grade for grade in grades if grade != given), key=lambda grade: (abs(grade - given), grade))
        chosen = {"easy": others[-1], "medium": others[int(rng.integers(len(others)))], "adversarial": others[0]}
        values[row] = chosen[difficulty]
        truth.add("judgments", table["row_id"][row].as_py(), difficulty)
    done["judgments"] = changed(table, "grade", values)
    return done, truth.table()
