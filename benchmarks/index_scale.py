"""How much of a search is Mercer's own time? Whole searches over 100,000 products beside the same bare calls.

    python benchmarks/index_scale.py [--products 100000] [--queries 300] [--folder KEPT]

Products are invented (Zipf words in titles of 8 and texts of 40, clustered vectors of 384 numbers). A query is three
words of a title. Mercer understands it (spelling, prices, negation, the shop's names), encodes it with the shop's
encoder, asks both arms, ranks, cuts, counts four facets and reads 24 products with reasons and ledgers; only the
cross-encoder is off. The bare calls are the same encoding and the same three zvec queries, and nothing around them.
What the encoder says is thrown away on both sides for a noisy copy of that product's vector, so that meaning means
something among invented products. Both are timed in turn, query by query, so that a drifting machine hits both alike:
the ratios are what to trust, milliseconds are those of the machine at that hour. `--folder` keeps the index.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mercer.encode import Encoder, EncodeSettings, load
from mercer.records import Filter, Product, Request
from mercer.retrieve.analyze import grams, words
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.zvec import ZvecIndex
from mercer.search import Search, SearchSettings
from mercer.understand.recognise import Vocabulary
from mercer.understand.spelling import Spelling
from mercer.understand.understand import Understand

DIMENSION = 384
FACETS = ("category", "brand", "price", "in_stock")
WARM_UP = 20
"""Questions asked before the clock counts."""

Asked = tuple[str, np.ndarray]


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


def bare(index: ZvecIndex, encoder: Encoder, query: str, vector: np.ndarray, pool: int) -> None:
    """The encoding and the engine calls of one search and nothing else."""
    import zvec

    encoder([query], side="query")
    engine = index._engine
    near = zvec.HnswQueryParam(ef=max(index.settings.searching, pool))
    engine.query(zvec.Query("vector", vector=vector, param=near), topk=pool, output_fields=[])
    for field, tokens in (("words", words(query)), ("grams", grams(query))):
        if tokens:
            text = zvec.Fts(match_string=" ".join(tokens))
            engine.query(zvec.Query(field, fts=text), topk=pool, output_fields=[])


def opened(folder: Path, products: list[Product], vectors: np.ndarray) -> tuple[ZvecIndex, Understand, float]:
    """The index and what understands queries, built or as they were kept; with the seconds that building took."""
    words, names, started = folder / "spelling.json", folder / "vocabulary.json", time.perf_counter()
    new = not (folder / "products").exists()
    index = ZvecIndex(folder / "products", dimension=DIMENSION, settings=IndexSettings())
    if new:
        index.upsert(products, vectors)
    built = time.perf_counter() - started if new else 0.0
    if not names.exists():
        Spelling.build(products, {}).save(words)
        Vocabulary.build(products).save(names)
    return index, Understand(Vocabulary.load(names), spelling=Spelling.load(words)), built


def asked(products: list[Product], vectors: np.ndarray, count: int, rng: np.random.Generator) -> list[Asked]:
    """Three words of a title in any order, and a vector near that product's."""
    found = []
    for row in rng.choice(len(products), count, replace=count > len(products)):
        vector = vectors[row] + 0.05 * rng.standard_normal(DIMENSION).astype(np.float32)
        query = " ".join(rng.choice(products[row].title.split(), 3, replace=False))
        found.append((query, (vector / np.linalg.norm(vector)).astype(np.float32)))
    return found


def timed(act: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Milliseconds on the clock and of processor time in all threads, and what the act gave."""
    start, used = time.perf_counter(), time.process_time()
    answer = act()
    return ((time.perf_counter() - start) * 1000, (time.process_time() - used) * 1000), answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="where the index is kept; it is built where there is none")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    products, vectors = shelf(given.products, rng)
    questions = asked(products, vectors, given.queries + WARM_UP, rng)
    with tempfile.TemporaryDirectory() as passing:
        folder = given.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        index, understand, built = opened(folder, products, vectors)
        try:
            print(json.dumps({"products": given.products, "seed": given.seed, "build_seconds": round(built, 1)}
                             | measured(index, understand, questions, vectors), indent=1))  # fmt: skip
        finally:
            index.close()


def measured(index: ZvecIndex, understand: Understand, questions: list[Asked], vectors: np.ndarray) -> dict[str, Any]:
    """Each question asked whole, bare, filtered and with a negation, in turn."""
    encoder, current = load(settings=EncodeSettings()), [questions[0][1]]

    def encode(texts: Sequence[str], *, side: Literal["query"]) -> np.ndarray:
        encoder(texts, side=side)
        return np.stack(current)

    popularity = {id: 1 / (row + 1) for row, id in enumerate(index.ids())}
    search = Search(index, encode, understand=understand, popularity=popularity)
    pool = SearchSettings().pool
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ("whole", "bare", "filtered", "negated")}
    recalls, stages = [], []
    for turn, (query, vector) in enumerate(questions):
        current[0] = vector
        one, other, _ = query.split()
        asks = {
            "whole": Request(query=query, k=24, facets=FACETS),
            "filtered": Request(query=query, k=24, facets=FACETS, filters=(Filter("brand", (f"brand{turn % 500}",)),)),
            "negated": Request(query=f"{one} without {other}", k=24, facets=FACETS),
        }
        acts: dict[str, Callable[[], Any]] = {name: partial(search, request) for name, request in asks.items()}
        acts["bare"] = partial(bare, index, encoder, query, vector, pool)
        for name in sorted(acts, reverse=bool(turn % 2)):
            took, answer = timed(acts[name])
            if turn >= WARM_UP:
                spent[name].append(took)
                if name == "whole":
                    stages.append(answer.stages)
        if turn >= WARM_UP:
            truth = np.argpartition(-(vectors @ vector), 100)[:100]
            recalls.append(len({hit.id for hit in index.dense(vector, 100)} & {f"p{row}" for row in truth}) / 100)
    pairs = list(zip(spent["whole"], spent["bare"], strict=True))
    return {
        **{f"{name}_ms": quantiles([wall for wall, _ in times]) for name, times in spent.items()},
        "ratio_p50": round(statistics.median(a[0] for a, _ in pairs) / statistics.median(b[0] for _, b in pairs), 2),
        "ratio_paired_median": round(statistics.median(a[0] / b[0] for a, b in pairs), 2),
        "processor_ms_p50": {name: round(statistics.median(used for _, used in times), 2)
                             for name, times in spent.items()},
        "processor_ratio_paired_median": round(statistics.median(a[1] / b[1] for a, b in pairs), 2),
        "dense_recall_at_100": round(float(np.mean(recalls)), 4),
        "stages_p50_ms": {name: round(statistics.median(one.get(name, 0.0) for one in stages), 3)
                          for name in stages[0]},
    }  # fmt: skip


def quantiles(values: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(values, share)), 2) for share in (50, 95, 99)}


if __name__ == "__main__":
    main()
