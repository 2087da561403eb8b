"""Products in, the same and some whose id another product already has out (C02)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]


def inject(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Append new editions of one product under the id of another: an id used again."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    owners = victims(len(frame), rate, rng)
    if len(frame) < 2 or not owners:
        return frame, Ledger("C02", "products").table()
    others = [(row + 1 + int(rng.integers(0, len(frame) - 1))) % len(frame) for row in owners]
    added = frame.take(others)
    ledger = Ledger("C02", "products")
    for number, (owner, other) in enumerate(zip(owners, others, strict=True)):
        ledger.add(len(frame) + number, "id", "reused_id", frame["id"][other].as_py(), twin=owner)
    ids = {number: frame["id"][owner].as_py() for number, owner in enumerate(owners)}
    titles = {number: f"{frame['title'][other].as_py()} 2.0" for number, other in enumerate(others)}
    return pa.concat_tables([frame, replaced(replaced(added, "id", ids), "title", titles)]), ledger.table()
