"""Events in, the same and some that were delivered twice out (E02)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, appended, victims

CHECK = "E02"
KINDS = {
    "easy": ("same",),
    "medium": ("same", "new_id", "new_id_later"),
    "adversarial": ("new_id_after_seconds", "id_reused"),
}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """The same bytes again, with a new id, some ms later; after 1 to 3 seconds, or the id on another event."""
    truth = Truth(CHECK)
    table = tables.get("events")
    if table is None:
        return tables, truth.table()
    rng = np.random.default_rng(seed)
    owner = table["shopper"].is_valid().to_numpy() | table["session"].is_valid().to_numpy()
    owned = np.flatnonzero(owner & table["time"].is_valid().to_numpy() & table["product"].is_valid().to_numpy())
    rows = victims(table, rate, rng, among=owned)
    event_ids, moments = table["event_id"].to_pylist(), table["time"].to_pylist()
    products = table["product"].to_pylist()
    ids: dict[int, object] = {}
    times: dict[int, object] = {}
    goods: dict[int, object] = {}
    kinds = []
    for number, row in enumerate(rows):
        kind = KINDS[difficulty][number % len(KINDS[difficulty])]
        if kind == "id_reused" and event_ids[row] is None:
            kind = "new_id_after_seconds"
        kinds.append(kind)
        if kind.startswith("new_id"):
            ids[number] = f"{event_ids[row]}-again-{seed}-{number}"
        if kind == "new_id_later":
            times[number] = moments[row] + int(rng.integers(1, 900))
        if kind == "new_id_after_seconds":
            times[number] = moments[row] + int(rng.integers(1001, 3000))
        if kind == "id_reused":
            goods[number] = products[int(rng.integers(len(products)))]
            times[number] = moments[row] + int(rng.integers(60_000, 9_000_000))
    sides = [side for name, side in tables.items() if name == "events.malformed"]
    after, new = appended(table, rows, {"event_id": ids, "time": times, "product": goods}, sides=sides)
    for id, kind in zip(new, kinds, strict=True):
        truth.add("events", id, kind)
    return {**tables, "events": after}, truth.table()
