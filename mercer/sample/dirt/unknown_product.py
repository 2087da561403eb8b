"""Events, judgments or reviews in, the same with some for products that nobody sells out (C13, E01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject_events", "inject_judgments", "inject_reviews"]


def inject_events(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Orphan events (E01)."""
    return _orphaned(frame, rate, seed, Ledger("E01", "events"))


def inject_judgments(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Orphan judgments (C13)."""
    return _orphaned(frame, rate, seed, Ledger("C13", "judgments"))


def inject_reviews(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Orphan reviews (C13)."""
    return _orphaned(frame, rate, seed, Ledger("C13", "reviews"))


def _orphaned(frame: pa.Table, rate: float, seed: int, ledger: Ledger) -> tuple[pa.Table, pa.Table]:
    rng = np.random.default_rng(seed)
    values = {}
    for row in victims(len(frame), rate, rng):
        values[row] = f"X{int(rng.integers(90_000, 99_999))}"
        ledger.add(row, "product", "unknown_product", frame["product"][row].as_py())
    return replaced(frame, "product", values), ledger.table()
