"""True and predicted labels in, the share of what is true that was found out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from mercer.measure.classify.confusion import Average, averaged


def recall(truth: Sequence[Hashable], predicted: Sequence[Hashable], *, average: Average = "macro") -> float:
    """Right by true; 0 for a class that is never true.

    >>> recall(["a", "a", "b"], ["a", "b", "b"])
    0.75
    """
    return averaged(truth, predicted, average=average, measure=lambda c: c.right / c.true if c.true else 0.0)
