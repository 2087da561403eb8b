"""Products in, the same and some under an id that another product already has out (C02)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import IMPLIED, Difficulty, Tables, Truth, appended, victims

CHECK = "C02"
KINDS = {
    "easy": ("other_product",),
    "medium": ("other_product", "new_edition", "identical"),
    "adversarial": ("case", "blank", "price_only"),
}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Another product, a new edition or the same row under a used id; ids that differ in case or blanks."""
    truth = Truth(CHECK)
    table = tables.get("products")
    if table is None or len(table) < 2:
        return tables, truth.table()
    rng = np.random.default_rng(seed)
    owners = victims(table, rate, rng)
    kinds = [KINDS[difficulty][number % len(KINDS[difficulty])] for number in range(len(owners))]
    sources, ids, titles, prices = [], {}, {}, {}
    for number, (owner, kind) in enumerate(zip(owners, kinds, strict=True)):
        other = (owner + 1 + int(rng.integers(0, len(table) - 1))) % len(table)
        sources.append(other if kind == "other_product" else owner)
        id = str(table["id"][owner].as_py())
        ids[number] = {"case": id.swapcase(), "blank": f"{id} "}.get(kind, id)
        if kind == "case" and ids[number] == id:  # an id of digits
            ids[number], kinds[number] = f"{id} ", "blank"
        if kind == "new_edition":
            titles[number] = f"{table['title'][owner].as_py()} 2.0"
        if kind == "price_only":
            prices[number] = (table["price"][owner].as_py() or 1.0) * 1.5
    after, rows = appended(table, sources, {"id": ids, "title": titles, "price": prices}, sides=_sides(tables))
    for owner, row, kind in zip(owners, rows, kinds, strict=True):
        truth.add("products", row, kind)
        truth.add("products", table["row_id"][owner].as_py(), f"{IMPLIED}_twin")
    return {**tables, "products": after}, truth.table()


def _sides(tables: Tables) -> list[pa.Table]:
    return [side for name, side in tables.items() if name == "products.malformed"]
