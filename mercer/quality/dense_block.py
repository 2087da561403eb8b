"""Who bought what as pairs of codes in; groups of shoppers and products joined more densely than by chance out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Links", "Pairs", "components", "core", "peel", "spans", "surprise"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

EXACT = 300_000
"""Pairs that are peeled one node at a time (some seconds of Python); more are peeled in batches first."""
WORK = 10_000_000
"""Pairs of products of one shopper that are counted at once: some 400 MB."""
BATCH = 0.1
"""Share above the mean weight that a batch takes out: Bahmani et al. (VLDB 2012) lose a factor of 2 + 2 × this."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Distinct pairs of a shopper and a product, as codes; shape (pairs,)."""

    shopper: Whole
    product: Whole

    @classmethod
    def of(cls, shopper: NDArray[np.integer[Any]], product: NDArray[np.integer[Any]]) -> Pairs:
        """The distinct pairs of some events, in order of shopper, then product; codes below 0 are nobody."""
        known = (shopper >= 0) & (product >= 0)
        size = int(product.max(initial=0)) + 1
        key = np.unique(shopper[known].astype(np.int64) * size + product[known])
        return cls(key // size, key % size)

    def __len__(self) -> int:
        return len(self.shopper)

    def where(self, mask: NDArray[Any]) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.shopper[mask], self.product[mask])


@dataclass(frozen=True, slots=True)
class Block:
    """Shoppers and products that are joined densely."""

    shoppers: Whole
    products: Whole
    pairs: int
    """Pairs between them."""

    @property
    def density(self) -> float:
        """Pairs of all that could be."""
        return self.pairs / (len(self.shoppers) * len(self.products))


def core(pairs: Pairs, *, products: int, shoppers: int) -> Pairs:
    """The largest part in which each shopper has `products` products and each product `shoppers` shoppers."""
    while True:
        wide = np.bincount(pairs.shopper)[pairs.shopper] >= products if len(pairs) else np.ones(0, bool)
        keep = wide & (np.bincount(pairs.product)[pairs.product] >= shoppers) if len(pairs) else wide
        if keep.all():
            return pairs
        pairs = pairs.where(keep)


def surprise(count: Real, expected: Real) -> Real:
    """Nats by which chance would not do it: the Chernoff bound of a Poisson tail, 0 where count is not above expected.

    >>> surprise(np.array([7.0]), np.array([0.2])).round(1).tolist()
    [18.1]
    """
    above = count > expected
    safe = np.where(above, count, 1.0)
    tail = safe * np.log(safe / np.maximum(expected, 1e-12)) - safe + expected
    result: Real = np.where(above, tail, 0.0)
    return result


class Links:
    """Which products share more shoppers than chance gives them, and how large a share."""

    def __init__(self, pairs: Pairs, *, nats: float, least: float, most: int) -> None:
        """Count the shoppers that two products share: time and memory grow with the square of a shopper's products.

        Args:
            pairs: a graph.
            nats: of surprise, against what the shoppers' and products' counts explain (configuration model).
            least: share of the rarer product's shoppers below which no two products are linked.
            most: shoppers of more products say nothing about products, as they have them all.
        """
        from scipy.sparse import csr_matrix

        self.shape = int(pairs.shopper.max(initial=-1)) + 1, int(pairs.product.max(initial=-1)) + 1
        matrix = csr_matrix((np.ones(len(pairs), np.float32), (pairs.shopper, pairs.product)), shape=self.shape)
        width = np.bincount(pairs.shopper, minlength=self.shape[0])
        telling = matrix[width <= most]
        degree = np.asarray(telling.sum(axis=0), np.float64).ravel()
        width = width[width <= most].astype(np.float64)
        chance = float((width * (width - 1)).sum()) / max(float(width.sum()) ** 2, 1.0)
        products = telling.T.tocsr()
        found = [_close(products, degree, rows, least, (chance, nats)) for rows in spans(telling.T @ width)]
        found += [(other, one, share) for one, other, share in found]
        found.append((np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)))
        one, other, closeness = (np.concatenate([part[side] for part in found]) for side in range(3))
        order = np.lexsort((other, one))
        self.one: Whole = one[order].astype(np.int64)
        self.other: Whole = other[order].astype(np.int64)
        self.share: Real = closeness[order]
        self._start = np.searchsorted(self.one, np.arange(self.shape[1] + 1))

    def near(self, product: int, *, share: float) -> Whole:
        """A product and those linked with it by `share`."""
        rows = slice(self._start[product], self._start[product + 1])
        others: Whole = self.other[rows][self.share[rows] >= share]
        return np.append(others, product)

    def vouched(self, pairs: Pairs, *, share: float, support: int) -> Pairs:
        """Pairs for which at least `support` other products of the shopper, linked by `share`, speak."""
        from scipy.sparse import csr_matrix

        if not len(pairs):
            return pairs
        near = self.share >= share
        links = csr_matrix(
            (np.ones(int(near.sum()), np.float32), (self.one[near], self.other[near])), shape=(self.shape[1],) * 2
        )
        matrix = csr_matrix((np.ones(len(pairs), np.float32), (pairs.shopper, pairs.product)), shape=self.shape)
        spoken = (matrix @ links).multiply(matrix).tocoo()
        kept = spoken.data >= support
        order = np.lexsort((spoken.col[kept], spoken.row[kept]))
        return Pairs(spoken.row[kept][order].astype(np.int64), spoken.col[kept][order].astype(np.int64))


