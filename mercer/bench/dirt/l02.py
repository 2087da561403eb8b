"""Queries in, the same and other spellings of some out (L02)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import IMPLIED, Difficulty, Tables, Truth, appended, filled, victims

CHECK = "L02"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Under a new id: marks between words (easy), traditional characters too (medium), a homophone (adversarial)."""
    rng, truth, done = np.random.default_rng(seed), Truth(CHECK), dict(tables)
    if "queries" not in tables:
        return done, truth.table()
    table = tables["queries"]
    rows: list[int] = []
    ids: dict[int, object] = {}
    texts: dict[int, object] = {}
    for row in victims(table, rate, rng, among=filled(table, "text")):
        text = table["text"][row].as_py()
        said = _said(text, difficulty)
        if said != text:
            ids[len(rows)], texts[len(rows)] = f"{table['query_id'][row].as_py()}-l02-{seed}", said
            rows.append(row)
    done["queries"], new = appended(table, rows, {"query_id": ids, "text": texts})
    for row, id in zip(rows, new, strict=True):
        truth.add("queries", id, difficulty)
        truth.add("queries", table["row_id"][row].as_py(), f"{IMPLIED}_first")
    return done, truth.table()


def _said(text: str, difficulty: Difficulty) -> str:
    if text.isascii() or difficulty == "easy":
        return f"{'-'.join(text.split())}!"
    if difficulty == "medium":
        from opencc import OpenCC

        return str(OpenCC("s2t").convert(text)) + "。"
    homophones = {
        "机": "鸡",
        "红": "洪",
        "衣": "依",
        "子": "紫",
        "包": "胞",
        "鞋": "协",
        "水": "税",
        "手": "首",
        "电": "店",
    }
    return "".join(homophones.get(letter, letter) for letter in text)
