"""Products in, products of which some have a wrong price out (C06)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims

CHECK = "C06"
KINDS = {
    "easy": ("x1000", "zero", "negative"),
    "medium": ("x100", "x10", "/100", "negative", "nan"),
    "adversarial": ("x10", "/10", "x4"),
}
"""Medium is what CHECKS.md asks of C06."""
FACTOR = {"x1000": 1000.0, "x100": 100.0, "x10": 10.0, "/100": 0.01, "/10": 0.1, "x4": 4.0, "zero": 0.0}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Another unit (yuan for fen), zero, negative, no number; only one digit more or less."""
    truth = Truth(CHECK)
    table = tables.get("products")
    priced = filled(table, "price") if table is not None else np.empty(0)
    if table is None or not len(priced):
        return tables, truth.table()
    amounts = table["price"].to_pylist()
    priced = np.array([row for row in priced if amounts[row] > 0])
    ids, values = table["row_id"].to_pylist(), {}
    for number, row in enumerate(victims(table, rate, np.random.default_rng(seed), among=priced)):
        kind = KINDS[difficulty][number % len(KINDS[difficulty])]
        special = {"negative": -amounts[row], "nan": float("nan")}
        values[row] = special[kind] if kind in special else round(amounts[row] * FACTOR[kind], 4)
        truth.add("products", ids[row], kind)
    return {**tables, "products": changed(table, "price", values)}, truth.table()
