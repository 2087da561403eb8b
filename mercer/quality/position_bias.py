"""What was shown where and what of it was clicked in; the chance that each position is looked at out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "Shown", "fit"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

START = 0.5
"""Steepness that the search starts from: a flat curve stays flat for ever."""
PRIOR = 0.5
"""Clicks and non-clicks that each thing is thought to have had before: Jeffreys."""
LEAST = 1e-3
"""Chances are kept this far from 0 and 1."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Impressions; shape (impressions,)."""

    thing: Whole
    """Code of what was shown: a product, or a product for a query."""
    position: Whole
    """From 0."""
    clicked: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted position-based model: chance of a click = chance of a look at the position × appeal of the thing."""

    propensity: Real
    """By position, the first is 1."""
    error: Real
    """Standard errors of the same."""
    shown: Whole
    """Impressions by position."""
    eta: float
    """Slope of the logarithms: propensity is about ``position ** -eta``."""
    likelihood: float
    """Mean log-likelihood of an impression with the curve."""
    flat: float
    """The same where every position is looked at alike: the curve is worth the difference."""


def fit(data: Shown, positions: int, *, rounds: int = 200, tolerance: float = 1e-5) -> Curve:
    """Expectation maximisation of the position-based model (Wang et al., WSDM 2018).

    Appeals have Jeffreys' prior, so that a thing shown once does not fit its one click; stronger priors flatten the
    curve (on the sample shop a mean error of .11 in place of .03).
    """
    cells = _Cells.of(data, positions)
    propensity: Real = np.arange(1, positions + 1, dtype=np.float64) ** -START
    appeal = np.full(cells.things, 0.5)
    for _ in range(rounds):
        before = propensity
        propensity, appeal = cells.step(propensity, appeal)
        propensity = propensity / propensity[0]
        if np.abs(propensity - before).max() < tolerance:
            break
    flat = np.full(positions, 1.0)
    _, even = cells.step(flat, np.full(cells.things, 0.5))
    shown = np.bincount(data.position, minlength=positions)
    looks = np.arange(1, positions + 1)
    known = shown > 0
    slope = np.polyfit(np.log(looks[known]), np.log(np.maximum(propensity[known], LEAST)), 1, w=np.sqrt(shown[known]))
    clicks = np.maximum(np.bincount(data.position[data.clicked], minlength=positions), 1)
    error = propensity * np.sqrt(1 / clicks + 1 / clicks[0])
    return Curve(
        propensity, error, shown, float(-slope[0]), cells.likelihood(propensity, appeal), cells.likelihood(flat, even)
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Impressions and clicks of each thing at each position: what the model needs, however long the log."""

    thing: Whole
    position: Whole
    shown: Real
    clicks: Real
    things: int
    positions: int

    @classmethod
    def of(cls, data: Shown, positions: int) -> _Cells:
        _, thing = np.unique(data.thing, return_inverse=True)
        key, cell = np.unique(thing * positions + data.position, return_inverse=True)
        shown = np.bincount(cell).astype(np.float64)
        clicks = np.bincount(cell, weights=data.clicked.astype(np.float64), minlength=len(key)).astype(np.float64)
        return cls(key // positions, key % positions, shown, clicks, int(thing.max(initial=-1)) + 1, positions)

    def step(self, propensity: Real, appeal: Real) -> tuple[Real, Real]:
        """One round: what was looked at and what appealed, given the clicks; then both anew."""
        look, want = propensity[self.position], appeal[self.thing]
        without = self.shown - self.clicks
        neither = np.maximum(1 - look * want, 1e-12)
        looked = self.clicks + without * look * (1 - want) / neither
        wanted = self.clicks + without * want * (1 - look) / neither
        total = self._sum(self.position, self.shown, self.positions)
        new = self._sum(self.position, looked, self.positions) / np.maximum(total, 1)
        own = self._sum(self.thing, wanted, self.things) + PRIOR
        appeal = own / (self._sum(self.thing, self.shown, self.things) + 2 * PRIOR)
        return np.clip(new, LEAST, 1.0), np.clip(appeal, LEAST, 1 - LEAST)

    def likelihood(self, propensity: Real, appeal: Real) -> float:
        chance = np.clip(propensity[self.position] * appeal[self.thing], 1e-9, 1 - 1e-9)
        total = self.clicks * np.log(chance) + (self.shown - self.clicks) * np.log1p(-chance)
        return float(total.sum() / max(self.shown.sum(), 1.0))

    @staticmethod
    def _sum(code: Whole, value: Real, size: int) -> Real:
        return np.bincount(code, weights=value, minlength=size).astype(np.float64)
