"""The values of one or two systems query by query in; a bootstrap interval, a difference and its p value out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mercer.errors import RequestError, SettingsError

__all__ = ["Comparison", "Interval", "Resampling", "compare", "holm", "interval", "randomisation"]

BLOCK = 4_000_000
"""Numbers drawn at once: 32 MB of float64."""
EXACT = 13
"""Up to this many differing queries all 2^n swaps are counted instead of drawn."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals and p values are drawn."""

    samples: int = 4000
    """Bootstrap samples; 4,000 put the ends of a 95 % interval within about 3 % of its width."""
    swaps: int = 10_000
    """Random swaps of the paired test; the smallest p value is 1 / (swaps + 1)."""
    level: float = 0.95
    """Share of repetitions in which the interval should hold the true value."""
    method: Literal["bca", "percentile"] = "bca"
    """BCa corrects for bias and skew (Efron 1987); percentile is the plain one."""

    def __post_init__(self) -> None:
        if self.samples < 100 or self.swaps < 100:
            raise SettingsError(f"samples is {self.samples}, swaps {self.swaps}", cure="give at least 100 of each")
        if not 0 < self.level < 1:
            raise SettingsError(f"level is {self.level}", cure="give a share between 0 and 1, as 0.95")
        if self.method not in ("bca", "percentile"):
            raise SettingsError(f"method is {self.method!r}", cure="give bca or percentile")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much better one system is than another over the same queries."""

    difference: float
    """Mean of the system minus mean of the baseline."""
    relative: float | None
    """`difference` by the baseline's mean; None where that is 0."""
    low: float
    high: float
    """Ends of the confidence interval of `difference`."""
    p: float
    """Two-sided, paired randomisation test; correct for several comparisons with `holm`."""
    n: int
    """Queries compared."""


def interval(values: ArrayLike, *, seed: int, how: Resampling | None = None) -> Interval:
    """Bootstrap interval of the mean of (n,) values, one a query or shopper.

    Raises:
        RequestError: no values, or some not finite.
    """
    column, how = _column(values), how or Resampling()
    mean = float(column.mean())
    if np.ptp(column) == 0:
        return Interval(mean, mean, mean)
    means = _bootstrap(column, how.samples, np.random.default_rng(seed))
    low, high = np.quantile(means, _ends(column, means, how))
    return Interval(mean, float(low), float(high))


def compare(
    system: Mapping[str, float], baseline: Mapping[str, float], *, seed: int, how: Resampling | None = None
) -> Comparison:
    """Compare two systems over the same queries (values of one metric by query id).

    Raises:
        RequestError: the two were not measured over the same queries.
    """
    if system.keys() != baseline.keys():
        odd = sorted(system.keys() ^ baseline.keys())
        raise RequestError(
            f"{len(odd)} queries were measured for one system only, the first is {odd[0]!r}",
            cure="measure both over the same judgments",
        )
    queries = sorted(system)  # the order of queries must not change the draw
    ours, theirs = _column([system[query] for query in queries]), _column([baseline[query] for query in queries])
    spread, mean = interval(ours - theirs, seed=seed, how=how), float(theirs.mean())
    return Comparison(
        difference=spread.value,
        relative=spread.value / mean if mean else None,
        low=spread.low,
        high=spread.high,
        p=randomisation(ours - theirs, seed=seed, swaps=(how or Resampling()).swaps),
        n=len(queries),
    )


def randomisation(differences: ArrayLike, *, seed: int, swaps: int = 10_000) -> float:
    """Two-sided p value of (n,) paired differences: how often random signs give a mean this far from 0.

    Fisher's test as Smucker, Allan and Carterette (CIKM 2007) recommend it; exact where few queries differ, else
    (1 + count) / (1 + swaps), which is never 0 and never too small.
    """
    column = _column(differences)
    column = column[column != 0]  # a pair without a difference is the same either way round
    seen, count = abs(float(column.sum())), len(column)
    if count == 0:
        return 1.0
    slack = 1e-12 * float(np.abs(column).sum())  # equal sums may differ in their last bits
    if count <= EXACT:
        signs = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        return float((np.abs(signs @ (2 * column) - column.sum()) >= seen - slack).mean())
    rng, far = np.random.default_rng(seed), 0
    for rows in _blocks(swaps, count):
        signs = rng.integers(0, 2, size=(rows, count), dtype=np.int8)
        far += int((np.abs(signs @ (2 * column) - column.sum()) >= seen - slack).sum())
    return (1 + far) / (1 + swaps)


def holm(p: Sequence[float]) -> list[float]:
    """Correct p values for their number (Holm 1979): each may then be held against .05 on its own.

    >>> [round(value, 3) for value in holm([.01, .04, .03])]
    [0.03, 0.06, 0.06]
    """
    corrected, highest = [0.0] * len(p), 0.0
    for step, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        highest = max(highest, min(1.0, p[place] * (len(p) - step)))
        corrected[place] = highest
    return corrected


def _column(values: ArrayLike) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or not len(column):
        raise RequestError(f"values have shape {column.shape}", cure="give one value for each of 1 or more queries")
    if not np.isfinite(column).all():
        raise RequestError(f"{int((~np.isfinite(column)).sum())} values are not finite", cure="leave them out")
    return column


def _bootstrap(column: NDArray[np.float64], samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Means of `samples` draws with replacement."""
    count = len(column)
    blocks = [column[rng.integers(0, count, size=(rows, count))].mean(axis=1) for rows in _blocks(samples, count)]
    return np.concatenate(blocks)


def _blocks(rows: int, width: int) -> list[int]:
    step = max(1, BLOCK // width)
    return [min(step, rows - start) for start in range(0, rows, step)]


def _ends(column: NDArray[np.float64], means: NDArray[np.float64], how: Resampling) -> tuple[float, float]:
    """Which quantiles of the bootstrap means are the ends of the interval."""
    tail = (1 - how.level) / 2
    below = float(((means < column.mean()).sum() + 0.5 * (means == column.mean()).sum()) / len(means))
    if how.method == "percentile" or not 0 < below < 1:
        return tail, 1 - tail
    normal, centred = NormalDist(), column - column.mean()
    centred /= np.abs(centred).max()  # the skew has no unit; tiny values must not vanish when cubed
    bias = normal.inv_cdf(below)
    skew = float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))  # the jackknife of a mean, in closed form

    def corrected(share: float) -> float:
        moved = bias + normal.inv_cdf(share)
        return normal.cdf(bias + moved / (1 - skew * moved)) if math.isfinite(moved) else share

    return corrected(tail), corrected(1 - tail)
