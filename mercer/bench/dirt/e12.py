"""Events in, the same with clicks drawn anew under a known position bias, or without positions, out (E12)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mercer.bench.dirt import Difficulty, Tables, Truth, changed

CHECK = "E12"
ETA = {"easy": 1.0, "medium": 0.5, "adversarial": 2.0}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Position-based clicks of the given steepness in place of the shop's; the whole file is what is to be found.

    `rate` says nothing here: a bias is everywhere or nowhere. The curve that is right is ``position ** -ETA``.
    """
    del rate
    truth = Truth(CHECK)
    events = tables.get("events")
    kinds = events["type"].to_pylist() if events is not None else []
    shown = np.array([number for number, kind in enumerate(kinds) if kind == "impression"], np.int64)
    if events is None or len(shown) < 3000:
        return tables, truth.table()
    rng = np.random.default_rng([seed, 12])
    kept = events.filter(pa.array([kind != "click" for kind in kinds]))
    pages = events.take(pa.array(shown))
    place = pages["position"].to_numpy(zero_copy_only=False).astype(float)
    things = pc.fill_null(pages["product"], "").combine_chunks().dictionary_encode().indices.to_numpy()
    appeal = rng.beta(2, 3, things.max() + 1)[things]
    clicked = rng.random(len(place)) < np.nan_to_num(place, nan=1.0) ** -ETA[difficulty] * appeal
    clicks = pages.filter(pa.array(clicked))
    last = max(kept["row_id"].to_pylist() + events["row_id"].to_pylist())
    number = range(len(clicks))
    clicks = changed(clicks, "type", dict.fromkeys(number, "click"))
    clicks = changed(clicks, "row_id", {row: last + 1 + row for row in number})
    clicks = changed(
        clicks, "time", {row: time + 4000 for row, time in enumerate(clicks["time"].to_pylist()) if time is not None}
    )
    clicks = changed(clicks, "event_id", {row: f"P{seed}-{row}" for row in number})
    truth.add("events", -1, "position_bias")
    return {**tables, "events": pa.concat_tables([kept, clicks])}, truth.table()
