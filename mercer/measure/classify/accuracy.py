"""True and predicted labels in, the share of rows that are right out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from mercer.measure.classify.confusion import averaged


def accuracy(truth: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """Right rows by all rows.

    >>> accuracy([1, 0, 1, 1], [1, 1, 1, 1])
    0.75
    """
    return averaged(truth, predicted, average="micro", measure=lambda c: c.right / c.true)
