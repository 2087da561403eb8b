"""Scores of every product for every shopper and what was held out in; rankings, metrics and coverage out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.errors import RequestError
from mercer.measure.metric import Metric, Runs, Scores

__all__ = ["Recommended", "evaluate", "rank_all", "top"]


@dataclass(frozen=True, slots=True)
class Recommended:
    """How well one recommender found what shoppers chose next."""

    metrics: Mapping[str, Scores]
    """Name of the metric → value by shopper."""
    coverage: float
    """Share of the catalogue that was recommended to anyone, at the depth of the rankings."""
    shoppers: int


def evaluate(
    runs: Runs, held_out: Mapping[str, Collection[str]], *, metrics: Iterable[Metric], catalogue: Collection[str]
) -> Recommended:
    """Measure rankings of the whole catalogue (never of a sample) against what was held out.

    Whether products that a shopper has already had are ranked is the caller's choice, made in the rankings; say
    which in a report. A shopper with held-out products and no ranking counts 0.

    Args:
        runs: shopper → products, best first.
        held_out: shopper → products that were right.
        metrics: such as ``parse("HR@10")``.
        catalogue: every product that could have been ranked.

    Raises:
        RequestError: nothing was held out, or the catalogue is empty.
    """
    if not catalogue:
        raise RequestError("the catalogue is empty", cure="give every product that could have been ranked")
    truth = {shopper: dict.fromkeys(products, 1.0) for shopper, products in held_out.items() if products}
    shown = {product for shopper in truth for product in runs.get(shopper, ())}
    values = {metric.name: metric(runs, truth) for metric in metrics}
    return Recommended(values, len(shown.intersection(catalogue)) / len(set(catalogue)), len(truth))


def rank_all(
    batches: Iterable[tuple[Sequence[str], NDArray[np.floating]]],
    products: Sequence[str],
    *,
    k: int,
    seen: Mapping[str, Collection[str]] | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Yield (shopper, best k products) from batches of (shoppers, scores of shape (shoppers, products)).

    Args:
        batches: as many shoppers at once as memory allows; every product is scored.
        products: ids in the order of the columns.
        k: depth of the rankings.
        seen: products to leave out of a shopper's ranking; None ranks everything.
    """
    columns = {product: column for column, product in enumerate(products)}
    for shoppers, scores in batches:
        if scores.shape != (len(shoppers), len(products)):
            raise RequestError(
                f"scores have shape {scores.shape} for {len(shoppers)} shoppers and {len(products)} products",
                cure="score every product for every shopper: sampled candidates inflate every metric",
            )
        had = [[columns[p] for p in (seen or {}).get(shopper, ()) if p in columns] for shopper in shoppers]
        for shopper, row in zip(shoppers, top(scores, k=k, exclude=had), strict=True):
            yield shopper, [products[column] for column in row if column >= 0]


def top(scores: NDArray[np.floating], *, k: int, exclude: Sequence[Sequence[int]] | None = None) -> NDArray[np.int64]:
    """Columns of the k highest scores of each row, best first; (n, items) → (n, min(k, items)), -1 where none is left.

    Ties go to the lower column, whatever the value of k. A score of minus infinity is never recommended.

    Raises:
        RequestError: k is below 1 or a score is not a number.
    """
    if k < 1:
        raise RequestError(f"k is {k}", cure="give k of 1 or more")
    if np.isnan(scores).any():
        raise RequestError(f"{int(np.isnan(scores).sum())} scores are not numbers", cure="mend the recommender")
    if exclude is not None:
        scores = scores.copy()
        for row, columns in enumerate(exclude):
            scores[row, list(columns)] = -np.inf
    found = np.full((len(scores), min(k, scores.shape[1])), -1, dtype=np.int64)
    for row, values in enumerate(scores):
        best = _best(values, found.shape[1])
        best = best[values[best] > -np.inf]
        found[row, : len(best)] = best
    return found


def _best(values: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Places of the k highest values; ties by place, also at the cut, where argpartition alone is arbitrary."""
    if k < len(values):
        edge = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > edge)
        chosen = np.concatenate([above, np.flatnonzero(values == edge)[: k - len(above)]])
    else:
        chosen = np.arange(len(values))
    order: NDArray[np.int64] = chosen[np.lexsort((chosen, -values[chosen]))]
    return order
