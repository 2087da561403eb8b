"""Products in, products of which some have lost their title out (C01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]


def inject(frame: pa.Table, rate: float, difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Take titles away: nothing at all, or (from medium) only blanks."""
    rng = np.random.default_rng(seed)
    ledger, values = Ledger("C01", "products"), {}
    for row in victims(len(frame), rate, rng):
        values[row] = None if difficulty == "easy" or rng.random() < 0.5 else "  "
        ledger.add(row, "title", "missing_title", frame["title"][row].as_py())
    return replaced(frame, "title", values), ledger.table()
