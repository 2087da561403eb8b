"""An open index, a reranker and validation queries in; how much the reranker counts, or that it should not, out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import DataError, RequestError
from mercer.measure.metric import parse_all
from mercer.rank.hybrid import Scored
from mercer.rank.rerank import reranked
from mercer.rank.reranker import Reranker
from mercer.records import Hit, Request
from mercer.retrieve.text import passage
from mercer.shop import Shop, write_json

if TYPE_CHECKING:
    from mercer.doors.open import Doors

__all__ = ["PRODUCTS", "Weight", "keep_weight", "read_weight", "weigh"]

PRODUCTS = 50
"""Read for each query where the owner says nothing."""
GRID = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
"""Weights that are tried, never 0: then there would be no reranker. Close together near 1: one that is careful, with
chances that differ by hundredths where scores differ by tenths, is heard only there."""
METRIC = "nDCG@10"
FILE = "weight.json"


@dataclass(frozen=True, slots=True)
class Weight:
    """What of ``[rank]`` goes live with a reranker, and what it was chosen by."""

    rerank: int
    """Products that are read: as many as were asked for, or fewer where the budget is enough for no more."""
    rerank_weight: float
    """Of `GRID`, the one that ranks the validation queries best; of equal ones the lowest."""
    alone: float
    """Mean nDCG@10 of the validation queries as the first stage ranks them."""
    tried: Mapping[str, float]
    """Weight → the same with the reranker."""
    queries: int
    milliseconds: float
    """That reading so many products takes on this machine, on average."""

    @property
    def best(self) -> float:
        """Mean nDCG@10 at the best weight."""
        return self.tried[f"{self.rerank_weight:g}"]

    @property
    def refusal(self) -> str:
        """ "" where the reranker gains something at its best weight, else what it does instead, in numbers."""
        if self.best > self.alone:
            return ""
        worse = "is worse than" if self.best < self.alone else "gains nothing over"
        return (
            f"on {self.queries} validation queries it {worse} the first stage alone: {METRIC} {self.best:.4f} at its "
            f"best weight, {self.rerank_weight:g}, against {self.alone:.4f}"
        )

    def to_json(self) -> dict[str, Any]:
        """As it is kept beside the model's card."""
        return {**asdict(self), "refusal": self.refusal}


def weigh(
    doors: Doors,
    reranker: Reranker,
    truth: Mapping[str, Mapping[str, float]],
    *,
    products: int = PRODUCTS,
    budget: float = math.inf,
    tick: Callable[[int], None] | None = None,
) -> Weight:
    """Let a reranker read what the first stage finds, once, and rank that with each weight of `GRID`.

    Args:
        doors: open, with reranking off.
        reranker: see there.
        truth: validation query → product → gain; test queries must not be among them.
        products: that are read for each query, at most.
        budget: milliseconds that serving has for one query; what does not fit on this machine does not count here.
        tick: told after each query.

    Raises:
        DataError: no query has a right answer.
    """
    asked = {query: gains for query, gains in truth.items() if any(gain > 0 for gain in gains.values())}
    if not asked:
        raise DataError("no validation query has a right answer", cure="judge more queries")
    readings = []
    spent = 0.0
    for query in asked:
        hits = _found(doors, query, products)
        began = time.monotonic()
        readings.append((query, hits, reranker(query, [passage(hit.product) for hit in hits])))
        spent += time.monotonic() - began
        if tick is not None:
            tick(1)
    each = 1000 * spent / max(sum(len(hits) for _, hits, _ in readings), 1)
    read = products if each * products <= budget else max(1, int(budget / each))
    runs: dict[float, dict[str, list[str]]] = {weight: {} for weight in (0.0, *GRID)}
    for query, hits, relevance in readings:
        scored, order = Scored(np.array([hit.score for hit in hits]), {}, {}), np.arange(len(hits))
        for weight, run in runs.items():
            run[query] = [hits[at].id for at in reranked(scored, order, relevance[:read], weight=weight)[1]]
    (metric,) = parse_all([METRIC])
    means = {weight: float(np.mean(list(metric(run, asked).values()))) for weight, run in runs.items()}
    best = max(GRID, key=lambda weight: (means[weight], -weight))
    tried = {f"{weight:g}": means[weight] for weight in GRID}
    return Weight(read, best, means[0.0], tried, len(asked), each * read)


def _found(doors: Doors, query: str, products: int) -> tuple[Hit, ...]:
    try:
        return doors.search(Request(query=query, k=products)).hits
    except RequestError:
        return ()  # a query that cannot be asked finds nothing


def keep_weight(shop: Shop, model: str, weight: Weight) -> None:
    """Write it beside the reranker's card."""
    write_json(shop.path("models", model) / FILE, weight.to_json())


def read_weight(shop: Shop, model: str) -> dict[str, Any]:
    """``rerank`` and ``rerank_weight`` of a reranker of the shop; {} where it was never weighed."""
    path = shop.path("models", model) / FILE
    if not model or not path.exists():
        return {}
    told = json.loads(path.read_text("utf-8"))
    return {name: told[name] for name in ("rerank", "rerank_weight")}
