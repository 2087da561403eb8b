"""Scores and what a query wishes in; the same scores with one more part for each wish out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mercer.rank.hybrid import Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["wished"]


def wished(scored: Scored, wishes: Iterable[tuple[str, NDArray[np.bool_], float]]) -> Scored:
    """Add points to the products that meet a wish; the others have no line of it in their ledger.

    Args:
        scored: of n products; its parts are kept.
        wishes: signal, which products meet it (n,), and points, below 0 where it is unwelcome. Wishes of one signal
            add up.
    """
    import numpy as np

    parts, values = dict(scored.parts), dict(scored.values)
    nothing, unknown = np.zeros(len(scored.scores)), np.full(len(scored.scores), np.nan)
    for signal, met, points in wishes:
        if points and met.any():
            parts[signal] = parts.get(signal, nothing) + np.where(met, points, 0.0)
            values[signal] = np.where(met, 1.0, values.get(signal, unknown))
    return Scored(np.sum(list(parts.values()), axis=0), parts, values)
