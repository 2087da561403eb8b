"""Judgments, reviews and products in, the same with some that point to nothing out (C13)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims

CHECK = "C13"
POINTERS = (
    ("judgments", "product", "products", "id"),
    ("judgments", "query_id", "queries", "query_id"),
    ("reviews", "product", "products", "id"),
)


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Ids that nobody has (easy and medium), or that differ in one character from a true one; images renamed."""
    rng, truth, done = np.random.default_rng(seed), Truth(CHECK), dict(tables)
    hurt: set[tuple[str, int]] = set()
    for family, field, other, key in POINTERS:
        if family in tables and other in tables:
            known = set(tables[other][key].to_pylist())
            there = [row for row in filled(tables[family], field).tolist() if (family, row) not in hurt]
            ids, pointers, values = tables[family]["row_id"].to_pylist(), tables[family][field].to_pylist(), {}
            for row in victims(tables[family], rate, rng, among=there) if there else []:
                if pointers[row] in known:
                    values[row] = _unknown(str(pointers[row]), known, difficulty, rng)
                    hurt.add((family, row))
                    truth.add(family, ids[row], f"unknown_{field}")
            done[family] = changed(done[family], field, values)
    if "products" in tables:
        done["products"] = _images(done["products"], rate, rng, truth)
    return done, truth.table()


def _unknown(id: str, known: set[str], difficulty: Difficulty, rng: np.random.Generator) -> str:
    while True:
        digit = str(int(rng.integers(10)))
        made = f"{id[:-1]}{digit}x"[: len(id)] if difficulty != "adversarial" else f"{id[:-1]}{digit}"
        made = f"X{int(rng.integers(10**6, 10**7))}" if difficulty != "adversarial" else made
        if made in known and difficulty == "adversarial":
            made = f"{id}{digit}"
        if made not in known:
            return made


def _images(products: pa.Table, rate: float, rng: np.random.Generator, truth: Truth) -> pa.Table:
    images = products["image"].to_pylist()
    local = [row for row, image in enumerate(images) if image and "//" not in image]
    if not local:
        return products
    ids, values = products["row_id"].to_pylist(), {}
    for row in victims(products, rate * len(local) / len(products), rng, among=local):
        values[row] = images[row].replace(".", "_old.", 1)
        truth.add("products", ids[row], "missing_image")
    return changed(products, "image", values)
