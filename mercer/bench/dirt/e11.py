"""Events in, the same without some of its impressions out (E11)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth
from mercer.bench.dirt.added import DAY

CHECK = "E11"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """All impressions gone of the busiest device for its last days (easy), a tenth of all (medium), one day's (else).

    `rate` says nothing: it is the whole file that is unfit. At easy as many days are lost as hold 5 % of the clicks.
    """
    del rate
    truth, events = Truth(CHECK), tables.get("events")
    if events is None or "impression" not in set(events["type"].to_pylist()):
        return tables, truth.table()
    rng = np.random.default_rng([seed, 11])
    kinds, devices = events["type"].to_pylist(), events["device"].to_pylist()
    day = events["time"].fill_null(0).to_numpy() // DAY
    shown = np.array([kind == "impression" for kind in kinds])
    clicked = np.array([kind == "click" for kind in kinds])
    if not clicked.any():
        return tables, truth.table()
    names, counts = np.unique(np.array([device or "" for device in devices])[clicked], return_counts=True)
    busy = np.array([(device or "") == names[counts.argmax()] for device in devices])
    if difficulty == "medium":
        gone = shown & (rng.random(len(events)) < 0.1)
    else:
        mine = np.sort(day[busy & clicked])
        days = np.unique(mine)[-max(2, len(np.unique(mine)) // 20) :]
        if difficulty == "adversarial":
            full, sizes = np.unique(mine, return_counts=True)
            days = rng.choice(full[sizes >= np.median(sizes)], 1)
        gone = shown & busy & np.isin(day, days)
    truth.add("events", -1, "exposures_gone")
    return {**tables, "events": events.filter(pa.array(~gone))}, truth.table()
