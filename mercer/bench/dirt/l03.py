"""Judgments in, the same and some that contradict them out (L03)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import IMPLIED, Difficulty, Tables, Truth, appended, filled, victims

CHECK = "L03"


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Pairs judged again: furthest grade (easy), next grade (medium), under another id of its query (adversarial)."""
    rng, truth, done = np.random.default_rng(seed), Truth(CHECK), dict(tables)
    if "judgments" not in tables:
        return done, truth.table()
    table = tables["judgments"]
    grades = sorted({grade for grade in table["grade"].to_pylist() if grade is not None})
    if len(grades) < 2:
        return done, truth.table()
    rows = victims(table, rate, rng, among=np.intersect1d(filled(table, "query_id"), filled(table, "grade")))
    told = {number: _other(table["grade"][row].as_py(), grades, difficulty) for number, row in enumerate(rows)}
    changes: dict[str, dict[int, object]] = {"grade": dict(told)}
    if difficulty == "adversarial" and "queries" in tables:
        changes["query_id"], done["queries"] = _aliases(tables, rows, seed)
    done["judgments"], new = appended(table, rows, changes)
    for row, id in zip(rows, new, strict=True):
        truth.add("judgments", id, difficulty)
        truth.add("judgments", table["row_id"][row].as_py(), f"{IMPLIED}_first")
    return done, truth.table()


def _other(grade: float, grades: list[float], difficulty: Difficulty) -> float:
    if difficulty == "easy":
        return max(grades, key=lambda other: abs(other - grade))
    return min((other for other in grades if other != grade), key=lambda other: abs(other - grade))


def _aliases(tables: Tables, rows: list[int], seed: int) -> tuple[dict[int, object], pa.Table]:
    """Another id, in capitals, for the query of each row."""
    queries = tables["queries"]
    place = {id: number for number, id in enumerate(queries["query_id"].to_pylist())}
    asked = [tables["judgments"]["query_id"][row].as_py() for row in rows]
    known = [id for id in dict.fromkeys(asked) if id in place and queries["text"][place[id]].as_py()]
    ids = {number: f"{id}-l03-{seed}" for number, id in enumerate(known)}
    texts = {number: f" {queries['text'][place[id]].as_py().upper()}" for number, id in enumerate(known)}
    added, _ = appended(queries, [place[id] for id in known], {"query_id": ids, "text": texts})
    alias = dict(zip(known, ids.values(), strict=True))
    return {number: alias.get(id, id) for number, id in enumerate(asked)}, added
