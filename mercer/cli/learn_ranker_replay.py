"""Later clicks on test queries in; whether trees order them better than the hybrid score, as a proof, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mercer.doors import Doors
    from mercer.doors.prove import Proof
    from mercer.learn.clicked import Looked
    from mercer.learn.settings import LearnSettings
    from mercer.rank.trees import Trees
    from mercer.records import Request
    from mercer.search.features import Features

__all__ = ["Replayed", "clicked_truth"]

LEAST = 2.0
"""Looks below which nothing is said of a product for a query."""


def clicked_truth(
    pages: Sequence[Looked], propensity: Sequence[float], actions: Sequence[float]
) -> dict[str, dict[str, float]]:
    """Query → product → worth of what was done by the looks that it had, the best of the query being 1."""
    looks: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    worth: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for page in pages:
        for product, position, action in zip(page.products, page.positions, page.actions, strict=True):
            chance = propensity[min(position, len(propensity)) - 1] if propensity else 1.0
            looks[page.query][product] += chance
            worth[page.query][product] += actions[action - 1] if action else 0.0
    found = {}
    for query, seen in looks.items():
        rates = {product: worth[query][product] / look for product, look in seen.items() if look >= LEAST}
        if best := max(rates.values(), default=0.0):
            found[query] = {product: rate / best for product, rate in rates.items()}
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    hits: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    id: str


class _Side:
    """Answers as open doors do, by the hybrid or by trees over features of that time."""

    def __init__(self, doors: Doors, features: Features, trees: Trees | None) -> None:
        self._doors, self._features, self._trees = doors, features, trees

    def search(self, request: Request, *, system: str) -> _Answer:
        import numpy as np

        del system
        known, answer = self._doors.searching.candidates(request)
        scores = answer.scored.scores
        if self._trees:
            scores = scores + self._trees(self._features(known, request, answer))
        order = np.argsort(-scores, kind="stable")[: request.k]
        return _Answer(tuple(_Hit(answer.ids[at]) for at in order.tolist()))


class Replayed:
    """A test over the index as it was, with the rates that there were before the tested clicks."""

    def __init__(self, doors: Doors, features: Features, truth: Mapping[str, Mapping[str, float]]) -> None:
        self._doors, self._features, self._truth = doors, features, truth

    def prove(self, trees: Trees, learning: LearnSettings) -> Proof:
        """The hybrid against the trees.

        Raises:
            DataError: no test query was clicked on.
        """
        from mercer.doors.prove import prove

        old, new = (_Side(self._doors, self._features, one) for one in (None, trees))
        return prove(
            old,  # type: ignore[arg-type]  # as much of doors as a proof asks
            new,  # type: ignore[arg-type]
            self._truth,
            systems=("hybrid",),
            worse=learning.worse,
            seed=learning.seed,
        )
