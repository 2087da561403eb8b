"""Queries and judgments in, the same and some that would stand on both sides of a split out (X03)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import IMPLIED, Difficulty, Tables, Truth, appended, filled, victims

CHECK = "X03"
KINDS = {
    "easy": ("same",),
    "medium": ("same", "capitals", "blanks"),
    "adversarial": ("reorder", "plural", "punctuated"),
}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Queries under a new id: as they are, in capitals, with blanks; words in another order. Judgments again."""
    rng, truth, done = np.random.default_rng(seed), Truth(CHECK), dict(tables)
    if "queries" in tables:
        table = tables["queries"]
        rows = victims(table, rate, rng, among=filled(table, "text"))
        ids, texts, kinds = {}, {}, []
        for number, row in enumerate(rows):
            kinds.append(KINDS[difficulty][number % len(KINDS[difficulty])])
            ids[number] = f"{table['query_id'][row].as_py()}-again{seed}"
            texts[number] = _said(table["text"][row].as_py(), kinds[-1])
        done["queries"], new = appended(table, rows, {"query_id": ids, "text": texts})
        for row, id, kind in zip(rows, new, kinds, strict=True):
            truth.add("queries", id, kind)
            truth.add("queries", table["row_id"][row].as_py(), f"{IMPLIED}_twin")
    if "judgments" in tables:
        rows = victims(tables["judgments"], rate, rng)
        done["judgments"], new = appended(tables["judgments"], rows, {})
        for id in new:
            truth.add("judgments", id, "judged_again")
    return done, truth.table()


def _said(text: str, kind: str) -> str:
    words = text.split()
    return {
        "same": text,
        "capitals": f" {text.upper()}",
        "blanks": "  ".join(words) + " ",
        "reorder": " ".join(words[1:] + words[:1])
        if len(words) > 1
        else text[len(text) // 2 :] + text[: len(text) // 2],
        "plural": f"{text}s" if text.isascii() else f"{text}的",
        "punctuated": f"{text}!",
    }[kind]
