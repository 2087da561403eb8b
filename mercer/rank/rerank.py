"""Scores, their order and a reranker in; new scores of the first products, with one more part, out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mercer.rank.hybrid import HybridSettings, Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.rank.reranker import Reranker

__all__ = ["Rerank", "reranked"]

REMEMBERED = 1024
"""Answers kept, so that the next page of one has the order that the first page was cut from: 50 numbers each."""


class Rerank:
    """The last stage of ranking: asks a reranker within the budget. Safe to call from several threads."""

    def __init__(self, reranker: Reranker, settings: HybridSettings) -> None:
        self._reranker = reranker
        self._settings = settings.closed()
        self._known: OrderedDict[tuple[str, int], NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(
        self, query: str, passages: Sequence[str], scored: Scored, order: NDArray[np.int64]
    ) -> tuple[Scored, NDArray[np.int64], str]:
        """New scores, new order, and "" or what was left out; `passages` are those of the first of `order`."""
        relevance = self._relevance(query, passages)
        done, many, settings = len(relevance), len(passages), self._settings
        said = "" if done == many else f"reranked {done} of {many} products in {settings.rerank_budget:g} ms"
        return *reranked(scored, order, relevance, weight=settings.rerank_weight), said

    def _relevance(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        key = (query, hash(tuple(passages)))
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        relevance = self._reranker(query, passages, budget=self._settings.rerank_budget)
        with self._lock:
            kept = self._known.setdefault(key, relevance)  # two threads at once: both answer alike
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return kept


def reranked(
    scored: Scored, order: NDArray[np.int64], relevance: NDArray[np.float32], *, weight: float
) -> tuple[Scored, NDArray[np.int64]]:
    """The first m products anew by score and relevance; the rest keep score and place, below them.

    With the score f of the last of the m, a product of score s and relevance r gets

        f + (1 - weight) * (s - f) + weight * r

    which is never below f; the part of signal ``reranker`` is what that adds to s, weight * (r - (s - f)).

    Args:
        scored: of the first stage; its parts are kept.
        order: places in `scored` of what belongs to the answer, best first.
        relevance: (m,), 0 to 1, of the first m of them.
        weight: of relevance against the first stage's score, 0 to 1.
    """
    import numpy as np

    many = len(relevance)
    if not many:
        return scored, order
    first = order[:many]
    above = scored.scores[first] - scored.scores[first].min()
    said, part = np.full(len(scored.scores), np.nan), np.zeros(len(scored.scores))
    said[first] = relevance
    part[first] = weight * (relevance - above)
    parts, values = scored.parts | {"reranker": part}, scored.values | {"reranker": said}
    scores = scored.scores + part
    height = (1 - weight) * above + weight * relevance  # as `scores`, but equal ones are equal to the last bit
    best = first[np.argsort(-height, kind="stable")]  # and stay as the first stage had them
    return Scored(scores, parts, values), np.concatenate([best, order[many:]])
