"""A ranked page in; the same, or with a product that few know at one place, and the chance of what is there, out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Explore", "Explored", "thompson"]

PRIOR = (1.0, 19.0)
"""Beta distribution of a rate nothing is known of: one look in twenty leads to something. A guess."""
GRID = 1024
"""Rates at which densities are compared."""
EVEN = 0.1
"""Share of the chance that all products have evenly."""


@dataclass(frozen=True, slots=True)
class Explored:
    """A page's rows, and what chance had to do with it."""

    rows: NDArray[np.int64]
    propensity: Mapping[int, float]
    """Place on the page, from 0 → the chance that the row there is there; other places were sure."""
    new: int = -1
    """Place of the product that was drawn; -1 where none was."""


class Explore:
    """With chance ε, a product drawn from those that few know takes one place of the page.

    The page is the best there is but for one place, and the chance of what stands there is known exactly: ε by the
    chance to be drawn, or 1 - ε for the place's own. Safe to call from several threads.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random, self._lock = np.random.default_rng(seed), threading.Lock()

    def __call__(
        self,
        rows: NDArray[np.int64],
        few: NDArray[np.int64],
        *,
        chance: float,
        place: int,
        chances: Callable[[NDArray[np.int64]], NDArray[np.float64]] | None = None,
    ) -> Explored:
        """Maybe put one of `few` at a place of the page.

        Args:
            rows: of the page, in order.
            few: rows that few shoppers have found; those on the page already are not drawn.
            chance: ε, above 0.
            place: from 1; a shorter page is left as it is.
            chances: rows → the chance of each to be drawn, all above 0; None draws evenly.
        """
        few = np.setdiff1d(few, rows)
        if len(rows) < place or not len(few):
            return Explored(rows, {})
        with self._lock:
            explores, dice = self._random.random() < chance, self._random.random()
        if not explores:
            return Explored(rows, {place - 1: 1 - chance} if chance < 1 else {})
        each = np.full(len(few), 1 / len(few)) if chances is None else chances(few)
        at = min(int(np.searchsorted(np.cumsum(each) / each.sum(), dice, side="right")), len(few) - 1)
        changed = rows.copy()
        changed[place - 1] = few[at]
        return Explored(changed, {place - 1: chance * float(each[at] / each.sum())}, place - 1)


def thompson(shown: NDArray[np.int64], acted: NDArray[np.int64], *, even: float = EVEN) -> NDArray[np.float64]:
    """The chance of each product to have the highest rate, if rates are drawn from what is known of them, (n,).

    That is what Thompson sampling (1933) would draw it with. It is worked out instead of being played, so that it can
    be logged: each rate has a Beta distribution, ∫ f_i Π F_j over a grid, products with equal counts together. `even`
    of the chance is shared out evenly, so that no product's is 0 and a log can be reweighed to any other policy.

    Args:
        shown: (n,) how often each was shown.
        acted: (n,) how often something was done with it then.
        even: see above, 0 to 1.
    """
    from scipy.special import betainc, betaln

    size = len(shown)
    pairs, kind, many = np.unique(np.stack([shown, acted]), axis=1, return_inverse=True, return_counts=True)
    good, bad = PRIOR[0] + pairs[1][:, None], PRIOR[1] + np.maximum(pairs[0] - pairs[1], 0)[:, None]
    grid = np.linspace(1e-6, 1 - 1e-6, GRID) ** 2  # finer where rates are small
    below = np.maximum(betainc(good, bad, grid), 1e-300)
    density = np.exp((good - 1) * np.log(grid) + (bad - 1) * np.log1p(-grid) - betaln(good, bad))
    others = many @ np.log(below) - np.log(below)  # every product but one of this kind
    best = np.trapezoid(density * np.exp(others), grid, axis=1)[kind.reshape(-1)]
    total = float(best.sum())
    share = best / total if total > 0 else np.full(size, 1 / size)
    chances: NDArray[np.float64] = (1 - even) * share + even / size
    return chances
