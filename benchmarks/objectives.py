"""A shop with judged queries and prices in; what weighing revenue beside relevance costs and brings, as a curve, out.

    OMP_NUM_THREADS=1 nice python benchmarks/objectives.py esci150=SHOP [--objective price] [--plot FILE.png] [--write]

SHOP is a copy of a checked and indexed shop whose [data] has queries and judgments. Every weight is a point of the
curve; none is chosen, so nothing is tuned on what is reported. Relevance is nDCG@10 with its paired 95 % interval
against weight 0. What the objective brings is its mean number over the first ten, each place counted by the chance that
it is looked at (1 / log2(1 + place)); of prices that is revenue a look, if buying did not depend on the price.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

from mercer.measure.compare import interval
from mercer.records import Request

sys.path.insert(0, str(Path(__file__).parent))
from diversity import Judged
from results import put

WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
LOOKS = 1 / np.log2(1 + np.arange(1, 11))


def curve(judged: Judged, objective: str) -> list[dict[str, float]]:
    """One row a weight: nDCG@10, what it lost with its interval, and what the objective brings."""
    found: list[dict[str, float]] = []
    first: np.ndarray | None = None
    live = judged.doors.searching
    for weight in WEIGHTS:
        door = live.otherwise(ranking=dataclasses.replace(live.ranking, objectives={objective: weight}))
        pages = {query: door(Request(query=text, k=10)) for query, text in judged.queries.items()}
        run = {query: [hit.id for hit in page.hits] for query, page in pages.items()}
        each = judged.metric(run, judged.truth)
        scores = np.array([each[query] for query in run])
        first = scores if first is None else first
        lost = interval(scores - first, seed=7)
        brought = np.nanmean([_brought(judged, run[query], objective) for query in run])
        found.append(
            {"weight": weight, "nDCG@10": float(scores.mean()), "difference": lost.value,
             "low": lost.low, "high": lost.high, "objective": float(brought)}
        )  # fmt: skip
    return found


def _brought(judged: Judged, ids: list[str], objective: str) -> float:
    columns = judged.doors.index.columns
    rows = np.array([columns.row[id] for id in ids], dtype=np.int64)
    numbers = (columns.told if objective.startswith("attributes.") else columns.numbers)(objective, rows)
    known = ~np.isnan(numbers)
    looks = LOOKS[: len(ids)][known]
    return float((numbers[known] * looks).sum() / looks.sum()) if known.any() else float("nan")


def plot(curves: dict[str, list[dict[str, float]]], objective: str, path: Path) -> None:
    """Relevance against what is brought, a line a shop, each point named by its weight."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), constrained_layout=True)
    for name, rows in curves.items():
        brought = [row["objective"] / rows[0]["objective"] for row in rows]
        axes.plot(brought, [row["nDCG@10"] for row in rows], marker="o", label=name)
        for row, x in zip(rows, brought, strict=True):
            axes.annotate(f"{row['weight']:g}", (x, row["nDCG@10"]), textcoords="offset points", xytext=(4, 4))
    axes.set(xlabel=f"{objective} a look, by that of weight 0", ylabel="nDCG@10")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure, print, plot."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("shops", nargs="+", metavar="NAME=SHOP")
    told.add_argument("--objective", default="price")
    told.add_argument("--plot", type=Path)
    told.add_argument("--json", type=Path)
    told.add_argument("--write", action="store_true", help="write the section into RESULTS.md")
    given = told.parse_args()
    curves = {}
    for one in given.shops:
        name, _, folder = one.partition("=")
        judged = Judged(name, Path(folder))
        curves[name] = curve(judged, given.objective)
        judged.doors.close()
    lines = [
        f"| shop | weight of {given.objective} | nDCG@10 | difference (95 %) | {given.objective} a look |",
        "|---|---|---|---|---|",
    ]
    for name, rows in curves.items():
        for row in rows:
            said = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})" if row["weight"] else ""
            lines.append(f"| {name} | {row['weight']:g} | {row['nDCG@10']:.3f} | {said} | {row['objective']:.2f} |")
    print("\n".join(lines))
    if given.json:
        given.json.write_text(json.dumps(curves, indent=1), "utf-8")
    if given.plot:
        plot(curves, given.objective, given.plot)
    if given.write:
        put("objectives", f"Search: relevance beside {given.objective}", lines)


if __name__ == "__main__":
    main()
