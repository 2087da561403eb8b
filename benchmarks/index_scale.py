"""How much of a search is Mercer's own time? Hybrid search over 100,000 products beside its bare engine calls.

    python benchmarks/index_scale.py [--products 100000] [--queries 300]

Products are invented (Zipf words in titles of 8 and texts of 40, clustered vectors of 384 numbers); queries are pieces
of titles with a noisy copy of that product's vector, so encoding, which is the model's time, is left out of both sides.
Bare calls are the same zvec queries (dense top 300, words and pieces top 300) without anything around them. Both are
timed in turn, query by query, so that a drifting machine hits both alike. Recall is against comparison with everything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from mercer.records import Filter, Product, Request
from mercer.retrieve.analyze import grams, words
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.zvec import ZvecIndex
from mercer.search import Search, SearchSettings

DIMENSION = 384


def shelf(count: int, rng: np.random.Generator) -> tuple[list[Product], np.ndarray]:
    """Invented products in 400 clusters, with unit vectors."""
    letters = np.array(list("abcdefghijklmnoprstuvwy"))
    vocabulary = ["".join(rng.choice(letters, rng.integers(3, 10))) for _ in range(30_000)]
    frequency = 1 / np.arange(1, len(vocabulary) + 1)
    frequency /= frequency.sum()
    picked = rng.choice(len(vocabulary), (count, 48), p=frequency)
    centres = rng.standard_normal((400, DIMENSION))
    vectors = centres[rng.integers(0, 400, count)] + 1.2 * rng.standard_normal((count, DIMENSION))
    products = [
        Product(
            f"p{row}",
            " ".join(vocabulary[code] for code in codes[:8]),
            description=" ".join(vocabulary[code] for code in codes[8:]),
            brand=f"brand{row % 500}",
            category=(f"department{row % 20}", f"leaf{row % 300}"),
            price=float(row % 1000),
            stock=row % 7,
        )
        for row, codes in enumerate(picked.tolist())
    ]
    return products, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def bare(index: ZvecIndex, query: str, vector: np.ndarray, pool: int) -> None:
    """The engine calls of one search and nothing else."""
    import zvec

    engine = index._engine
    near = zvec.HnswQueryParam(ef=max(index.settings.searching, pool))
    engine.query(zvec.Query("vector", vector=vector, param=near), topk=pool, output_fields=[])
    for field, tokens in (("words", words(query)), ("grams", grams(query))):
        if tokens:
            text = zvec.Fts(match_string=" ".join(tokens))
            engine.query(zvec.Query(field, fts=text), topk=pool, output_fields=[])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    products, vectors = shelf(given.products, rng)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        index = ZvecIndex(Path(folder), dimension=DIMENSION, settings=IndexSettings())
        index.upsert(products, vectors)
        built = time.perf_counter() - started
        chosen = rng.choice(given.products, given.queries)
        asked = []
        for row in chosen:
            title = products[row].title.split()
            vector = vectors[row] + 0.05 * rng.standard_normal(DIMENSION).astype(np.float32)
            asked.append(
                (" ".join(rng.choice(title, 3, replace=False)), (vector / np.linalg.norm(vector)).astype(np.float32))
            )
        current: list[np.ndarray] = [asked[0][1]]
        search = Search(index, lambda _texts, **_side: current)
        pool = SearchSettings().pool
        own, engine, filtered, recalls, times = [], [], [], [], []
        for turn, (query, vector) in enumerate([*asked[:20], *asked]):
            current[0] = vector
            start = time.perf_counter()
            page = search(Request(query=query, k=24))
            middle = time.perf_counter()
            bare(index, query, vector, pool)
            end = time.perf_counter()
            search(
                Request(
                    query=query, k=24, filters=(Filter("brand", (f"brand{turn % 500}",)),), facets=("category", "price")
                )
            )
            last = time.perf_counter()
            if turn >= 20:  # the first are a warm-up
                own.append((middle - start) * 1000)
                engine.append((end - middle) * 1000)
                filtered.append((last - end) * 1000)
                times.append(page.stages)
                truth = np.argpartition(-(vectors @ vector), 100)[:100]
                found = {hit.id for hit in index.dense(vector, 100)}
                recalls.append(len(found & {f"p{row}" for row in truth}) / 100)
        index.close()
    stages = {name: round(statistics.median(one[name] for one in times), 3) for name in times[0]}
    ratio = statistics.median(a / b for a, b in zip(own, engine, strict=True))
    print(
        json.dumps(
            {
                "products": given.products,
                "build_seconds": round(built, 1),
                "search_ms": quantiles(own),
                "bare_engine_ms": quantiles(engine),
                "filtered_with_facets_ms": quantiles(filtered),
                "ratio_p50": round(statistics.median(own) / statistics.median(engine), 2),
                "ratio_paired_median": round(ratio, 2),
                "dense_recall_at_100": round(float(np.mean(recalls)), 4),
                "stages_p50_ms": stages,
                "seed": given.seed,
            },
            indent=1,
        )
    )


def quantiles(values: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(values, share)), 2) for share in (50, 95, 99)}


if __name__ == "__main__":
    main()
