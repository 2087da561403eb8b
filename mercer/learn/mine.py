"""What a base encoder finds for queries in; candidates to choose by, and wrong answers that look right, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mercer.learn.pairs.pair import group_of, to_pairs

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
    rows = []
    known: dict[str, dict[str, float]] = {}
    for query, product, gain in zip(*(pairs[name].to_pylist() for name in ("query", "product", "gain")), strict=True):
        known.setdefault(query, {})[product] = gain
    place = {product: at for at, product in enumerate(found.ids)}
    for query in sorted(known):
        rng = np.random.default_rng([seed, len(query), *query.encode()])
        right = [place[product] for product, gain in known[query].items() if gain > 0 and product in place]
        if not right:
            continue
        most = float((found.products[right] @ found.queries[query]).mean())
        open_ = [id for id, score in found.best(query, LAST)[FIRST:] if id not in known[query] and score < most]
        for at in sorted(rng.choice(len(open_), min(each, len(open_)), replace=False)) if open_ else ():
            product = open_[at]
            lineage = f"products:{product}"
            rows.append((query, product, texts[product], 0.0, 1.0, group_of(query), None, "mined", lineage))
    return to_pairs(rows)


def pool_of(
    pairs: pa.Table, found: Found, *, queries: int, depth: int, seed: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Queries to choose by: text → ``truth`` (product → gain) and ``candidates`` (judged ones and the base's best)."""
    known: dict[str, dict[str, float]] = {}
    for query, product, gain in zip(*(pairs[name].to_pylist() for name in ("query", "product", "gain")), strict=True):
        known.setdefault(query, {})[product] = gain
    told = sorted(query for query, gains in known.items() if any(gain > 0 for gain in gains.values()))
    if len(told) > queries:
        told = sorted(np.random.default_rng(seed).choice(told, queries, replace=False).tolist())
    return {
        query: {"truth": known[query], "candidates": {**known[query], **dict(found.best(query, depth))}}
        for query in told
    }
