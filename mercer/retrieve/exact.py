"""The index that compares with every product: right by construction, and the truth for the others' recall."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from mercer.records import Candidate, Filter, Product
from mercer.retrieve.analyze import grams, words
from mercer.retrieve.bm25 import Postings, Statistics
from mercer.retrieve.columns import Columns
from mercer.retrieve.index import IndexSettings
from mercer.retrieve.store import Store
from mercer.retrieve.text import lexical_grams, lexical_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BACKGROUND", "ExactIndex", "best"]

BACKGROUND = 512
"""Products whose cosines say what chance looks like: the mean's standard error is then 4 % of the spread."""


def best(scores: Mapping[str, float], k: int) -> list[Candidate]:
    """The k highest, equal scores in the order of their ids."""
    ordered = sorted(sorted(scores.items()), key=itemgetter(1), reverse=True)[:k]  # stable, so ids decide among equals
    return [Candidate(id, score) for id, score in ordered]


class ExactIndex:
    """Brute force over vectors and postings in memory, rows in SQLite."""

    def __init__(self, folder: Path, *, dimension: int, settings: IndexSettings, read_only: bool = False) -> None:
        self.settings = settings
        self.dimension = dimension
        self.store = Store(folder / "products.db", dimension=dimension, read_only=read_only)
        self._lock = threading.RLock()
        self._words, self._grams = Postings(Statistics()), Postings(Statistics())
        self._tokens: dict[str, tuple[list[str], list[str]]] = {}
        for product in self.store:
            self._learn(product)

    @property
    def columns(self) -> Columns:
        return self.store.columns

    def upsert(
        self, products: Sequence[Product], vectors: NDArray[np.float32], *, tick: Callable[[int], None] | None = None
    ) -> None:
        with self._lock:
            self.store.put(products, vectors)
            for product in products:
                self._forget(product.id)
                self._learn(product)
        if tick:
            tick(len(products))

    def delete(self, ids: Iterable[str]) -> int:
        with self._lock:
            gone = self.store.drop(ids)
            for id in gone:
                self._forget(id)
        return len(gone)

    def dense(self, vector: NDArray[np.float32], k: int, *, filters: Sequence[Filter] = ()) -> list[Candidate]:
        import numpy as np

        rows = np.flatnonzero(self.columns.mask(filters))
        scores = self.store.vectors(rows) @ vector
        return best({self.columns.ids[row]: float(score) for row, score in zip(rows, scores, strict=True)}, k)

    def lexical(self, query: str, k: int, *, filters: Sequence[Filter] = ()) -> list[Candidate]:
        with self._lock:  # the mask belongs to the same moment as the postings
            allowed = self.columns.mask(filters)
            scores = self._words(words(query))
            for id, score in self._grams(grams(query)).items():
                scores[id] = scores.get(id, 0.0) + self.settings.grams * score
            return best({id: score for id, score in scores.items() if allowed[self.columns.row[id]]}, k)

    def attainable(self, query: str) -> float:
        by_words = self._words.statistics.attainable(words(query))
        return by_words + self.settings.grams * self._grams.statistics.attainable(grams(query))

    def background(self) -> NDArray[np.float32]:
        import numpy as np

        rows = np.flatnonzero(self.columns.mask(()))
        return self.store.vectors(rows[:: max(1, len(rows) // BACKGROUND)][:BACKGROUND])

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        return self.store.vectors(self.store.rows(ids))

    def products(self, ids: Iterable[str]) -> list[Product]:
        return self.store.products(ids)

    def texts(self, ids: Iterable[str]) -> dict[str, tuple[str, str, str]]:
        return self.store.texts(ids)

    def ids(self) -> list[str]:
        return list(self.columns.row)

    def count(self, filters: Sequence[Filter] = ()) -> int:
        return int(self.columns.mask(filters).sum())

    def merge(self) -> None:
        """Nothing is apart here."""

    def flush(self) -> None:
        """Every write is on disk when it returns."""

    def close(self) -> None:
        self.store.close()

    def _learn(self, product: Product) -> None:
        by_words, by_grams = lexical_words(product, self.settings.text), lexical_grams(product)
        self._tokens[product.id] = by_words, by_grams
        for postings, tokens in ((self._words, by_words), (self._grams, by_grams)):
            postings.statistics.add(tokens)
            postings.add(product.id, tokens)

    def _forget(self, id: str) -> None:
        if id not in self._tokens:
            return
        for postings, tokens in zip((self._words, self._grams), self._tokens.pop(id), strict=True):
            postings.statistics.add(tokens, -1)
            postings.remove(id)
