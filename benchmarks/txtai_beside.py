"""Is a Mercer search quicker and better than txtai's? Hybrid beside hybrid, over the same products and encoder.

    pip install --no-deps txtai==9.14.0 faiss-cpu==1.15.1      # --no-deps: torch without CUDA is there already
    python benchmarks/txtai_beside.py SHOP [--scale 100000 --folder KEPT] [--rounds 3]

SHOP is a shop with judged queries (`esci150` by `mercer init`, `check`, `index`). txtai gets the text of every field
for its BM25, and the very vectors that Mercer's index holds, by an external transform; its hybrid weights, backend and
tokens are its defaults. Both encode each query with the shop's encoder, within the time that is taken. Mercer does more
for its time: it understands the query, cuts, counts four facets, reads 24 products and gives reasons and ledgers; txtai
gives 24 ids and scores, and with `content` their texts. They are asked in turn, query by query, so that a busy machine
is busy for both: the ratio is what to trust. "encoding alone" is what no search by meaning can be quicker than, and so
bounds the ratio. `--scale` times both over the invented products of index_scale.py as well.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from index_scale import FACETS, Asked, asked, opened, shelf

from mercer.cli.measure import judged
from mercer.cli.settings import read_settings
from mercer.doors import open_doors
from mercer.encode import Encoder, EncodeSettings, load
from mercer.measure.board import Board
from mercer.measure.metric import parse_all, parse_gains
from mercer.records import Product, Request
from mercer.search import Search

GAINS = "3=1,2=.1,1=.01,0=0"
"""Of the ESCI grades, as Amazon's own nDCG has them."""
K = 24
"""Products on a page."""


def text(product: Product) -> str:
    """Every field, for txtai's BM25."""
    parts = (product.title, product.brand, " ".join(product.category), " ".join(product.attributes.values()),
             product.bullets, product.description)  # fmt: skip
    return "\n".join(filter(None, parts))


def txtai_over(
    products: Sequence[Product], vectors: np.ndarray, encode: Callable[[str], np.ndarray], *, content: bool
) -> Any:
    """A txtai hybrid index of these products, whose queries are encoded by `encode`."""
    from txtai import Embeddings

    texts = [text(product) for product in products]
    known = dict(zip(texts, vectors, strict=True))

    def transform(inputs: Sequence[str]) -> np.ndarray:
        return np.stack([known[one] if one in known else encode(one) for one in inputs]).astype(np.float32)

    built = Embeddings({"method": "external", "transform": transform, "hybrid": True, "content": content})
    built.index((product.id, one, None) for product, one in zip(products, texts, strict=True))
    known.clear()  # from here on every text is a query
    return built


def ids(found: Sequence[Any]) -> list[str]:
    """Ids of what txtai found, with content or without."""
    return [str(one["id"] if isinstance(one, dict) else one[0]) for one in found]


def in_turn(acts: Mapping[str, Callable[[str], Any]], queries: Sequence[str], rounds: int) -> dict[str, Any]:
    """Milliseconds of each act, and how many times the first is quicker than each other, query by query."""
    spent: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(rounds):
        for place, query in enumerate(queries):
            for name in sorted(acts, reverse=bool((turn + place) % 2)):
                start = time.perf_counter()
                acts[name](query)
                spent[name].append((time.perf_counter() - start) * 1000)
    first = next(iter(acts))
    return {
        "p50_ms": {name: round(statistics.median(times), 2) for name, times in spent.items()},
        "p99_ms": {name: round(float(np.percentile(times, 99)), 2) for name, times in spent.items()},
        "throughput_of_mercer_by_theirs": {
            name: {
                "of_means": round(statistics.fmean(times) / statistics.fmean(spent[first]), 2),
                "paired_median": round(statistics.median(b / a for a, b in zip(spent[first], times, strict=True)), 2),
            }
            for name, times in spent.items()
            if name != first
        },
    }


def on_shop(folder: Path, rounds: int) -> dict[str, Any]:
    """Time and quality over a shop with judged queries."""
    texts, truth = judged(folder, None, None)
    truth = {id: grades for id, grades in truth.items() if id in texts}
    doors = open_doors(folder, read_settings(folder), writable=False)
    try:
        live = doors.searching
        door = live.otherwise(reranker=None, ranking=replace(live.ranking, rerank=0))  # neither has a cross-encoder
        names = doors.index.ids()
        products, vectors = doors.index.products(names), doors.index.vectors(names)
        encode = partial(_encoded, doors.encoder)
        theirs = {f"txtai {'with texts' if content else 'ids'}": txtai_over(products, vectors, encode, content=content)
                  for content in (False, True)}  # fmt: skip
        acts: dict[str, Callable[[str], Any]] = {"mercer": lambda query: door(Request(query=query, k=K, facets=FACETS))}
        acts |= {name: partial(_search, index) for name, index in theirs.items()}
        acts["encoding alone"] = encode
        times = in_turn(acts, [texts[id] for id in truth], rounds)
        runs = {
            "txtai": {id: ids(theirs["txtai ids"].search(texts[id], 100)) for id in truth},
            "mercer": {id: [hit.id for hit in door(Request(query=texts[id], k=100)).hits] for id in truth},
        }
    finally:
        doors.close()
    metrics = parse_all(["nDCG@10", "Recall@100"], gains=parse_gains(GAINS))
    values = {name: {metric.name: metric(found, truth) for metric in metrics} for name, found in runs.items()}
    board = Board.of("search", values, seed=7, baseline="txtai")
    return {"products": len(products), "queries": len(truth), **times, "quality": board.json()["systems"],
            "comparisons": board.json()["comparisons"]}  # fmt: skip


def at_scale(count: int, folder: Path, queries: int) -> dict[str, Any]:
    """Time alone, over invented products."""
    rng = np.random.default_rng(7)
    products, vectors = shelf(count, rng)
    questions: list[Asked] = asked(products, vectors, queries, rng)
    meant, encoder = dict(questions), load(settings=EncodeSettings())

    def encode(query: str) -> np.ndarray:
        encoder([query], side="query")
        return meant.get(query, questions[0][1])  # a query that was corrected has no vector of its own

    index, understand, _ = opened(folder, products, vectors)
    try:
        door = Search(index, lambda found, **_side: np.stack([encode(one) for one in found]), understand=understand)
        theirs = txtai_over(products, vectors, encode, content=False)
        acts = {"mercer": lambda query: door(Request(query=query, k=K, facets=FACETS)),
                "txtai ids": partial(_search, theirs), "encoding alone": encode}  # fmt: skip
        return {"products": count, "queries": queries, **in_turn(acts, [query for query, _ in questions], 1)}
    finally:
        index.close()


def _encoded(encoder: Encoder, query: str) -> np.ndarray:
    vector: np.ndarray = encoder([query], side="query")[0]
    return vector


def _search(index: Any, query: str) -> Any:
    return index.search(query, K)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shop", type=Path)
    parser.add_argument("--rounds", type=int, default=3, help="over the shop; 0 leaves it out")
    parser.add_argument("--scale", type=int, default=0)
    parser.add_argument("--queries", type=int, default=100, help="at that scale")
    parser.add_argument("--folder", type=Path, help="where index_scale.py kept its index")
    given = parser.parse_args()
    told: dict[str, Any] = {"shop": on_shop(given.shop, given.rounds)} if given.rounds else {}
    if given.scale:
        told["scale"] = at_scale(given.scale, given.folder, given.queries)
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
