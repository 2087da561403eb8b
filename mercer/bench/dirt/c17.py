"""Products in, the same with a seller's number or messenger id in some of their texts out (C17)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims
from mercer.bench.dirt.person import LISTED, sentence
from mercer.bench.dirt.t01 import put

CHECK = "C17"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """In turn every kind that sellers use to be paid outside the shop, in the title or the description."""
    truth = Truth(CHECK)
    if "products" not in tables:
        return tables, truth.table()
    rng = np.random.default_rng([seed, 117])
    table = tables["products"]
    fields = {name: set(filled(table, name).tolist()) for name in ("title", "description")}
    values: dict[str, dict[int, object]] = {name: {} for name in fields}
    for number, row in enumerate(victims(table, rate, rng, among=sorted(fields["title"] | fields["description"]))):
        here = [name for name in fields if row in fields[name]]
        field = here[int(rng.integers(len(here)))]
        kind = LISTED[(number + seed) % len(LISTED)]
        values[field][row] = put(table[field][row].as_py(), sentence(kind, difficulty, rng=rng, seed=seed), rng)
        truth.add("products", table["row_id"][row].as_py(), kind)
    for field, new in values.items():
        table = changed(table, field, new)
    return {**tables, "products": table}, truth.table()
