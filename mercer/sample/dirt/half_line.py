"""JSON lines in, lines of which some end in the middle out (C01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]


def inject(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Cut lines between a third and nine tenths, as a full disk or a dropped connection does."""
    rng = np.random.default_rng(seed)
    ledger, values = Ledger("C01", "products"), {}
    for row in victims(len(frame), rate, rng):
        line = frame["line"][row].as_py()
        values[row] = line[: int(len(line) * rng.uniform(0.33, 0.9))]
        ledger.add(row, "", "half_line", line)
    return replaced(frame, "line", values), ledger.table()
