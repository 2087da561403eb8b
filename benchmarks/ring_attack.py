"""Rings set on products in; how much of the rank they gain is lost again when what E08 finds is out, out.

Usage: ``python -m benchmarks.ring_attack [--seeds 11 12 13 14 15] [--rate 0.01] [--base sample]``. For each target its
rank among popular products, and its exposure as a neighbour (the top 20 lists of item-kNN that it is in): clean,
attacked and checked. Removed is (attacked - checked) / (attacked - clean).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.base import load
from mercer.bench.dirt.e08 import inject
from mercer.quality.check import Inputs, find
from mercer.quality.read import read
from mercer.retrieve.behaviour import Behaviour
from mercer.sample.generate import FILES, generate
from mercer.sample.settings import SampleSettings

TOP = 20


def tables_of(base: str, seed: int) -> dict[str, pa.Table]:
    """Events and products of a fresh sample shop, or of a real one."""
    if base != "sample":
        return {family: raw.table for family, raw in load(base).items()}
    folder = Path(tempfile.mkdtemp(prefix="mercer-ring-"))
    generate(folder, SampleSettings(seed=seed, images=0))
    return {family: read(family, folder / FILES[family]).table for family in ("events", "products")}


def places(events: pa.Table, targets: list[str]) -> dict[str, np.ndarray]:
    """For each target: score of its rank by popularity (its logarithm), and lists of neighbours that it is in."""
    fitted = Behaviour.fit(events)
    value = fitted.popular.value
    rank = np.empty(len(value))
    rank[np.argsort(-value, kind="stable")] = np.arange(1, len(value) + 1)
    code = [fitted.products.code(target) for target in targets]
    popular = np.array([-np.log(rank[one] if one >= 0 else len(value) + 1) for one in code])
    near, start = fitted.knn.neighbours, fitted.knn.neighbours.start
    shown = np.zeros(len(value))
    for product in range(len(value)):
        if product in code:
            continue
        span = slice(start[product], start[product + 1])
        best = np.argsort(-near.score[span], kind="stable")[:TOP]
        np.add.at(shown, near.product[span][best], 1)
    exposure = np.array([shown[one] if one >= 0 else 0.0 for one in code])
    within = _within(near, code)
    return {"popularity": popular, "item_knn": exposure, "item_knn_ring": within}


def _within(near: Any, code: list[int]) -> np.ndarray:
    """Of each target, how many of the other targets list it among their best neighbours."""
    ring, start = set(code), near.start
    counts = dict.fromkeys(code, 0.0)
    for product in sorted(one for one in ring if one >= 0):
        span = slice(start[product], start[product + 1])
        best = near.product[span][np.argsort(-near.score[span], kind="stable")[:TOP]]
        for other in best.tolist():
            if other in ring:
                counts[other] += 1
    return np.array([counts[one] for one in code])


def checked(tables: dict[str, pa.Table]) -> pa.Table:
    """Events without what E08 quarantines."""
    declared = find("E08")
    gone = [
        found.rows["row_id"].to_pylist()
        for found in declared(Inputs(tables, 0), declared.settings())
        if found.family == "events" and declared.action(found.problem, declared.settings()) == "quarantine"
    ]
    rows = pa.array([row for part in gone for row in part], pa.int64())
    return tables["events"].filter(pc.invert(pc.is_in(tables["events"]["row_id"], value_set=rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13, 14, 15])
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--base", default="sample", choices=["sample", "online_retail"])
    told = parser.parse_args()
    for difficulty in ("easy", "medium", "adversarial"):
        sums: dict[str, list[np.ndarray]] = {}
        for seed in told.seeds:
            tables = tables_of(told.base, seed)
            dirty, truth = inject(tables, told.rate, difficulty, seed)
            ring = set(truth.filter(pc.equal(truth["kind"], "ring"))["row_id"].to_pylist())
            hit = dirty["events"].filter(
                pc.is_in(dirty["events"]["row_id"], value_set=pa.array(sorted(ring), pa.int64()))
            )
            targets = sorted(set(hit["product"].to_pylist()))
            stages = [places(events, targets) for events in (tables["events"], dirty["events"], checked(dirty))]
            for name in stages[0]:
                sums.setdefault(name, []).append(np.array([stage[name].mean() for stage in stages]))
        for name, rows in sums.items():
            clean, attacked, after = np.mean(rows, axis=0)
            each = [(row[1] - row[2]) / (row[1] - row[0]) if row[1] != row[0] else np.nan for row in rows]
            removed = (attacked - after) / (attacked - clean) if attacked != clean else float("nan")
            print(
                f"{told.base} {difficulty:12} {name:14} "
                f"clean {clean:7.2f} attacked {attacked:7.2f} checked {after:7.2f} "
                f"removed {removed:6.1%}  by seed {', '.join(f'{value:.0%}' for value in each)}"
            )


if __name__ == "__main__":
    main()
