"""Reviews in, the same with orders to language models in some of them out (T08)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims
from mercer.bench.dirt.payload import payload

CHECK = "T08"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """After or before what the review says."""
    truth = Truth(CHECK)
    if "reviews" not in tables:
        return tables, truth.table()
    rng = np.random.default_rng([seed, 108])
    table = tables["reviews"]
    values: dict[int, object] = {}
    for row in victims(table, rate, rng, among=filled(table, "text")):
        way, said = payload(difficulty, rng=rng, seed=seed)
        text = table["text"][row].as_py()
        values[row] = f"{said} {text}" if rng.random() < 1 / 3 else f"{text} {said}"
        truth.add("reviews", table["row_id"][row].as_py(), way)
    return {**tables, "reviews": changed(table, "text", values)}, truth.table()
