"""Validation queries, their grades and what zero-shot search finds in; how well a tower ranks them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mercer.learn.tower import Tower
from mercer.measure.metric import parse_all

__all__ = ["Pool"]


@dataclass(frozen=True, slots=True)
class Pool:
    """Queries with candidates: ranking these tells two towers apart at a small part of the cost of the catalogue."""

    queries: Mapping[str, str]
    """Query id → text."""
    truth: Mapping[str, Mapping[str, float]]
    """Query id → product id → gain."""
    candidates: Mapping[str, Sequence[str]]
    """Query id → products that are ranked for it."""
    texts: Mapping[str, str]
    """Product id → what the encoder reads."""

    def __call__(self, tower: Tower) -> float:
        """Mean nDCG@10 by cosine alone."""
        (metric,) = parse_all(["nDCG@10"])
        values = metric(self.runs(tower), dict(self.truth))
        return float(np.mean(list(values.values())))

    def runs(self, tower: Tower) -> dict[str, list[str]]:
        """Query id → its candidates, best first; equals by id."""
        ids = sorted({product for found in self.candidates.values() for product in found})
        place = {product: at for at, product in enumerate(ids)}
        passages = tower.encode([self.texts[product] for product in ids], "passage")
        asked = tower.encode(list(self.queries.values()), "query")
        found = {}
        for query, vector in zip(self.queries, asked, strict=True):
            mine = sorted(self.candidates[query])
            scores = passages[[place[product] for product in mine]] @ vector
            found[query] = [mine[at] for at in np.argsort(-scores, kind="stable")]
        return found
