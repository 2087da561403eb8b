"""Events in, events of which some are of a type that nobody knows out (E01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]

WRONG = ("heartbeat", "null", "debug_event", "scroll")


def inject(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Types that a front end logs by mistake."""
    rng = np.random.default_rng(seed)
    ledger, values = Ledger("E01", "events"), {}
    for number, row in enumerate(victims(len(frame), rate, rng)):
        values[row] = WRONG[number % len(WRONG)]
        ledger.add(row, "type", "unknown_type", frame["type"][row].as_py())
    return replaced(frame, "type", values), ledger.table()
