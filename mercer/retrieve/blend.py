"""Scores of several retrievers in, one calibrated score a product, as the sum of weighted parts, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mercer.records import Candidate, Request
from mercer.retrieve.candidates import best, past
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Blend", "Scorer", "saturated"]


class Scorer(Protocol):
    """A retriever that can score every product for many shoppers at once."""

    products: Vocabulary

    @property
    def usual(self) -> float:
        """The score that counts as half of the most in a blend."""

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Shape (shoppers, products); 0 where it has nothing to say."""


def saturated(scores: NDArray[np.floating], usual: float) -> NDArray[np.floating]:
    """Any scale as 0..1, where `usual` is one half: order is kept, and no signal outshouts the others; below 0 is 0.

    >>> saturated(np.array([0.0, 2.0, 6.0]), 2.0).tolist()
    [0.0, 0.5, 0.75]
    """
    above = np.maximum(scores, 0)
    shares: NDArray[np.floating] = above / (above + max(usual, 1e-12))
    return shares


class Blend:
    """Weighted sum of saturated scores, as the door works them out, for measuring in bulk."""

    def __init__(self, parts: Mapping[str, tuple[Scorer, float]]) -> None:
        self.parts = parts
        self.products = next(iter(parts.values()))[0].products

    @property
    def usual(self) -> float:
        """Half of the most that the parts can give."""
        return sum(weight for _, weight in self.parts.values()) / 2

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Every product for every shopper, shape (shoppers, products)."""
        total = np.zeros((len(sequences), len(self.products)), dtype=np.float32)
        for scorer, weight in self.parts.values():
            total += np.float32(weight) * saturated(scorer.scores(sequences), scorer.usual).astype(np.float32)
        return total

    def __call__(self, request: Request, k: int) -> list[Candidate]:
        """The best of the sum for one request."""
        return best(self.scores(past(request, self.products))[0].astype(np.float64), self.products, k)
