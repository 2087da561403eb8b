"""What a base encoder finds for queries in; candidates to choose by, and wrong answers that look right, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mercer.learn.hard import hard
from mercer.learn.pairs import gains_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Found", "negatives", "pool_of"]

FIRST, LAST = 5, 60
"""Places of the ranking that negatives are drawn from; higher ones are often right answers that nobody judged."""


@dataclass(frozen=True, slots=True)
class Found:
    """Unit vectors of all products and of some queries."""

    ids: Sequence[str]
    """(n,) products."""
    products: NDArray[np.float32]
    """(n, d)."""
    queries: Mapping[str, NDArray[np.float32]]
    """Query text → (d,)."""

    def best(self, query: str, k: int) -> list[tuple[str, float]]:
        """Products and cosines, best first."""
        scores = self.products @ self.queries[query]
        top = np.argsort(-scores, kind="stable")[:k]
        return [(self.ids[at], float(scores[at])) for at in top]


def negatives(pairs: pa.Table, found: Found, texts: Mapping[str, str], *, each: int, seed: int) -> pa.Table:
    """Pairs of gain 0 for every query of `pairs`: unjudged products that the base ranks high, but not too high.

    One that scores above the mean of the query's right answers is left out: it may be right too (as L06 does).
    """
    place, rankings = {product: at for at, product in enumerate(found.ids)}, {}
    for query, gains in gains_of(pairs).items():
        right = [place[product] for product, gain in gains.items() if gain > 0 and product in place]
        if right:
            most = float((found.products[right] @ found.queries[query]).mean())
            rankings[query] = [id for id, score in found.best(query, LAST)[FIRST:] if score < most]
    return hard(pairs, rankings, texts, each=each, places=(0, LAST), seed=seed)


def pool_of(
    pairs: pa.Table, found: Found, *, queries: int, depth: int, seed: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Queries to choose by: text → ``truth`` (product → gain) and ``candidates`` (judged ones and the base's best)."""
    known = gains_of(pairs)
    told = sorted(query for query, gains in known.items() if any(gain > 0 for gain in gains.values()))
    if len(told) > queries:
        told = sorted(np.random.default_rng(seed).choice(told, queries, replace=False).tolist())
    return {
        query: {"truth": known[query], "candidates": {**known[query], **dict(found.best(query, depth))}}
        for query in told
    }
