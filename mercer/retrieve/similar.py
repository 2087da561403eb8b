"""A product in; products of like content, together with those that shoppers turn to from it, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.records import Candidate, Filter, Request
from mercer.retrieve.index import Index
from mercer.retrieve.item_knn import ItemKnn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Similar", "SimilarSettings"]


@dataclass(frozen=True, slots=True)
class SimilarSettings:
    """How content and behaviour share the score."""

    pool: int = 200
    """Content neighbours asked of the index; the answer's depth, whatever k."""
    usual: float = 4.0
    """Standard deviations above a chance cosine that count as half of the most. A guess, to be settled by issue 6."""
    behaviour: float = 0.5
    """Weight of item-knn beside content (1)."""

    def __post_init__(self) -> None:
        if not 1 <= self.pool <= 10_000 or not 0 < self.usual <= 100 or not 0 <= self.behaviour <= 10:
            raise SettingsError(
                f"similar has pool {self.pool}, usual {self.usual}, behaviour {self.behaviour}",
                cure="give pool from 1 to 10000, usual above 0 and behaviour from 0 to 10",
            )


class Similar:
    """Content neighbours through the index, blended with item-knn; a product without events works by content alone."""

    def __init__(self, index: Index, knn: ItemKnn | None, settings: SimilarSettings | None = None) -> None:
        self.index, self.knn, self.settings = index, knn, settings or SimilarSettings()
        self._chance: tuple[int, NDArray[np.float32]] | None = None

    def near(self, vector: NDArray[np.float32], *, filters: Sequence[Filter] = ()) -> list[Candidate]:
        """Products nearest to a vector; the score is in standard deviations above a chance cosine, 0 at least.

        An encoder whose cosines are compressed gives the same scale as any other.
        """
        chance = self._background() @ vector
        middle, spread = (float(chance.mean()), max(float(chance.std()), 1e-3)) if len(chance) > 1 else (0.0, 0.1)
        found = self.index.dense(vector, self.settings.pool, filters=filters)
        return [Candidate(c.id, max(0.0, (c.score - middle) / spread)) for c in found]

    def __call__(self, request: Request, k: int) -> list[Candidate]:
        """Neighbours of `request.item`, or else of the shopper's last product; nothing where neither is known."""
        item = request.item or next(iter(request.shopper.products[::-1]), "")
        scores: dict[str, float] = {}
        if item in self.index.columns.row:
            for near in self.near(self.index.vectors([item])[0], filters=request.filters):
                scores[near.id] = near.score / (near.score + self.settings.usual)
        if self.knn and item:
            for near in self.knn(Request(scene="similar", item=item), self.settings.pool):
                part = self.settings.behaviour * near.score / (near.score + self.knn.usual)
                scores[near.id] = scores.get(near.id, 0.0) + part
        scores.pop(item, None)
        ordered = sorted(((id, score) for id, score in scores.items() if score > 0), key=lambda one: (-one[1], one[0]))
        return [Candidate(id, score) for id, score in ordered[:k]]

    def _background(self) -> NDArray[np.float32]:
        """Vectors of chance products, taken again when the catalogue has changed by a twentieth."""
        size = len(self.index.columns.row)
        if self._chance is None or abs(size - self._chance[0]) * 20 > self._chance[0]:
            self._chance = (size, self.index.background())
        return self._chance[1]
