"""A judged catalogue, and the same hurt, in; nDCG@10 of each query, by words and by words and meaning, out.

The ranking is the search door's own (its analysers, BM25, blend and background), worked out for all queries at once
over every product instead of through an index: it gives the door's figures, without the door's candidate pools and
without understanding what a query wishes (prices, negation, spelling).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mercer.encode import load
from mercer.encode.cache import VectorCache
from mercer.encode.choose import EncodeSettings
from mercer.measure.metric import parse
from mercer.quality.read import Raw
from mercer.rank.hybrid import Background, HybridSettings, hybrid
from mercer.records import Product
from mercer.retrieve.analyze import grams, words
from mercer.retrieve.bm25 import K1, B
from mercer.retrieve.exact import BACKGROUND
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.text import lexical_grams, lexical_words, passage

__all__ = ["Shelf"]

GAINS: Mapping[str, Mapping[float, float] | None] = {"esci150": {3: 1, 2: 0.1, 1: 0.01, 0: 0}}
"""ESCI's official gains; the invented shop's grades are gains."""
ANALYSERS = ((words, 1.0), (grams, IndexSettings().grams))


class Shelf:
    """Judged queries, asked of one state of a catalogue after another."""

    def __init__(self, name: str, base: Mapping[str, Raw], *, vectors: Path) -> None:
        self.truth: dict[str, dict[str, float]] = {}
        for row in base["judgments"].table.to_pylist():
            self.truth.setdefault(row["query_id"], {})[row["product"]] = row["grade"]
        asked = {row["query_id"]: row["text"] for row in base["queries"].table.to_pylist()}
        self.queries = {id: asked[id] for id in sorted(self.truth) if id in asked}
        self.truth = {id: self.truth[id] for id in self.queries}
        self.metric = parse("nDCG@10", gains=GAINS.get(name))
        self.wanted = [[Counter(analyse(text)) for text in self.queries.values()] for analyse, _ in ANALYSERS]
        self.terms = [
            {term: place for place, term in enumerate(sorted(set().union(*counts)))} for counts in self.wanted
        ]
        """Of each analyser: term of any query → its row."""
        self.titles = [title for title in base["products"].table["title"].to_pylist() if title]
        self.cache = VectorCache(vectors)
        self._counted: dict[str, list[tuple[dict[int, int], int]]] = {}

    def measure(self, products: pa.Table, system: str) -> NDArray[np.float64]:
        """nDCG@10 of every query in the order of their ids, shape (queries,); system is lexical or hybrid."""
        shelf = list(_last(products).values())
        lexical, attainable = self._lexical(shelf)
        cosine = background = None
        if system == "hybrid":
            encoder = _encoder(tuple(self.titles))
            known = self.cache.encode(encoder, map(passage, shelf))
            asked = self.cache.encode(encoder, self.queries.values(), side="query")
            cosine = asked @ known.T
            background = cosine[:, :: max(1, len(shelf) // BACKGROUND)][:, :BACKGROUND]
        ids = np.array([product.id for product in shelf])
        runs = {}
        for row, id in enumerate(self.queries):
            scored = hybrid(
                lexical[row],
                None if cosine is None else cosine[row].astype(float),
                attainable=attainable[row],
                background=None if background is None else Background.of(background[row]),
                settings=HybridSettings(),
            )
            best = np.lexsort((ids, -scored.scores))[:10]
            least = max(HybridSettings().cut * float(scored.scores.max()), 1e-12)
            runs[id] = [str(ids[place]) for place in best if scored.scores[place] >= least]
        scores = self.metric(runs, self.truth)
        return np.array([scores[id] for id in self.queries])

    def _lexical(self, shelf: list[Product]) -> tuple[NDArray[np.float64], list[float]]:
        """BM25 of every query and product, shape (queries, products), and the most that each query could get."""
        total, most = np.zeros((len(self.queries), len(shelf))), np.zeros(len(self.queries))
        counted = [self._count(product) for product in shelf]
        for side, (_, weight) in enumerate(ANALYSERS):
            count = np.zeros((len(self.terms[side]), len(shelf)))
            length = np.array([pair[side][1] for pair in counted], float)
            for place, pair in enumerate(counted):
                for term, times in pair[side][0].items():
                    count[term, place] = times
            holding = (count > 0).sum(axis=1)
            idf = np.log(1 + np.maximum(len(shelf) - holding + 0.5, 0.5) / (holding + 0.5))
            norm = K1 * (1 - B + B * length / length.mean())
            gain = idf[:, None] * count * (K1 + 1) / (count + norm)
            place_of = self.terms[side]
            for row, query in enumerate(self.wanted[side]):
                for term, times in query.items():
                    total[row] += weight * times * gain[place_of[term]]
                    most[row] += weight * times * idf[place_of[term]] * (K1 + 1)
        return total, most.tolist()

    def _count(self, product: Product) -> list[tuple[dict[int, int], int]]:
        """Of each analyser: how often each asked term occurs in a product, and its length in tokens."""
        key = json.dumps(product.to_row(), default=str, sort_keys=True)
        if key not in self._counted:
            both = []
            made = (lexical_words(product, IndexSettings().text), lexical_grams(product))
            for side, tokens in enumerate(made):
                counts = Counter(self.terms[side][token] for token in tokens if token in self.terms[side])
                both.append((dict(counts), len(tokens)))
            self._counted[key] = both
        return self._counted[key]


@cache
def _encoder(titles: tuple[str, ...]) -> Any:
    return load(texts=titles, settings=EncodeSettings(threads=2))


def _last(products: pa.Table) -> dict[str, Product]:
    """Products by id; of one id the last row counts, as in `doors.build`."""
    return {row["id"]: Product.from_row(_safe(row)) for row in products.to_pylist() if row["id"] is not None}


def _safe(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a shop without checks would take it: JSON that does not parse counts as none."""
    made = dict(row)
    for name, kind in (("attributes", dict), ("derived", list)):
        try:
            good = isinstance(json.loads(made.get(name) or json.dumps(kind())), kind)
        except ValueError:
            good = False
        if not good:
            made[name] = None
    return made
