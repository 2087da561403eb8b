"""A validation trial and fitted members in; the weights of their blend that it prefers out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.measure.metric import parse_all
from mercer.measure.recommended import top
from mercer.retrieve.blend import Blend, Scorer, saturated
from mercer.retrieve.holdout import Trial

__all__ = ["ChosenBlend", "choose_blend"]

WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5)
"""Tried for each member beside the first one's 1."""
DEPTH = 100
"""Best products of each member that a blend is worked out for while weights are searched."""
CELLS = 60_000_000
"""Scores of one member held at once: 240 MB of float32."""


@dataclass(frozen=True, slots=True)
class ChosenBlend:
    """Weights that did best on validation, and everything that was tried."""

    weights: Mapping[str, float]
    tried: tuple[Mapping[str, Any], ...]

    def blend(self, members: Mapping[str, Scorer]) -> Blend:
        """Those that weigh something."""
        return Blend({name: (members[name], weight) for name, weight in self.weights.items() if weight})


def choose_blend(
    trial: Trial,
    members: Mapping[str, Scorer],
    *,
    weights: Iterable[float] = WEIGHTS,
    rounds: int = 2,
    by: str = "nDCG@10",
    again: bool = False,
) -> ChosenBlend:
    """Search one member's weight after another; the first member weighs 1.

    Args:
        trial: of the part that may be looked at; the test is not.
        members: name → fitted on `trial.train`.
        weights: to try.
        rounds: how often all members are gone through.
        by: the metric to raise.
        again: whether products that a shopper has had may be ranked.
    """
    (metric,) = parse_all([by])
    trial = trial.sample(max(1, CELLS // max(1, len(trial.train.products))), seed=0)
    truth = {shopper: dict.fromkeys(products, 1.0) for shopper, products in trial.chosen.items()}
    codes, parts = _candidates(trial, members, again=again)
    names = np.array(trial.train.products.names.to_pylist(), dtype=object)
    tried: list[Mapping[str, Any]] = []

    def reached(chosen: Mapping[str, float]) -> float:
        total = sum(np.float32(weight) * parts[name] for name, weight in chosen.items())
        places = top(np.where((codes >= 0) & (total > 0), total, -np.inf), k=metric.k or DEPTH)
        runs = {
            shopper: names[codes[row, found[found >= 0]]].tolist()
            for row, (shopper, found) in enumerate(zip(trial.shoppers, places, strict=True))
        }
        value = metric(runs, truth).mean
        tried.append({**chosen, by: value})
        return value

    first, *others = members
    chosen = {first: 1.0, **dict.fromkeys(others, 0.0)}
    value = reached(chosen)
    for _ in range(rounds):
        before = dict(chosen)
        for name in others:
            for weight in weights:
                if weight != chosen[name] and (now := reached({**chosen, name: weight})) > value:
                    value, best = now, weight
                    before[name] = best
            chosen[name] = before[name]
    return ChosenBlend(chosen, tuple(tried))


def _candidates(
    trial: Trial, members: Mapping[str, Scorer], *, again: bool
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float32]]]:
    """Codes of the best of any member, -1 beyond, shape (shoppers, candidates), and each member's saturated scores."""
    asked = trial.asked
    known = asked.product >= 0
    had = asked.owner()[known], asked.product[known]
    whole, best = {}, []
    for name, member in members.items():
        scores = saturated(member.scores(asked), member.usual).astype(np.float32)
        if not again:
            scores[had] = 0
        whole[name] = scores
        best.append(top(np.where(scores > 0, scores, -np.inf), k=DEPTH))
    codes = np.sort(np.concatenate(best, axis=1), axis=1)
    codes[:, 1:][codes[:, 1:] == codes[:, :-1]] = -1
    rows = np.arange(len(codes))[:, None]
    return codes, {name: scores[rows, np.maximum(codes, 0)] for name, scores in whole.items()}
