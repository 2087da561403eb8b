"""Are the default search settings tuned to the queries they are reported on? Two-fold choice over real judged sets.

    python benchmarks/search_settings.py [--data ../shared/data/search]

For each of `esci150` and `taobao250`, queries are split in two halves by a seeded shuffle. The weight of the title, of
pieces beside words and of meaning beside words are chosen on one half (nDCG@10) and measured on the other, and the
reverse; the mean over both is a figure that no query took part in choosing. Beside it: the defaults, and the best of
the grid on all queries, which is what tuning on the reported data would have shown. Every product is scored (no pools).
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np

from mercer.encode import load
from mercer.encode.cache import VectorCache
from mercer.measure.compare import interval
from mercer.measure.metric import parse, parse_gains
from mercer.quality.read import read
from mercer.rank.hybrid import Background, HybridSettings, hybrid
from mercer.records import Product
from mercer.retrieve.analyze import grams, words
from mercer.retrieve.bm25 import Postings, Statistics
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.text import TextSettings, lexical_grams, lexical_words, passage

SETS = {"esci150": "3=1,2=.1,1=.01,0=0", "taobao250": ""}
TITLES, GRAMS, DENSE = (1, 3, 5), (0.0, 0.15, 0.3, 0.6), (0.2, 0.3, 0.4, 0.5, 0.6)
SEED = 7


def lexical(
    products: list[Product], queries: list[str], title: int | None
) -> tuple[np.ndarray, np.ndarray, list, list]:
    """BM25 by words and by pieces, each (queries, products), and what each could at most be."""
    settings = TextSettings() if title is None else TextSettings(title=title, brand=title)
    place = {product.id: row for row, product in enumerate(products)}
    tables, tops = [], []
    for of_product, of_query in ((lambda p: lexical_words(p, settings), words), (lexical_grams, grams)):
        statistics = Statistics()
        postings = Postings(statistics)
        for product in products:
            tokens = of_product(product)
            statistics.add(tokens)
            postings.add(product.id, tokens)
        table = np.zeros((len(queries), len(products)), dtype=np.float32)
        for row, query in enumerate(queries):
            for id, score in postings(of_query(query)).items():
                table[row, place[id]] = score
        tables.append(table)
        tops.append([statistics.attainable(of_query(query)) for query in queries])
    return tables[0], tables[1], tops[0], tops[1]


def run(folder: Path, gains: str) -> dict[str, object]:
    catalogue = next(folder.glob("products.jsonl*"))
    products = [Product.from_row(row) for row in read("products", catalogue).table.to_pylist()]
    asked = {row["query_id"]: row["text"] for row in read("queries", folder / "queries.tsv").table.to_pylist()}
    truth: dict[str, dict[str, float]] = {}
    for row in read("judgments", folder / "qrels.tsv").table.to_pylist():
        truth.setdefault(row["query_id"], {})[row["product"]] = row["grade"]
    ids, queries = list(asked), list(asked.values())
    encoder = load(texts=[product.title for product in products])
    vectors = VectorCache(Path.home() / ".cache" / "mercer" / "bench").encode(encoder, map(passage, products))
    cosines = encoder(queries, side="query") @ vectors.T
    sample = vectors[:: max(1, len(products) // 512)][:512]
    backgrounds = [Background.of(sample @ vector) for vector in encoder(queries, side="query")]
    metric = parse("nDCG@10", gains=parse_gains(gains) if gains else None)

    def scores(title: int | None, gram: float, dense: float) -> dict[str, float]:
        by_words, by_grams, top_words, top_grams = tables[title]
        runs = {}
        for row, id in enumerate(ids):
            scored = hybrid(
                (by_words[row] + gram * by_grams[row]).astype(float),
                cosines[row].astype(float),
                attainable=top_words[row] + gram * top_grams[row],
                background=backgrounds[row],
                settings=HybridSettings(dense=dense),
            )
            runs[id] = [products[place].id for place in np.argsort(-scored.scores, kind="stable")[:10]]
        return metric(runs, truth)

    tables = {title: lexical(products, queries, title) for title in (None, *TITLES)}
    grid = {given: scores(*given) for given in itertools.product(TITLES, GRAMS, DENSE)}
    default = scores(None, IndexSettings().grams, HybridSettings().dense)
    order = np.random.default_rng(SEED).permutation(len(ids))
    halves = [{ids[place] for place in order[part::2]} for part in (0, 1)]
    chosen, held_out = [], {}
    for choosing, measuring in (halves, halves[::-1]):
        best = max(grid, key=lambda given: np.mean([grid[given][id] for id in sorted(choosing)]))
        chosen.append(dict(zip(("title", "grams", "dense"), best, strict=True)))
        held_out |= {id: grid[best][id] for id in measuring}
    best = max(grid, key=lambda given: grid[given].mean)
    spread = Counter(round(values.mean, 2) for values in grid.values())

    def said(values: dict[str, float]) -> list[float]:
        found = interval([values[id] for id in ids], seed=SEED)
        return [round(number, 4) for number in (found.value, found.low, found.high)]

    return {
        "queries": len(ids),
        "defaults": said(default),
        "chosen_on_the_other_half": said(held_out),
        "choices": chosen,
        "best_of_grid_on_all": [round(grid[best].mean, 4), dict(zip(("title", "grams", "dense"), best, strict=True))],
        "grid_means": dict(sorted(spread.items())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/search"))
    given = parser.parse_args()
    if not given.data.exists():
        raise SystemExit(f"skipped: real data is not there ({given.data})")
    print(json.dumps({name: run(given.data / name, gains) for name, gains in SETS.items()}, indent=1))


if __name__ == "__main__":
    main()
