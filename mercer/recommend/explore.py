"""A ranked page in; the same, or with a product that few know at one place, and the chance of what is there, out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Explore", "Explored"]


@dataclass(frozen=True, slots=True)
class Explored:
    """A page's rows, and what chance had to do with it."""

    rows: NDArray[np.int64]
    propensity: Mapping[int, float]
    """Place on the page, from 0 → the chance that the row there is there; other places were sure."""
    new: int = -1
    """Place of the product that was drawn; -1 where none was."""


class Explore:
    """ε-greedy at one place: with chance ε a product drawn evenly from those that few know takes the place's own.

    The page is the best there is but for one place, and the chance of what stands there is known exactly: ε by the
    number of products drawn from, or 1 - ε for the place's own. Safe to call from several threads.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random, self._lock = np.random.default_rng(seed), threading.Lock()

    def __call__(self, rows: NDArray[np.int64], few: NDArray[np.int64], *, chance: float, place: int) -> Explored:
        """Maybe put one of `few` at a place of the page.

        Args:
            rows: of the page, in order.
            few: rows that few shoppers have found; those on the page already are not drawn.
            chance: ε, above 0.
            place: from 1; a shorter page is left as it is.
        """
        few = np.setdiff1d(few, rows)
        if len(rows) < place or not len(few):
            return Explored(rows, {})
        with self._lock:
            drawn = int(few[self._random.integers(len(few))]) if self._random.random() < chance else -1
        if drawn < 0:
            return Explored(rows, {place - 1: 1 - chance} if chance < 1 else {})
        changed = rows.copy()
        changed[place - 1] = drawn
        return Explored(changed, {place - 1: chance / len(few)}, place - 1)
