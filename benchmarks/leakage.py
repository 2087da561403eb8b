"""Is leakage seen, and is the honest figure honest? Ten leaks, ids, and what the same model does on later, clean data.

    python benchmarks/leakage.py             # detection: kinds x difficulties x seeds 11-15; then the figures
    python benchmarks/leakage.py --quick

Bases: invented ratings (graded label, user and item tastes), and real ones where ../shared/data is: grades of esci150,
sentiment of online_shopping_10_cats (whose text tells the label honestly at an AUC above .9), orders of online_retail.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.dirt import x01  # noqa: E402
from mercer.quality.one_feature import area, targets_of  # noqa: E402
from mercer.quality.probe import performance, sheet_of  # noqa: E402
from mercer.quality.run import QualitySettings  # noqa: E402
from mercer.quality.training import check_training  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
DIFFICULTIES = ("easy", "medium", "adversarial")
ONLY_X01 = QualitySettings(disable=("X06",))


def ratings(seed: int, *, rows: int = 6000) -> pa.Table:
    """Invented ratings over time: users, items, a category, a price; the last third is "later"."""
    world, rng = np.random.default_rng(99), np.random.default_rng(seed)
    likes, worth, kind = world.normal(0, 0.7, 150), world.normal(0, 0.7, 400), world.integers(0, 6, 400)
    taste, price = world.normal(0, 0.6, 6), np.round(np.exp(world.normal(3, 0.6, 400)), 2)
    user, item = rng.integers(0, 150, rows), rng.integers(0, 400, rows)
    mood = 3.2 + likes[user] + 0.7 * worth[item] + taste[kind[item]] - 0.35 * (np.log(price[item]) - 3)
    label = np.clip(np.round(mood + rng.normal(0, 0.8, rows)), 1, 5).astype(np.int64)
    names = ("tea", "mug", "tent", "dress", "lamp", "phone")
    columns = {"user": [str(n) for n in user], "item": [str(n) for n in item], "price": price[item], "label": label}
    moments = np.sort(rng.integers(1_700_000_000_000, 1_710_000_000_000, rows))
    texts = [f"User {u} recommends item {i} with rating {r}" for u, i, r in zip(user, item, label, strict=True)]
    return pa.table({**columns, "category": [names[n] for n in kind[item]], "time": moments, "text": texts})


def esci() -> tuple[pa.Table, list[str]]:
    import json

    folder = SHARED / "search/esci150"
    with gzip.open(folder / "products.jsonl.gz", "rt", encoding="utf-8") as lines:
        products = {row["asin"]: row for row in map(json.loads, lines)}
    queries = dict(line.rstrip("\n").split("\t")[:2] for line in (folder / "queries.tsv").open(encoding="utf-8"))
    rows = [line.split() for line in (folder / "qrels.tsv").open(encoding="utf-8")]
    kept = [(query, asin, int(grade)) for query, _, asin, grade in rows if query in queries and asin in products]
    made = [
        {"label": grade, "item": asin, "query": queries[query], "title": products[asin]["title"]}
        | {"brand": products[asin].get("brand"), "price": _number(products[asin].get("price"))}
        for query, asin, grade in kept
    ]
    return pa.Table.from_pylist(made), ["query", "title", "brand", "price"]


def sentiment() -> tuple[pa.Table, list[str]]:
    path = next((SHARED / "opinion/online_shopping_10_cats").glob("*.csv*"))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["review"]]
    picked = np.random.default_rng(0).permutation(len(rows))[:8000]
    made = [{"label": int(rows[n]["label"]), "item": rows[n]["cat"], "review": rows[n]["review"]} for n in picked]
    return pa.Table.from_pylist(made), ["review", "item"]


def orders() -> tuple[pa.Table, list[str]]:
    import pyarrow.csv as reader

    table = reader.read_csv(SHARED / "shop/online_retail/online_retail.csv.gz")
    picked = table.take(np.sort(np.random.default_rng(0).permutation(len(table))[:8000]))
    label = (np.asarray(picked["Quantity"]) > 5).astype(np.int64)
    made = picked.select(["Description", "UnitPrice", "Country"]).append_column("label", pa.array(label))
    return made.append_column("item", picked["StockCode"].cast(pa.string())), ["Description", "UnitPrice", "Country"]


def _number(value: object) -> float | None:
    try:
        return float(str(value).lstrip("$"))
    except ValueError:
        return None


def bases() -> Iterator[tuple[str, pa.Table, list[str]]]:
    yield "ratings", ratings(11), ["category", "price"]
    if SHARED.exists():
        for name, make in (("esci150", esci), ("online_shopping", sentiment), ("online_retail", orders)):
            yield name, *make()


def seen(table: pa.Table, inputs: list[str]) -> set[str]:
    rows = check_training(table, label="label", inputs=inputs, ids=["item"], settings=ONLY_X01).findings.to_pylist()
    return {row["field"] for row in rows}


def detection(seeds: tuple[int, ...], kinds: tuple[str, ...]) -> None:
    print("| base | clean: false alarms | " + " | ".join(f"{name}: recall" for name in DIFFICULTIES) + " | missed |")
    print("|---|---|---|---|---|---|")
    for name, table, inputs in bases():
        began = time.perf_counter()
        alarms, right, missed = seen(table, inputs), [], []
        for difficulty in DIFFICULTIES:
            hits = 0
            for kind in kinds:
                for seed in seeds:
                    found = x01.TOLD in seen(x01.leak(table, kind, difficulty, seed), [*inputs, x01.TOLD])
                    hits += found
                    if not found:
                        missed.append(f"{kind}/{difficulty}")
            right.append(f"{hits}/{len(kinds) * len(seeds)}")
        told = ", ".join(f"{one} x{missed.count(one)}" for one in sorted(set(missed)))
        print(
            f"| {name} ({len(table):,} rows) | {sorted(alarms) or 'none'} | {' | '.join(right)} | {told} |", flush=True
        )
        print(f"  {time.perf_counter() - began:.0f} s", file=sys.stderr)


def honest(seeds: tuple[int, ...]) -> None:
    """Inflated, honest and later AUC: the last third of the rows is kept away and shown without the leak."""
    print("\n| inputs | inflated | ids kept, label out | honest | later, trained with all | later, trained honestly |")
    print("|---|---|---|---|---|---|")
    for inputs in (["text"], ["text", "category", "price"]):
        lines = []
        for seed in seeds:
            table = ratings(seed, rows=9000)
            past, later = table.slice(0, 6000), table.slice(6000)
            figures = check_training(past, label="label", inputs=inputs, ids=["user", "item"], time="time").figures
            # new users and items come later, and nobody has rated yet
            rng = np.random.default_rng(seed)
            shown = [f"User {u} recommends item {i} with rating" for u, i in _strangers(later, rng)]
            new = later.set_column(later.schema.get_field_index("text"), "text", pa.array(shown))
            lines.append(
                (
                    figures["inflated_auc"],
                    figures["without_leak_auc"],
                    figures["honest_auc"],
                    _later(past, new, inputs),
                    _later(past, new, [name for name in inputs if name != "text"]),
                )
            )
        means, spreads = np.mean(lines, 0), np.std(lines, 0, ddof=1) if len(lines) > 1 else np.zeros(5)
        told = " | ".join(f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(means, spreads, strict=True))
        print(f"| {' + '.join(inputs)} | {told} |", flush=True)


def _strangers(later: pa.Table, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    user, item = rng.permutation(1000) + 1000, rng.permutation(2000) + 1000
    for row in later.select(["user", "item"]).to_pylist():
        yield int(user[int(row["user"])]), int(item[int(row["item"])])


def _later(past: pa.Table, later: pa.Table, inputs: list[str]) -> float:
    if not inputs:
        return 0.5
    both = pa.concat_tables([past, later])
    rows = np.arange(len(both))
    split = [(rows[: len(past)], rows[len(past) :])]
    return performance(sheet_of(both, inputs), targets_of(both["label"]), split)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed")
    given = parser.parse_args()
    seeds = (11,) if given.quick else (11, 12, 13, 14, 15)
    assert area(np.array([[0.0], [1.0]] * 8), np.array([[False], [True]] * 8)) == 1
    honest(seeds)
    detection(seeds, tuple(x01.KINDS))
