"""Four periods of the sample shop in; what plain tuning, rehearsal, EWC and L2 forget of the earlier ones, out.

    OMP_NUM_THREADS=1 nice python benchmarks/continual.py [--arms plain,rehearse] [--seeds 7] [--out FILE] [--write]

A period is three departments: the shop opens them one after the other, and shoppers' questions follow (harder than four
quarters of one shop, whose questions are alike). All-MiniLM-L6-v2 learns each period's judged English queries for the
same number of steps in every arm, from the version before; held-out queries of every period are then ranked over the
whole catalogue by vectors alone. Forgotten is the mean share of its best nDCG@10 that a period has lost at the end.
`plain` takes the last state; the other arms do what `mercer learn --since last` does, with the settings named here.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from mercer.encode.language import language_of
from mercer.encode.model import Model, read
from mercer.encode.source import default_cache, resolve
from mercer.learn.pairs import joined
from mercer.learn.pairs.pair import group_of, rows_of, to_pairs
from mercer.learn.pool import Pool
from mercer.learn.precision import precision_of
from mercer.learn.rehearse import buffer, keeper
from mercer.learn.robust_settings import RehearseSettings
from mercer.learn.settings import LearnSettings
from mercer.learn.step import Task
from mercer.learn.tower import build
from mercer.learn.tune import tune
from mercer.measure.compare import interval
from mercer.measure.matrix import Matrix
from mercer.quality.read import read as read_table
from mercer.records import Product
from mercer.retrieve.text import passage
from mercer.sample import SampleSettings, generate

sys.path.insert(0, str(Path(__file__).parent))
from base import TREC
from results import put

PERIODS, TESTED = 4, 0.4
SHOP = SampleSettings(products=1000, shoppers=60, events=2000, queries=480, images=0)
LEARN = LearnSettings(
    batch=8, passages=4, steps=32, lr=2e-4, length=40, evaluations=1, blend=False, catalogue_share=0.0
)
ARMS: Mapping[str, RehearseSettings | None] = {
    "plain": None,
    "rehearse": RehearseSettings(),
    "rehearsal alone": RehearseSettings(distil=0.0),
    "ewc": RehearseSettings(share=0.0, distil=0.0, ewc=1e5),
    "l2": RehearseSettings(share=0.0, distil=0.0, l2=0.1),
}


def periods(folder: Path) -> tuple[dict[str, str], list[dict[str, dict[str, float]]]]:
    """Product id → text, and of each period query text → product → gain."""
    made = generate(folder, SHOP)
    rows = read_table("products", made.files["products"]).table.to_pylist()
    products = {row["id"]: Product.from_row(row) for row in rows if language_of(row["title"]) != "zh"}
    texts = {id: passage(product) for id, product in products.items()}
    asked = {row["query_id"]: row["text"] for row in read_table("queries", made.files["queries"]).table.to_pylist()}
    truth: dict[str, dict[str, float]] = defaultdict(dict)
    judged = made.files["judgments"]
    mapping = {"mapping": TREC} if judged.suffix == ".qrels" else {}
    for row in read_table("judgments", judged, **mapping).table.to_pylist():
        text = asked.get(row["query_id"], "")
        if row["product"] in texts and text and language_of(text) != "zh":
            truth[text][row["product"]] = row["grade"] / 3
    departments = sorted({product.category[0] for product in products.values()})
    found: list[dict[str, dict[str, float]]] = [{} for _ in range(PERIODS)]
    for text, gains in sorted(truth.items()):
        right = Counter(products[id].category[0] for id, gain in gains.items() if gain > 0)
        if right:
            place = departments.index(right.most_common(1)[0][0])
            found[place * PERIODS // len(departments)][text] = gains
    return texts, found


def pairs_of(truth: Mapping[str, Mapping[str, float]], texts: Mapping[str, str]) -> Any:
    return to_pairs((query, id, texts[id], gain, 1.0, group_of(query), None, "judgments", "")
                    for query, gains in truth.items() for id, gain in gains.items())  # fmt: skip


def values(model: Model, pool: Pool) -> dict[str, float]:
    """nDCG@10 of each query over the whole catalogue."""
    from mercer.measure.metric import parse_all

    tower = build(model, length=LEARN.length)
    tower.precision = precision_of("auto")
    (metric,) = parse_all(["nDCG@10"])
    return dict(metric(pool.runs(tower), dict(pool.truth)))


def course(name: str, seed: int, *, parts: Sequence[Any], pool: Pool, folder: Path) -> dict[str, Any]:
    """One arm: four versions, each measured on every held-out query."""
    how, model = ARMS[name], resolve("minilm", cache=default_cache(), timeout=1)
    settings = dataclasses.replace(LEARN, seed=seed, rehearse=how or RehearseSettings())
    measured, seconds, kept = [values(model, pool)], [], None
    for period, train in enumerate(parts):
        began = cpu()
        tasks = [Task("fresh", train, LEARN.objective, 1.0, LEARN.passages)]
        beside = None
        if how is not None and kept is not None:
            again = Task("rehearsed", kept, LEARN.objective, how.share, LEARN.passages)
            beside = keeper(kept, [again], how, passages=LEARN.batch * LEARN.passages, temperature=LEARN.temperature,
                            margin=LEARN.margin, seed=seed)  # fmt: skip
            if how.share:
                tasks = [dataclasses.replace(tasks[0], share=1 - how.share), again]
        made = folder / f"{name}-{seed}-{period}"
        tune(model, tasks, settings, folder=made, work=folder / f"work-{name}-{seed}-{period}", beside=beside)
        seconds.append(cpu() - began)
        kept = train if kept is None else joined(kept, train)
        kept = buffer(kept, settings.rehearse, seed=seed)
        model = read(made)
        measured.append(values(model, pool))
        print(f"{name} {seed} period {period + 1}: {seconds[-1]:.0f} s", file=sys.stderr, flush=True)
    return {"values": measured, "seconds": seconds}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def summed(done: Mapping[str, Any], held: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The matrix of a course, and the interval of what was forgotten, over queries."""
    grid = tuple(tuple(float(np.mean([row[q] for q in queries])) for queries in held) for row in done["values"])
    names = tuple(f"after {number}" if number else "start" for number in range(PERIODS + 1))
    matrix = Matrix(names, tuple(f"period {number + 1}" for number in range(PERIODS)), grid, "nDCG@10",
                    tuple(done["seconds"]))  # fmt: skip
    lost = []
    for period, queries in enumerate(held[:-1]):
        rows = list(range(period + 1, PERIODS + 1))
        best = max(rows, key=lambda number, period=period: grid[number][period])
        scale = 1 / grid[best][period]
        lost += [(done["values"][best][q] - done["values"][-1][q]) * scale for q in queries]
    ends = interval(lost, seed=7)
    return {**matrix.json(), "low": ends.low, "high": ends.high}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--out", type=Path, help="Everything as JSON.")
    parser.add_argument("--write", action="store_true", help="Into RESULTS.md.")
    options = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts, truths = periods(folder / "raw")
        held, parts = [], []
        for truth in truths:
            order = np.random.default_rng(20261124).permutation(len(truth))
            queries = [sorted(truth)[at] for at in order]
            tested = queries[: round(TESTED * len(queries))]
            held.append(tested)
            every = pairs_of(truth, texts)
            groups = {group_of(query) for query in tested}
            named = every["group"].to_pylist()
            parts.append(rows_of(every, [row for row, group in enumerate(named) if group not in groups]))
        truth = {query: truths[number][query] for number, queries in enumerate(held) for query in queries}
        pool = Pool({query: query for query in truth}, truth, {query: list(texts) for query in truth}, texts)
        for arm in options.arms.split(","):
            found[arm] = [
                summed(course(arm, seed, parts=parts, pool=pool, folder=folder), held) for seed in options.seeds
            ]
            if options.out:
                options.out.write_text(json.dumps(found), "utf-8")
    said = lines(found, [len(queries) for queries in held], [len(set(part["query"].to_pylist())) for part in parts])
    print("\n".join(said))
    if options.write:
        put("continual", "Learning period by period", said)


def lines(found: Mapping[str, Sequence[Mapping[str, Any]]], tested: Sequence[int], trained: Sequence[int]) -> list[str]:
    plain = np.mean([sum(one["seconds"]) for one in found["plain"]]) if "plain" in found else float("nan")
    rows = [
        f"`benchmarks/continual.py`, {datetime.now(UTC):%Y-%m-%d}: held-out queries {', '.join(map(str, tested))}, "
        f"learned from {', '.join(map(str, trained))}; cost is processor time.\n",
        "| arm | nDCG@10 at the end | forgotten of the best | 95 % | backward transfer | cost by plain |",
        "|---|---|---|---|---|---|",
    ]
    for arm, runs in found.items():
        end = np.mean([np.mean(one["values"][-1]) for one in runs])
        means = {
            name: float(np.mean([one[name] for one in runs])) for name in ("forgetting", "backward", "low", "high")
        }
        cost = np.mean([sum(one["seconds"]) for one in runs]) / plain
        rows.append(f"| {arm} | {end:.4f} | {means['forgetting']:.1%} | {means['low']:.1%} to {means['high']:.1%} | "
                    f"{means['backward']:+.4f} | {cost:.2f} |")  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