def spans(work: Real) -> Iterator[range]:
    """Places in a row whose work together is at most `WORK`, or one place of more."""
    done = np.concatenate([[0.0], np.cumsum(work)])
    first = 0
    while first < len(work):
        last = max(first + 1, int(np.searchsorted(done, done[first] + WORK, side="right")) - 1)
        yield range(first, last)
        first = last


def _close(
    products: Any, degree: Real, rows: range, least: float, limits: tuple[float, float]
) -> tuple[Whole, Whole, Real]:
    """Links of some products with themselves and later ones: one, other, share of the rarer one's shoppers."""
    chance, nats = limits
    together = products[rows.start : rows.stop] @ products[rows.start :].T
    count = together.data
    rarer = np.repeat(degree[rows.start : rows.stop].astype(np.float32), np.diff(together.indptr))
    np.minimum(rarer, degree[rows.start :].astype(np.float32)[together.indices], out=rarer)
    near = np.flatnonzero(count >= np.float32(least * 0.999) * rarer)  # most are not
    one = np.searchsorted(together.indptr, near, side="right") - 1 + rows.start
    other = together.indices[near].astype(np.int64) + rows.start
    count = count[near].astype(np.float64)
    share = count / np.minimum(degree[one], degree[other])
    close = (one < other) & (share >= least) & (surprise(count, degree[one] * degree[other] * chance) >= nats)
    return one[close], other[close], share[close]


def components(pairs: Pairs) -> Iterator[Pairs]:
    """Parts that no pair joins, largest first."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return
    offset = int(pairs.shopper.max()) + 1
    size = offset + int(pairs.product.max()) + 1
    graph = csr_matrix((np.ones(len(pairs), np.int8), (pairs.shopper, pairs.product + offset)), shape=(size, size))
    label = connected_components(graph, directed=False)[1][pairs.shopper]
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    parts = np.split(order, cuts)
    for part in sorted(parts, key=lambda rows: (-len(rows), int(rows[0]))):
        yield pairs.where(part)


def peel(pairs: Pairs, weight: Real) -> Block:
    """The part whose pairs weigh most by node, greedily: FRAUDAR (Hooi et al., KDD 2016).

    Args:
        pairs: a graph.
        weight: of a pair by the code of its product; FRAUDAR's is 1 / log(shoppers of the product + 5), so that what
            everybody buys hides nobody.
    """
    pairs = _thin(pairs, weight)
    shoppers, left = np.unique(pairs.shopper, return_inverse=True)
    products, right = np.unique(pairs.product, return_inverse=True)
    right = right + len(shoppers)
    count = len(shoppers) + len(products)
    value = weight[pairs.product]
    order, best = _order(left, right, value, count)
    stays = np.ones(count, bool)
    stays[order[:best]] = False
    inside = stays[left] & stays[right]
    return Block(shoppers[stays[: len(shoppers)]], products[stays[len(shoppers) :]], int(inside.sum()))


def _order(left: Whole, right: Whole, value: Real, count: int) -> tuple[Whole, int]:
    """The order in which nodes leave, and after how many of them the rest weighs most by node."""
    ends = np.concatenate([left, right])
    sequence = np.argsort(ends, kind="stable")
    start = np.searchsorted(ends[sequence], np.arange(count + 1)).tolist()
    other, worth = np.concatenate([right, left])[sequence].tolist(), np.concatenate([value, value])[sequence].tolist()
    degree = np.bincount(ends, weights=np.concatenate([value, value]), minlength=count).tolist()
    total, gone = float(value.sum()), [False] * count
    heap = [(degree[node], node) for node in range(count)]
    heapify(heap)
    order: list[int] = []
    best, top = 0, total / max(count, 1)
    while heap:
        weight, node = heappop(heap)
        if gone[node] or weight > degree[node] + 1e-9:
            continue
        gone[node] = True
        order.append(node)
        total -= degree[node]
        for place in range(start[node], start[node + 1]):
            neighbour = other[place]
            if not gone[neighbour]:
                degree[neighbour] -= worth[place]
                heappush(heap, (degree[neighbour], neighbour))
        left_over = count - len(order)
        if left_over and total / left_over > top + 1e-12:
            best, top = len(order), total / left_over
    return np.array(order, np.int64), best


def _thin(pairs: Pairs, weight: Real) -> Pairs:
    """A large graph without its light nodes, batch after batch, until it can be peeled node by node."""
    while len(pairs) > EXACT:
        value = weight[pairs.product]
        by_shopper, by_product = np.bincount(pairs.shopper, weights=value), np.bincount(pairs.product, weights=value)
        nodes = np.count_nonzero(by_shopper) + np.count_nonzero(by_product)
        limit = (1 + BATCH) * value.sum() / nodes
        pairs = pairs.where((by_shopper[pairs.shopper] > limit) & (by_product[pairs.product] > limit))
    return pairs
