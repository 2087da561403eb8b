"""Numbers that come in one after another in; intervals that hold at every look, however often one looks, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEAST", "Difference", "between", "mean", "radius", "surprise"]

LEAST = 50
"""Values of each side below which nothing is said: the bound is an asymptotic one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger one mean is than another (or than 0), at all looks until now."""

    difference: float
    low: float
    high: float
    p: float
    """Always valid: smaller than x at any look with a chance of about x at most, where there is no difference."""
    n: int

    @property
    def sure(self) -> bool:
        """Whether 0 is outside."""
        return self.low > 0 or self.high < 0


NOTHING = Difference(0.0, -math.inf, math.inf, 1.0, 0)


def radius(n: NDArray[np.int64] | int, *, alpha: float, plan: int) -> NDArray[np.float64]:
    """Half of the interval of a mean of n values of standard deviation 1, for all n at once.

    Robbins' normal mixture as an asymptotic confidence sequence: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
    "Time-uniform central limit theory and asymptotic confidence sequences" (Annals of Statistics 52, 2024), theorem
    2.2, tightest at `plan` values (their equation for ρ). The same boundary as the mixture SPRT of Johari, Koomen,
    Pekelis and Walsh, "Always valid inference" (Operations Research 70, 2022), with a normal mixture.
    """
    rho, count = _rho(alpha, plan), np.asarray(n, np.float64)
    grown = count * rho**2 + 1
    return np.asarray(np.sqrt(2 * grown / (count * rho) ** 2 * np.log(np.sqrt(grown) / alpha)))


def surprise(z: float, n: int, *, alpha: float, plan: int) -> float:
    """The always-valid p value at one look: 1 by the mixture's likelihood ratio, of a z score of n values."""
    grown = n * _rho(alpha, plan) ** 2 + 1
    return min(1.0, math.exp(min(0.5 * math.log(grown) - z**2 * (grown - 1) / (2 * grown), 0.0)))


def mean(values: ArrayLike, *, alpha: float = 0.05, plan: int = 2000) -> Difference:
    """Of values (n,), in the order in which they came, against 0."""
    column = np.asarray(values, np.float64)
    if len(column) < LEAST:
        return NOTHING
    return _found(float(column.mean()), float(column.std(ddof=1)), len(column), alpha=alpha, plan=plan)


def between(system: ArrayLike, control: ArrayLike, *, alpha: float = 0.05, plan: int = 2000) -> Difference:
    """Mean of one arm less that of another, (n,) and (m,) values of different shoppers.

    Theorem 2.2 for the difference: n + m values whose standard deviation is that of the difference times √(n + m).
    """
    ours, theirs = np.asarray(system, np.float64), np.asarray(control, np.float64)
    if min(len(ours), len(theirs)) < LEAST:
        return NOTHING
    count = len(ours) + len(theirs)
    spread = math.sqrt(count * (ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs)))
    return _found(float(ours.mean() - theirs.mean()), spread, count, alpha=alpha, plan=plan)


def _found(difference: float, deviation: float, count: int, *, alpha: float, plan: int) -> Difference:
    if deviation == 0:  # all the same until now: nothing is known of how they vary
        return Difference(difference, -math.inf, math.inf, 1.0, count)
    half = deviation * float(radius(count, alpha=alpha, plan=plan))
    p = surprise(difference / deviation * math.sqrt(count), count, alpha=alpha, plan=plan)
    return Difference(difference, difference - half, difference + half, p, count)


def _rho(alpha: float, plan: int) -> float:
    """Of the mixture whose boundary is narrowest at `plan` values."""
    told = -2 * math.log(alpha)
    return math.sqrt((told + math.log(told) + 1) / plan)
