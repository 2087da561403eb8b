"""True and predicted labels in, counts for each class out, and the average over classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from mercer.errors import RequestError

__all__ = ["Average", "Counts", "averaged"]

Average = Literal["macro", "micro"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often a class was right, said and true."""

    right: int
    said: int
    true: int


def averaged(
    truth: Sequence[Hashable], predicted: Sequence[Hashable], *, average: Average, measure: Callable[[Counts], float]
) -> float:
    """Macro: the plain mean over every class seen in either sequence. Micro: over the pooled counts.

    Raises:
        RequestError: nothing to measure, sequences of different lengths, or an unknown average.
    """
    if not truth or len(truth) != len(predicted):
        raise RequestError(
            f"there are {len(truth)} true and {len(predicted)} predicted labels", cure="give one of each for each row"
        )
    if average not in ("macro", "micro"):
        raise RequestError(f"average is {average!r}", cure="give macro or micro")
    right = Counter(a for a, b in zip(truth, predicted, strict=True) if a == b)
    said, true = Counter(predicted), Counter(truth)
    if average == "micro":
        return measure(Counts(right.total(), said.total(), true.total()))
    classes = said.keys() | true.keys()
    return sum(measure(Counts(right[label], said[label], true[label])) for label in classes) / len(classes)
