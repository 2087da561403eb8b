"""Events and reviews in, the same with some at a time that cannot be out (E03)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims

CHECK = "E03"
HOUR = 3_600_000
KINDS = {
    "easy": ("zero", "century"),
    "medium": ("seconds", "microseconds", "century", "zero"),
    "adversarial": ("week_ahead", "eight_hours", "1970s"),
}
"""Eight hours (Beijing time taken for UTC) cannot be seen in one row; it needs the profile of a source."""


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Zero, a century ahead, seconds and microseconds; a week after the last true event, eight hours off, the 1970s."""
    rng, truth, done = np.random.default_rng(seed), Truth(CHECK), dict(tables)
    for family in ("events", "reviews"):
        if family not in tables or not len(filled(tables[family], "time")):
            continue
        table = tables[family]
        times, ids, values = table["time"].to_pylist(), table["row_id"].to_pylist(), {}
        last = max(time for time in times if time is not None)
        for number, row in enumerate(victims(table, rate, rng, among=filled(table, "time"))):
            kind, time = KINDS[difficulty][number % len(KINDS[difficulty])], times[row]
            values[row] = {
                "zero": 0,
                "century": time + 36_525 * 24 * HOUR,
                "seconds": time // 1000,
                "microseconds": time * 1000,
                "week_ahead": last + 7 * 24 * HOUR,
                "eight_hours": time - 8 * HOUR,
                "1970s": time % (9 * 365 * 24 * HOUR) + 24 * HOUR,
            }[kind]
            truth.add(family, ids[row], kind)
        done[family] = changed(table, "time", values)
    return done, truth.table()
