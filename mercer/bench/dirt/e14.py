"""Events in, the same without a source for some hours out (E14)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth

CHECK = "E14"
HOUR = 3_600_000
HOURS = {"easy": 24, "medium": 6, "adversarial": 3}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """The busiest device sends nothing for a day, six or three hours, which begin in the busiest of the day.

    `rate` says nothing: it is the whole file that is unfit.
    """
    del rate
    truth, events = Truth(CHECK), tables.get("events")
    if events is None or not len(events):
        return tables, truth.table()
    rng = np.random.default_rng([seed, 14])
    devices, time = events["device"].to_pylist(), events["time"].fill_null(0).to_numpy()
    busiest = Counter(devices).most_common(1)[0][0]
    mine = np.array([device == busiest for device in devices])
    hours, counts = np.unique(time[mine] // HOUR, return_counts=True)
    by_hour = np.bincount((hours % 24).astype(int), weights=counts, minlength=24)
    length = HOURS[difficulty]
    start_hour = int(np.argmax(np.convolve(np.tile(by_hour, 2), np.ones(min(length, 24)), "valid")[:24]))
    days = np.unique(hours // 24)[3:-1]
    if not len(days):  # a log of a few days
        return tables, truth.table()
    start = int(rng.choice(days)) * 24 + start_hour
    gone = mine & (time // HOUR >= start) & (time // HOUR < start + length)
    truth.add("events", -1, "silence")
    return {**tables, "events": events.filter(pa.array(~gone))}, truth.table()
