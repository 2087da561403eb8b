"""Rankings and grades in; padded matrices of gains and relevance, which the formulas of metrics work on, out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.errors import RequestError

__all__ = ["Judged", "discounted", "judge", "ratio", "summed"]


@dataclass(frozen=True, slots=True)
class Judged:
    """n queries, their rankings cut at `k` places and padded with zeros to the same depth."""

    gains: NDArray[np.float64]
    """(n, depth): gain at each place, 0 where the product is not judged or was there before."""
    relevant: NDArray[np.bool_]
    """(n, depth): whether the product at each place is relevant."""
    retrieved: NDArray[np.int64]
    """(n,): how many places the cut ranking fills."""
    ideal: NDArray[np.float64]
    """(n, widest): gains of all judged products, highest first, cut at `k`."""
    total: NDArray[np.int64]
    """(n,): how many relevant products there are, found or not."""
    k: int | None


def judge(
    runs: Mapping[str, Sequence[str]],
    truth: Mapping[str, Mapping[str, float]],
    *,
    k: int | None,
    gains: Mapping[float, float] | None,
    relevant: float,
) -> tuple[list[str], Judged]:
    """Lay judged queries out as matrices; returns their ids in the order of the rows.

    Raises:
        RequestError: nothing is judged, a grade is not finite, or a grade has no gain.
    """
    queries = [query for query, grades in truth.items() if grades]
    if not queries:
        raise RequestError("no query has a judgment", cure="give judgments (TREC qrels or CSV) for the queries")
    cut = [runs.get(query, ())[:k] for query in queries]
    ideals = [sorted((_gain(grade, gains, query) for grade in truth[query].values()), reverse=True)[:k]
              for query in queries]  # fmt: skip
    shape = len(queries), max(map(len, cut)) or 1
    gain, hit = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    for row, (query, ranking) in enumerate(zip(queries, cut, strict=True)):
        grades, seen = truth[query], set()
        for place, product in enumerate(ranking):
            if product in grades and product not in seen:
                seen.add(product)
                gain[row, place] = _gain(grades[product], gains, query)
                hit[row, place] = grades[product] >= relevant
    ideal = np.zeros((len(queries), max(map(len, ideals))))
    for row, values in enumerate(ideals):
        ideal[row, : len(values)] = values
    total = [sum(grade >= relevant for grade in truth[query].values()) for query in queries]
    retrieved = np.array([len(ranking) for ranking in cut], dtype=np.int64)
    return queries, Judged(gain, hit, retrieved, ideal, np.array(total, dtype=np.int64), k)


def _gain(grade: float, gains: Mapping[float, float] | None, query: str) -> float:
    """The gain of a grade; as in trec_eval, a grade below 0 gains nothing."""
    if not math.isfinite(grade):
        raise RequestError(f"query {query!r} has a judgment of grade {grade}", cure="give finite grades")
    if gains is None:
        return max(0.0, grade)
    if grade not in gains:
        listed = ",".join(f"{key:g}={value:g}" for key, value in gains.items())
        raise RequestError(
            f"query {query!r} has a judgment of grade {grade:g}, which the gains {listed} leave out",
            cure=f"add {grade:g}=GAIN to the gains",
        )
    return gains[grade]


def discounted(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of each row's gains over log2(place + 1) (Järvelin and Kekäläinen 2002, as trec_eval has it)."""
    discounts = 1.0 / np.log2(np.arange(2, gains.shape[1] + 2))
    return summed(gains * discounts)


def summed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of each row, left to right: unlike a matrix product, one query's value does not depend on its neighbours."""
    total: NDArray[np.float64] = rows.cumsum(axis=1)[:, -1]
    return total


def ratio(part: NDArray[np.float64] | NDArray[np.int64], whole: NDArray[np.float64] | NDArray[np.int64] | int) -> (
    NDArray[np.float64]
):  # fmt: skip
    """Part by whole, 0 where the whole is 0: nothing to find counts as not found, as in trec_eval."""
    bottom = np.broadcast_to(np.asarray(whole, dtype=np.float64), part.shape)
    return np.divide(part, bottom, out=np.zeros(part.shape), where=bottom > 0)
