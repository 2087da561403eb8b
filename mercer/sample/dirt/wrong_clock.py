"""Events in, events of which some have a time that cannot be out (E03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]

CENTURY = 3_155_760_000_000
"""Milliseconds: far enough that no clock and no year of running this can catch up."""


def inject(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Seconds for milliseconds, a century ahead, or zero."""
    rng = np.random.default_rng(seed)
    ledger, values = Ledger("E03", "events"), {}
    for number, row in enumerate(victims(len(frame), rate, rng)):
        time = frame["time"][row].as_py()
        kind = ("seconds", "future", "zero")[number % 3]
        values[row] = {"seconds": time // 1000, "future": time + CENTURY, "zero": 0}[kind]
        ledger.add(row, "time", kind, time)
    return replaced(frame, "time", values), ledger.table()
