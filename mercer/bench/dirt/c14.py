"""Products in, the same with orders to language models in some of their texts out (C14)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims
from mercer.bench.dirt.payload import payload

CHECK = "C14"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """After (or, one time in three, before) the title or the description; hidden more as it gets harder."""
    truth = Truth(CHECK)
    if "products" not in tables:
        return tables, truth.table()
    rng = np.random.default_rng([seed, 114])
    table = tables["products"]
    fields = {name: set(filled(table, name).tolist()) for name in ("title", "description")}
    values: dict[str, dict[int, object]] = {name: {} for name in fields}
    for row in victims(table, rate, rng, among=sorted(fields["title"] | fields["description"])):
        here = [name for name in fields if row in fields[name]]
        field = here[int(rng.integers(len(here)))]
        way, said = payload(difficulty, rng=rng, seed=seed)
        text = table[field][row].as_py()
        values[field][row] = f"{said} {text}" if rng.random() < 1 / 3 else f"{text} {said}"
        truth.add("products", table["row_id"][row].as_py(), way)
    for field, new in values.items():
        table = changed(table, field, new)
    return {**tables, "products": table}, truth.table()
