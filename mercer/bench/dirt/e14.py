"""Events in, the same without a source, a part of it or one of its types for some hours out (E14)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mercer.bench.dirt import Difficulty, Tables, Truth

CHECK = "E14"
HOUR = 3_600_000
HOURS: dict[Difficulty, int] = {"easy": 24, "medium": 3, "adversarial": 3}
LENGTHS = (3, 6, 12, 24)
"""A shop in which no hours lose enough is given a longer outage, 24 hours at most."""
LEAST = 30
"""Visits that are lost, as expected from the weeks about. Silence at night or in a shop with hardly a visit an hour is
nothing that a log can show: of 30 expected visits none at all has a chance of exp(-30), of 8 (the phones of the sample
shop in three hours) exp(-8), and a year has more windows than that."""
PARTIAL = 0.7
"""Share of visits that a partial outage loses; three times as many are needed."""


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """The busiest device sends nothing for a day or three hours; or loses 70 % of its visits, or one of its types.

    `rate` says nothing: it is the whole file that is unfit. Nothing is done where 24 hours would not lose enough.
    """
    del rate
    truth, events = Truth(CHECK), tables.get("events")
    if events is None or not len(events):
        return tables, truth.table()
    rng = np.random.default_rng([seed, 14])
    hour = events["time"].fill_null(0).to_numpy() // HOUR
    visit = events["session"].dictionary_encode().combine_chunks().indices.fill_null(-1).to_numpy()
    devices = events["device"].to_pylist()
    busiest = Counter(devices).most_common(1)[0][0]
    mine = np.array([device == busiest for device in devices])
    kind, need = "silence", LEAST
    if difficulty == "adversarial" and seed % 2:
        kind, need = "partial", 3 * LEAST
        mine &= rng.random(int(visit.max()) + 2)[visit] < PARTIAL
        need = round(need * PARTIAL)
    elif difficulty == "adversarial":
        types = events["type"].to_pylist()
        common = sorted(Counter(types), key=lambda type: -types.count(type))[:3]
        kind, lost = "one_type", common[int(rng.integers(len(common)))]
        mine &= np.array([type == lost for type in types])
    for length in LENGTHS[LENGTHS.index(HOURS[difficulty]) :]:
        starts = _starts(hour[mine], visit[mine], (int(hour.min()), int(hour.max())), length, need)
        if len(starts):
            start = int(rng.choice(starts))
            gone = mine & (hour >= start) & (hour < start + length)
            truth.add("events", -1, f"{kind}_{length}h")
            return {**tables, "events": events.filter(pa.array(~gone))}, truth.table()
    return tables, truth.table()


def _starts(
    hour: NDArray[np.int64], visit: NDArray[np.int32], span: tuple[int, int], length: int, need: int
) -> NDArray[np.int64]:
    """Hours from which `length` of them usually have `need` visits (a mean of two weeks about), and have half of them.

    Neither in the first three days nor in the last: what is usual is not known there.
    """
    first, last = span
    once = np.unique(np.stack([hour, visit]), axis=1)[0]
    counts = np.bincount(once - first, minlength=last - first + 1)
    lost = np.convolve(counts, np.ones(length), "valid")
    total = np.concatenate([np.zeros(7 * 24), lost, np.zeros(7 * 24)])
    near = [total[7 * 24 + 24 * day :][: len(lost)] for day in range(-7, 8) if day]
    usual = np.mean(near, axis=0)
    starts = np.flatnonzero((usual >= need) & (lost >= need / 2)) + first
    chosen: NDArray[np.int64] = starts[(starts >= first + 72) & (starts + length <= last - 24)]
    return chosen
