"""Scores of all products in, the best few as Candidates out; what of a request a retriever starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mercer.measure.recommended import top
from mercer.records import Candidate, Request
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["best", "past"]


def best(scores: NDArray[np.float64], products: Vocabulary, k: int, *, without: str = "") -> list[Candidate]:
    """At most k products with a score above 0, best first; equal scores in the order of their ids.

    `without` is the id of a product that is not to be among them.
    """
    if k < 1 or not len(scores):
        return []
    usable = np.where(scores > 0, scores, -np.inf)
    if without and (code := products.code(without)) >= 0:
        usable[code] = -np.inf
    ranked = top(usable[None, :], k=k)[0]
    ranked = ranked[ranked >= 0]
    return [Candidate(id, float(scores[code])) for id, code in zip(products.take(ranked), ranked, strict=True)]


def past(request: Request, products: Vocabulary) -> Sequences:
    """The item that is looked at, where the request names one; else what the shopper did lately."""
    if request.item:
        return Sequences.one(products.codes([request.item]))
    return Sequences.one(products.codes(request.shopper.products), request.shopper.times)
