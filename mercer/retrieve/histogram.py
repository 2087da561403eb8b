"""Numbers in; how many lie between which round edges, as a shopper can read them, out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["histogram"]

BARS = 6
"""That nine tenths of the numbers fall into where they lie close together; the others go below and above."""
CLOSE = 10.0
"""Largest by smallest of those up to which bars are equally wide; numbers further apart have 1, 2, 5, 10 …"""
NARROWEST = 0.01
"""A cent: the least width of a bar."""


def histogram(values: NDArray[np.float64]) -> dict[str, int]:
    """Counts by "low-high", low included and high not, in rising order; NaN is left out, and so are empty bars.

    "20-" has no upper end, and "-0" is what lies below 0. The edges depend on the numbers alone.

    >>> import numpy as np
    >>> histogram(np.array([12.0, 13, 17, 19, 22, 28])), histogram(np.array([0.5, 3.0, 4.0, 700.0]))
    ({'10-15': 2, '15-20': 2, '20-25': 1, '25-30': 1}, {'0-1': 1, '2-5': 2, '500-1000': 1})
    """
    import numpy as np

    known = values[~np.isnan(values)]
    if not len(known):
        return {}
    edges = _edges(*np.quantile(known, (0.05, 0.95), method="nearest").tolist())
    places, times = np.unique(np.searchsorted(edges, known, side="right"), return_counts=True)
    names = ["", *map(_said, edges), ""]
    return {
        f"{names[place]}-{names[place + 1]}": count
        for place, count in zip(places.tolist(), times.tolist(), strict=True)
    }


def _edges(low: float, high: float) -> list[float]:
    """Round numbers from 0 on, among them some between `low` and `high`."""
    step = _round((high - low) / BARS) if 0 < low <= high <= CLOSE * low else 0.0
    if not NARROWEST <= step < math.inf:
        return [0.0, *(step * 10.0**power for power in range(7) for step in (1, 2, 5))]
    places = range(math.floor(low / step), math.ceil(high / step) + 1)
    return [*dict.fromkeys((0.0, *(round(step * place, 6) for place in places)))]


def _round(least: float) -> float:
    """The least of 1, 2, 5, 10 … (and .5, .2, .1 …) that is not below; 0 for 0."""
    if not 0 < least < math.inf:
        return 0.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def _said(edge: float) -> str:
    return f"{edge:.6f}".rstrip("0").rstrip(".")
