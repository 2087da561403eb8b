"""Queries or judgments in, the same and some that stand there twice out (X03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, taken, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject_judgments", "inject_queries"]


def inject_queries(frame: pa.Table, rate: float, difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Append queries under a new id, so that one could be trained on and the other tested; at medium in capitals."""
    import pyarrow as pa

    rows = victims(len(frame), rate, np.random.default_rng(seed))
    ledger, ids, texts = Ledger("X03", "queries"), {}, {}
    for number, row in enumerate(rows):
        query_id, text = frame["query_id"][row].as_py(), frame["text"][row].as_py()
        ids[number] = f"{query_id}b"
        texts[number] = text if difficulty == "easy" else f" {text.upper()}"
        ledger.add(len(frame) + number, "text", "same_query", query_id, twin=row)
    added = replaced(replaced(taken(frame, rows), "query_id", ids), "text", texts)
    return pa.concat_tables([frame, added]), ledger.table()


def inject_judgments(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Append judgments again."""
    import pyarrow as pa

    rows = victims(len(frame), rate, np.random.default_rng(seed))
    ledger = Ledger("X03", "judgments")
    for number, row in enumerate(rows):
        ledger.add(len(frame) + number, "product", "judged_again", frame["grade"][row].as_py(), twin=row)
    return pa.concat_tables([frame, taken(frame, rows)]), ledger.table()
