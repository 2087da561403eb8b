"""Slates of more or less attractive products in, what was clicked out: a position-based model read from the top."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ETA", "click", "propensity"]

Real = NDArray[np.float64]

ETA = 0.7
"""Steepness of the position bias; published click logs lie between 0.5 and 1."""


def propensity(positions: int) -> Real:
    """Chance that position 1, 2, … is looked at: ``position ** -ETA``.

    >>> propensity(3).round(2).tolist()
    [1.0, 0.62, 0.46]
    """
    return np.arange(1, positions + 1, dtype=np.float64) ** -ETA


def click(attraction: Real, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(n, positions) chances of a click once seen → what was clicked.

    A shopper reads from the top and stops once (cascade): one draw a page decides how deep. So the chance to see
    position j is exactly ``propensity(j)`` whatever stands there, and a click is seen and attracted (the
    position-based model of Richardson et al. 2007).
    """
    depth = rng.random((len(attraction), 1))
    seen = propensity(attraction.shape[1])[None, :] >= depth
    result: NDArray[np.bool_] = seen & (rng.random(attraction.shape) < attraction)
    return result
