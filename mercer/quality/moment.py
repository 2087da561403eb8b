"""Moments of rows and which side of a split they are on in; where the split is, and what was known when, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["border", "known_then", "misplaced"]


def border(moments: NDArray[np.float64], learned: NDArray[np.bool_]) -> float:
    """The moment that parts learned from held-out rows with the fewest rows on the wrong side.

    >>> border(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, True, False, False]))
    2.0
    """
    order = np.argsort(moments, kind="stable")
    side, sorted_moments = learned[order], moments[order]
    wrong = (side.sum() - np.cumsum(side)) + np.cumsum(~side)  # learned from after here, held out up to here
    last = np.append(sorted_moments[1:] != sorted_moments[:-1], True)  # rows of one moment stay together
    places = np.flatnonzero(last)
    return float(sorted_moments[places[wrong[places].argmin()]])


def misplaced(moments: NDArray[np.float64], learned: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], float]:
    """Rows on the wrong side of the best `border`, and their share of the smaller side (a split by chance: about 1)."""
    cut = border(moments, learned)
    wrong = np.where(learned, moments > cut, moments <= cut)
    return wrong, float(wrong.sum() / max(1, min(learned.sum(), (~learned).sum())))


def known_then(
    codes: NDArray[np.int64], moments: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Number and sum of `values` in earlier rows with the same code; rows of the same moment do not count."""
    order = np.lexsort((moments, codes))
    code, moment, value = codes[order], moments[order], values[order]
    place = np.arange(len(order))
    new_code = np.append(True, code[1:] != code[:-1])
    new_run = new_code | np.append(True, moment[1:] != moment[:-1])
    start = np.maximum.accumulate(np.where(new_code, place, 0))
    run = np.maximum.accumulate(np.where(new_run, place, 0))
    before = np.concatenate([[0.0], np.cumsum(value)])
    counts, sums = np.empty(len(order)), np.empty(len(order))
    counts[order] = run - start
    sums[order] = before[run] - before[start]
    return counts, sums
