"""True and predicted labels in, the harmonic mean of precision and recall out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from mercer.measure.classify.confusion import Average, averaged


def f1(truth: Sequence[Hashable], predicted: Sequence[Hashable], *, average: Average = "macro") -> float:
    """2 · right / (said + true); macro is the mean of the classes' F1, not the F1 of their means.

    >>> round(f1(["a", "a", "b"], ["a", "b", "b"]), 4)
    0.6667
    """
    return averaged(truth, predicted, average=average, measure=lambda c: 2 * c.right / (c.said + c.true))
