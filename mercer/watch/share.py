"""Sums over answers and whose they are in; a share or a ratio with an interval that knows of visitors, out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Estimate", "against", "median", "ratio", "share"]

LEVEL = 0.95
NORMAL = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """Answers, or whatever was counted."""
    error: float = 0.0
    """Standard error."""


def ratio(top: ArrayLike, bottom: ArrayLike, who: NDArray[np.int64]) -> Estimate:
    """Σ top / Σ bottom, shape (n,) each; what one visitor (`who`, codes) does is not independent.

    Linearised, with one residual a visitor: Cochran, Sampling Techniques (1977), chapter 6.
    """
    above, below = np.asarray(top, np.float64), np.asarray(bottom, np.float64)
    total = float(below.sum())
    if total <= 0:
        return Estimate(math.nan, math.nan, math.nan, len(above))
    value = float(above.sum()) / total
    error = _error(above - value * below, who, total)
    return Estimate(value, max(value - NORMAL * error, 0.0), value + NORMAL * error, len(above), error)


def share(held: ArrayLike, who: NDArray[np.int64]) -> Estimate:
    """Share of answers that are so, shape (n,): Wilson's interval for as many answers as these visitors are worth.

    >>> share(np.array([True] + [False] * 9), np.arange(10)).value
    0.1
    """
    values = np.asarray(held, np.float64)
    count = len(values)
    if not count:
        return Estimate(math.nan, math.nan, math.nan, 0)
    value = float(values.mean())
    error = _error(values - value, who, count)
    visitors = len(np.unique(who))
    worth = min(count, value * (1 - value) / error**2) if error > 0 else visitors
    centre = (value + NORMAL**2 / (2 * worth)) / (1 + NORMAL**2 / worth)
    half = NORMAL / (1 + NORMAL**2 / worth) * math.sqrt(value * (1 - value) / worth + NORMAL**2 / (4 * worth**2))
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return Estimate(value, min(low, value), max(high, value), count, error)  # rounding may put 0 outside


def median(values: ArrayLike) -> Estimate:
    """The middle of independent values with the interval of its order statistics."""
    column = np.sort(np.asarray(values, np.float64))
    count = len(column)
    if not count:
        return Estimate(math.nan, math.nan, math.nan, 0)
    reach = NORMAL * math.sqrt(count) / 2
    low, high = max(math.floor(count / 2 - reach), 0), min(math.ceil(count / 2 + reach), count - 1)
    return Estimate(float(np.median(column)), float(column[low]), float(column[high]), count)


def against(now: Estimate, before: Estimate) -> Estimate:
    """One positive number by another, measured on other visitors: the delta method on logarithms."""
    if not (now.value > 0 and before.value > 0):
        return Estimate(math.nan, math.nan, math.nan, now.n)
    value = now.value / before.value
    error = math.hypot(now.error / now.value, before.error / before.value)
    reach = math.exp(NORMAL * error)
    return Estimate(value, value / reach, value * reach, now.n, error * value)


def _error(residuals: NDArray[np.float64], who: NDArray[np.int64], total: float) -> float:
    """Standard error of a mean whose residuals add up within each visitor."""
    _, codes = np.unique(who, return_inverse=True)
    sums = np.bincount(codes, weights=residuals)
    many = len(sums)
    return math.sqrt(many / (many - 1) * float((sums**2).sum())) / total if many > 1 else 0.0
