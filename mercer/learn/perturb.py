"""Two encoders and held-out queries in; how well each answers them typed otherwise, way by way, out."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.learn.augment import WAYS, Augment
from mercer.learn.pool import Pool
from mercer.learn.tower import Tower
from mercer.measure.compare import interval
from mercer.measure.metric import parse_all

__all__ = ["Perturbed", "perturbed"]

SEEDS = (101, 102, 103)
"""Of the mistakes, other ones than those that are learned from."""


@dataclass(frozen=True, slots=True)
class Perturbed:
    """Mean nDCG@10 by vectors alone, of queries typed in one way."""

    way: str
    """clean, or one of `augment.WAYS`."""
    queries: int
    """That the way changes."""
    clean_before: float
    clean_after: float
    """Of the same queries as they are."""
    before: float
    after: float
    low: float
    high: float
    """Ends of the 95 % interval of `after` less `before`."""

    def json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)


def perturbed(before: Tower, after: Tower, pool: Pool, augment: Augment, *, seed: int = 7) -> tuple[Perturbed, ...]:
    """Rank the pool's candidates for each query as it is and typed otherwise, with vectors from both towers.

    Args:
        before, after: the encoder without and with what made it robust.
        pool: queries that took no part in training, and what is ranked for them.
        augment: its characters and synonyms; each of its ways is asked alone.
        seed: of the intervals.
    """
    asks = [_asked(tower, pool) for tower in (before, after)]
    clean = [ask(list(pool.queries.values())) for ask in asks]
    every = np.ones(len(pool.queries), bool)
    found = [_row("clean", every, clean, clean, seed)]
    for way in (name for name in WAYS if name in augment.ways):
        one = Augment((way,), augment.synonyms, augment.rewritten, augment.characters)
        typed = [[one(text, random.Random(f"{s} {way} {text}")) for text in pool.queries.values()] for s in SEEDS]
        changed = np.any([[a != b for a, b in zip(row, pool.queries.values(), strict=True)] for row in typed], axis=0)
        if changed.any():
            said = [np.mean([ask(row) for row in typed], axis=0) for ask in asks]
            found.append(_row(way, changed, clean, said, seed))
    return tuple(found)


Values = NDArray[np.float64]


def _asked(tower: Tower, pool: Pool) -> Callable[[Sequence[str]], Values]:
    """Texts in the order of the pool's queries in, nDCG@10 of each out; passages are encoded once."""
    (metric,) = parse_all(["nDCG@10"])
    ids = sorted({product for found in pool.candidates.values() for product in found})
    place = {product: at for at, product in enumerate(ids)}
    passages = tower.encode([pool.texts[product] for product in ids], "passage")

    def ask(texts: Sequence[str]) -> Values:
        runs: dict[str, list[str]] = {}
        for query, vector in zip(pool.queries, tower.encode(texts, "query"), strict=True):
            mine = sorted(pool.candidates[query])
            scores = passages[[place[product] for product in mine]] @ vector
            runs[query] = [mine[at] for at in np.argsort(-scores, kind="stable")]
        values: Mapping[str, float] = metric(runs, dict(pool.truth))
        return np.array([values.get(query, 0.0) for query in pool.queries])

    return ask


def _row(way: str, chosen: Values | Any, clean: Sequence[Values], said: Sequence[Values], seed: int) -> Perturbed:
    (old, new), (before, after) = clean, said
    ends = interval((after - before)[chosen], seed=seed)
    first, second, third, fourth = (float(values[chosen].mean()) for values in (old, new, before, after))
    return Perturbed(way, int(chosen.sum()), first, second, third, fourth, ends.low, ends.high)
