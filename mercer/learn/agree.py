"""Graded pairs, and how well query and product fit by something that never saw a grade, in; whether both agree out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mercer.errors import GateBlocked
from mercer.learn.pairs.pair import gains_of
from mercer.quality.relevance import words

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Agreement", "agreement", "by_words", "require_agreement"]

FEWEST = 8
"""Queries with different gains below which nothing is said."""
ERRORS = 3.0
"""Standard errors that the mean must lie below chance."""
CHANCE, MOST = 0.5, 0.48
"""Of grades that mean nothing, half agree; above the second, many queries alone make the difference certain."""

Fit = Callable[[str, Sequence[str]], NDArray[np.float64]]
"""A query and product ids in; how well each fits out."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often the product of the higher gain fits its query better; equals count half."""

    share: float
    """Mean over queries of the share of pairs of products; NaN without a query."""
    error: float
    """Its standard error."""
    queries: int
    """With products of different gains."""

    @property
    def inverted(self) -> bool:
        """Whether gains are, beyond doubt, the wrong way round."""
        return self.queries >= FEWEST and self.share < min(MOST, CHANCE - ERRORS * self.error)


def agreement(pairs: pa.Table, fit: Fit) -> Agreement:
    """Of `pairs.schema()` rows, how gains and `fit` agree within each query (a concordance, as Kendall's tau)."""
    shares = []
    for query, known in gains_of(pairs).items():
        gains = np.array(list(known.values()))
        if gains.min() < gains.max():
            said = fit(query, list(known))
            higher = gains[:, None] > gains[None, :]
            shares.append(float(((np.sign(said[:, None] - said[None, :])[higher] + 1) / 2).mean()))
    if len(shares) < 2:
        return Agreement(shares[0] if shares else math.nan, math.inf, len(shares))
    return Agreement(float(np.mean(shares)), float(np.std(shares, ddof=1) / math.sqrt(len(shares))), len(shares))


def by_words(pairs: pa.Table) -> Fit:
    """The share of a query's words that stand in a product's text, rare ones counting more."""
    held = {
        id: set(words(text)) for id, text in zip(pairs["product"].to_pylist(), pairs["text"].to_pylist(), strict=True)
    }
    having = Counter(word for found in held.values() for word in found)

    def fit(query: str, ids: Sequence[str]) -> NDArray[np.float64]:
        asked = {word: math.log(1 + len(held) / (1 + having[word])) for word in words(query)}
        return np.array([sum(rarity for word, rarity in asked.items() if word in held[id]) for id in ids])

    return fit


def require_agreement(found: Agreement, *, by: str, override: str) -> list[str]:
    """Stand in the way of gains that are the wrong way round; what was found comes back as notes.

    The held-out queries of a proof come from the same source: they would call a model that learned it better.

    Raises:
        GateBlocked: they are, and `override` is "".
    """
    if found.queries < FEWEST:
        return []
    told = f"in {found.share:.1%} of {found.queries} queries' judged pairs the higher grade fits better by {by}"
    if found.inverted and not override:
        raise GateBlocked(
            f"grades look the wrong way round: {told}, chance is 50 %",
            cure='give a higher grade to what fits better, mend [learn] gains, or give --override "why"',
        )
    return [told]
