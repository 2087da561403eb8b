"""Events in, the same and some that were delivered twice out (E02)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, taken, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]


def inject(frame: pa.Table, rate: float, difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Append events again: the same to the last byte (easy), every second with a new id and some ms later (else)."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    rows = victims(len(frame), rate, rng)
    ledger = Ledger("E02", "events")
    ids: dict[int, object] = {}
    times: dict[int, object] = {}
    for number, row in enumerate(rows):
        event_id = frame["event_id"][row].as_py()
        kind = "same_event"
        if difficulty != "easy" and number % 2:
            kind, ids[number] = "resent", f"{event_id}r"
            times[number] = frame["time"][row].as_py() + int(rng.integers(1, 800))
        ledger.add(len(frame) + number, "event_id", kind, event_id, twin=row)
    added = replaced(replaced(taken(frame, rows), "event_id", ids), "time", times)
    return pa.concat_tables([frame, added]), ledger.table()
