"""Products in, products of which some have a price that cannot be out (C06)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]

FACTOR = {"easy": 1000.0, "medium": 100.0, "hard": 10.0}
KINDS = ("times", "divided", "zero", "negative", "nan")


def inject(frame: pa.Table, rate: float, difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Prices in another unit (× and ÷ 100 at medium, as yuan for fen), zero, negative, or no number."""
    rng = np.random.default_rng(seed)
    ledger, values = Ledger("C06", "products"), {}
    for number, row in enumerate(victims(len(frame), rate, rng)):
        price, kind = frame["price"][row].as_py(), KINDS[number % len(KINDS)]
        wrong = {
            "times": price * FACTOR[difficulty],
            "divided": round(price / FACTOR[difficulty], 4),
            "zero": 0.0,
            "negative": -price,
            "nan": float("nan"),
        }
        values[row] = wrong[kind]
        ledger.add(row, "price", kind, price)
    return replaced(frame, "price", values), ledger.table()
