"""Shoppers' intents in, the products that the shop showed them out: what was shown is not always what was best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mercer.sample.catalogue import Goods
from mercer.sample.query import Query, grades
from mercer.sample.taxonomy import Taxonomy

__all__ = ["WIDTH", "Shelves", "padded"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

WIDTH = 8
"""Products on the widest page."""
POOL = 40
"""Products that a query or a page chooses from."""
HIDDEN = -99.0
"""Score of what must not be shown: not yet launched, or already on the page."""


def padded(rows: Sequence[Sequence[int]]) -> tuple[Whole, Whole]:
    """Ragged rows as a matrix (padded with -1) and their lengths.

    >>> padded([[4, 5], []])[0].tolist()
    [[4, 5], [-1, -1]]
    """
    size = np.array([len(row) for row in rows], np.int64)
    table = np.full((len(rows), max(1, int(size.max(initial=0)))), -1, np.int64)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table, size


class Shelves:
    """The shop's own, imperfect way to fill a page; it knows popularity and text, not tastes."""

    def __init__(self, goods: Goods, world: Taxonomy, queries: Sequence[Query], rng: np.random.Generator) -> None:
        self.goods, self.rng = goods, rng
        self.beside, self.besides = padded(world.complements())
        self.order = np.argsort(goods.leaf, kind="stable")
        self.cumulative = np.cumsum(goods.popularity[self.order] ** 0.9)
        self.end = np.searchsorted(goods.leaf[self.order], np.arange(len(world.leaves)), side="right")
        self.fame = np.log(goods.popularity / goods.popularity.mean())
        self.grade = np.stack([grades(query, goods) for query in queries]).astype(np.int8)
        self.tongue = np.array([query.language for query in queries])
        self.pool, self.base = self._pools()

    def pick(self, leaf: Whole) -> Whole:
        """A product from each leaf, the popular ones more often; any shape."""
        top = self.cumulative[self.end[leaf] - 1]
        below = np.where(leaf > 0, self.cumulative[self.end[np.maximum(leaf, 1) - 1] - 1], 0.0)
        found = np.searchsorted(self.cumulative, below + self.rng.random(leaf.shape) * (top - below), side="right")
        return self.order[np.minimum(found, self.end[leaf] - 1)]

    def complement(self, leaf: Whole) -> Whole:
        """A leaf that goes with each leaf."""
        column = (self.rng.random(leaf.shape) * self.besides[leaf]).astype(np.int64)
        return self.beside[leaf, column]

    def search(self, query: Whole, day: Whole) -> Whole:
        """(n, WIDTH) products for queries, about as good as plain keyword search."""
        noise = self.rng.gumbel(0, 0.7, (len(query), self.pool.shape[1]))
        return self._top(self.pool[query], self.base[query] + noise, day)

    def home(self, interest: Whole, day: Whole) -> Whole:
        """(n, WIDTH) products for a home page, from (n, POOL) leaves of interest."""
        product = self.pick(interest)
        return self._top(product, 0.3 * self.fame[product] + self.rng.gumbel(0, 0.6, product.shape), day)

    def similar(self, anchor: Whole, day: Whole) -> Whole:
        """(n, WIDTH) products beside a product: more of its leaf, and what goes with it."""
        leaf = np.repeat(self.goods.leaf[anchor][:, None], POOL, 1)
        leaf = np.where(self.rng.random(leaf.shape) < 0.4, self.complement(leaf), leaf)
        product = self.pick(leaf)
        score = 0.2 * self.fame[product] + 0.8 * (self.goods.kind[product] == self.goods.kind[anchor][:, None])
        score = np.where(product == anchor[:, None], HIDDEN, score + self.rng.gumbel(0, 0.6, product.shape))
        return self._top(product, score, day)

    def _top(self, product: Whole, score: Real, day: Whole) -> Whole:
        """The best WIDTH of each row, each product once; -1 where there are too few."""
        score = np.where(self.goods.launch[product] > day[:, None], HIDDEN, score - (self.goods.stock[product] == 0))
        order = np.argsort(product, axis=1, kind="stable")
        ordered = np.take_along_axis(product, order, 1)
        again = np.zeros(product.shape, bool)
        np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], 1)
        score = np.where(again, HIDDEN, score)
        best = np.argsort(-score, axis=1, kind="stable")[:, :WIDTH]
        shown = np.take_along_axis(score, best, 1) > HIDDEN / 2
        return np.where(shown, np.take_along_axis(product, best, 1), -1)

    def _pools(self) -> tuple[Whole, Real]:
        """For each query the POOL products the shop would think of, and how highly."""
        same = self.tongue[:, None] == self.goods.language[None, :]
        score = 1.1 * self.grade + 0.8 * same + 0.25 * self.fame + self.rng.normal(0, 0.9, self.grade.shape)
        pool = np.argsort(-score, axis=1, kind="stable")[:, : min(POOL, score.shape[1])]
        return pool.astype(np.int64), np.take_along_axis(score, pool, 1)
