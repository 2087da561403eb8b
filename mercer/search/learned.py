"""Candidates in the hybrid's order in; the order that a trained ranker gives them, and why, out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mercer.rank.feature import packed
from mercer.rank.hybrid import Scored
from mercer.rank.ranker import learnt, told
from mercer.rank.trees import Trees
from mercer.records import Request
from mercer.search.features import Features
from mercer.search.find import Found
from mercer.understand.query import Understood

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Learned", "Studied", "answered"]


@dataclass(frozen=True, slots=True)
class Studied:
    """The products that belong to an answer, best first, with what a ranker is told of each."""

    found: Found
    order: NDArray[np.int64]
    features: NDArray[np.float64]
    """(candidates, features), NaN below the cut."""
    hybrid: NDArray[np.float64]
    """Scores before the trees, (candidates,)."""

    def packed(self, place: int) -> bytes:
        """What was told of the product at a place of `found`, for the log; empty of one that a rule put there."""
        return packed(float(self.hybrid[place]), self.features[place]) if place < len(self.features) else b""


def answered(found: Found, order: NDArray[np.int64]) -> Found:
    """The products at these places alone: what a ranker is asked about, in serving and in training."""
    scored = Scored(
        found.scored.scores[order],
        {name: part[order] for name, part in found.scored.parts.items()},
        {name: value[order] for name, value in found.scored.values.items()},
    )
    return replace(found, ids=[found.ids[place] for place in order], rows=found.rows[order], scored=scored)


class Learned:
    """The stage between the hybrid score and a cross-encoder. Safe to call from several threads."""

    def __init__(self, features: Features, trees: Trees) -> None:
        self.features, self.trees = features, trees

    def __call__(self, known: Understood, request: Request, found: Found, order: NDArray[np.int64]) -> Studied:
        """What belongs to the answer stays the same; its order is by the new scores, equal ones by id."""
        answer = answered(found, order)
        matrix = self.features(known, request, answer)
        features, added = np.full((len(found.ids), matrix.shape[1]), np.nan), np.zeros(len(found.ids))
        features[order], added[order] = matrix, self.trees(matrix)
        scored = learnt(found.scored, added)
        order = order[np.lexsort((np.array(answer.ids), -scored.scores[order]))]
        return Studied(replace(found, scored=scored), order, features, found.scored.scores)

    def told(self, studied: Studied, found: Found, shown: NDArray[np.int64]) -> Found:
        """`found` (of later stages) with a line for each signal in the ledgers of what is shown."""
        judged = shown[shown < len(studied.features)]  # what a rule pinned beside them comes after
        return replace(found, scored=told(found.scored, judged, studied.features, self.trees))
