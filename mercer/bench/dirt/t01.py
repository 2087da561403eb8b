"""Reviews in, the same with shoppers' numbers, addresses and names in some of them out (T01)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims
from mercer.bench.dirt.person import VALUES, sentence

CHECK = "T01"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """In turn every kind of personal data, put before, into or after what a review says."""
    truth = Truth(CHECK)
    if "reviews" not in tables:
        return tables, truth.table()
    rng = np.random.default_rng([seed, 101])
    table = tables["reviews"]
    texts, ids, values = table["text"], table["row_id"], {}
    kinds = sorted(VALUES)
    for number, row in enumerate(victims(table, rate, rng, among=filled(table, "text"))):
        kind = kinds[(number + seed) % len(kinds)]
        values[row] = put(texts[row].as_py(), sentence(kind, difficulty, rng=rng, seed=seed), rng)
        truth.add("reviews", ids[row].as_py(), kind)
    return {**tables, "reviews": changed(table, "text", values)}, truth.table()


def put(text: str, said: str, rng: Any) -> str:
    """`said` before, after or at a sign in the middle of a text, with a sign or nothing between."""
    sign = (
        ("，", " ", "。", "；")[int(rng.integers(4))]
        if not text.isascii()
        else (". ", " - ", "; ")[int(rng.integers(3))]
    )
    way = int(rng.integers(3))
    if way == 0:
        return said + sign + text
    places = [index + 1 for index, letter in enumerate(text) if letter in "，。！,.!"]
    if way == 1 and places:
        place = places[int(rng.integers(len(places)))]
        return text[:place] + " " + said + sign + text[place:].lstrip()
    return text + sign + said
