"""True and predicted labels in, the share of what was said that is right out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from mercer.measure.classify.confusion import Average, averaged


def precision(truth: Sequence[Hashable], predicted: Sequence[Hashable], *, average: Average = "macro") -> float:
    """Right by said; 0 for a class that was never said.

    >>> precision(["a", "a", "b"], ["a", "b", "b"])
    0.75
    """
    return averaged(truth, predicted, average=average, measure=lambda c: c.right / c.said if c.said else 0.0)
