"""Ranked lists with features and gains in; boosted trees on top of the hybrid score, no larger than they prove, out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import DataError
from mercer.learn.ranker_settings import RankerSettings
from mercer.rank.feature import FEATURES, NAMES
from mercer.rank.trees import Trees, lightgbm

__all__ = ["Fitted", "RankList", "fit"]

Real = NDArray[np.float64]
DEEP = 10
"""Places that nDCG looks at."""
LEVELS = 31
"""Most different gains that LightGBM takes."""


@dataclass(frozen=True, slots=True)
class RankList:
    """The products of one answer, and how right each is."""

    group: str
    """Lists of one group are never on two sides of a split."""
    features: Real
    """(n, features), see `rank.feature`."""
    hybrid: Real
    """(n,): the score that the trees are grown on top of."""
    gains: Real
    """(n,): 0 to 1."""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trees, and how they came to be."""

    trees: Trees
    rounds: int
    scale: float
    curve: tuple[float, ...]
    """Mean nDCG@10 of lists that took no part, by the number of trees; the first is that of the hybrid alone."""
    importance: Mapping[str, float]
    """Feature → what it gained in all splits, as a share."""
    lists: int
    seconds: float

    @property
    def start(self) -> float:
        """nDCG@10 of the hybrid score alone, over the folds."""
        return self.curve[0]

    @property
    def best(self) -> float:
        """The same with as many trees as there are."""
        return self.curve[self.rounds]


Tick = Callable[[int, int], None]


def fit(
    lists: Sequence[RankList], settings: RankerSettings | None = None, *, seed: int, tick: Tick | None = None
) -> Fitted:
    """Grow LambdaMART (Burges 2010) on top of the hybrid score.

    The hybrid score, times a scale at which its differences best say which of two products is right, is where the
    trees start. How many there are is chosen by cross-validation over groups, none being one of the choices: with
    few labels there are few trees, or none, and the order stays as it was.

    Args:
        lists: a list whose gains are all the same teaches nothing and is left out.
        settings: see there.
        seed: of folds and trees.
        tick: told which of how many rounds of growing is done.

    Raises:
        DataError: fewer groups than folds that tell right from wrong.
        MissingExtra: LightGBM is not installed.
    """
    settings, started = settings or RankerSettings(), time.monotonic()
    told = [one for one in lists if len(one.gains) > 1 and np.ptp(one.gains) > 0 and one.weight > 0]
    groups = sorted({one.group for one in told})
    if len(groups) < settings.folds:
        raise DataError(
            f"{len(groups)} queries tell right from wrong, fewer than {settings.folds}", cure="judge more queries"
        )
    levels = _levels(told)
    scale = _scale(told)
    drawn = np.random.default_rng([seed, 11]).permutation(len(groups))
    fold_of = {groups[at]: number % settings.folds for number, at in enumerate(drawn)}
    curves = []
    for fold in range(settings.folds):
        inside = [one for one in told if fold_of[one.group] != fold]
        outside = [one for one in told if fold_of[one.group] == fold]
        curves.append(_curve(inside, outside, levels, scale, settings, seed=seed))
        if tick is not None:
            tick(fold + 1, settings.folds + 1)
    curve = _joint(curves)
    rounds = _chosen(curve)
    booster = _grown(told, levels, scale, settings, seed=seed, rounds=max(rounds, 1))
    text = booster.model_to_string(num_iteration=max(rounds, 1))
    gained = booster.feature_importance("gain", iteration=max(rounds, 1)).astype(np.float64)
    shares = gained / max(gained.sum(), 1e-12)
    importance = {name: round(float(share), 5) for name, share in zip(NAMES, shares, strict=True) if share}
    if tick is not None:
        tick(settings.folds + 1, settings.folds + 1)
    seconds = time.monotonic() - started
    ordered = dict(sorted(importance.items(), key=lambda item: -item[1]))
    return Fitted(Trees.of(text, scale), rounds, scale, tuple(curve.tolist()), ordered, len(told), seconds)


def _chosen(curve: Real) -> int:
    """The fewest trees within a tenth of the best gain: the top of a noisy curve is where luck was."""
    gained = curve.max() - curve[0]
    return 0 if gained <= 0 else int(np.argmax(curve >= curve[0] + 0.9 * gained))


def _levels(lists: Sequence[RankList]) -> Real:
    """Different gains, rising; at most LEVELS, the others count as the nearest."""
    every = np.unique(np.concatenate([np.round(one.gains, 4) for one in lists]))
    return every if len(every) <= LEVELS else np.unique(np.round(np.linspace(every[0], every[-1], LEVELS), 4))


def _scale(lists: Sequence[RankList]) -> float:
    """By what a difference of hybrid scores is multiplied to be the log-odds that it is the right way round."""
    from scipy.optimize import minimize_scalar

    apart, weight = [], []
    for one in lists:
        best = np.argsort(-one.gains, kind="stable")[: 2 * DEEP]
        gap = one.gains[best][:, None] - one.gains[None, :]
        above, below = np.nonzero(gap > 0)
        if len(above):
            apart.append((one.hybrid[best][:, None] - one.hybrid[None, :])[above, below])
            weight.append(gap[above, below] * (one.weight / gap[above, below].sum()))
    difference, counts = np.concatenate(apart), np.concatenate(weight)

    def cost(power: float) -> float:
        return float((counts * np.logaddexp(0, -math.exp(power) * difference)).sum())

    found = minimize_scalar(cost, bounds=(0.0, 5.0), method="bounded")
    return float(math.exp(found.x))


def _curve(
    inside: Sequence[RankList], outside: Sequence[RankList], levels: Real, scale: float, settings: RankerSettings,
    *, seed: int,
) -> list[tuple[float, float]]:  # fmt: skip
    """(sum of nDCG@10 by weight, weight) of the lists outside, after each number of trees from 0."""
    booster = _grown(inside, levels, scale, settings, seed=seed, rounds=settings.rounds)
    judge, rows = _Judge(outside), np.concatenate([one.features for one in outside])
    scores = scale * np.concatenate([one.hybrid for one in outside])
    found = [judge(scores)]
    best, since = found[0], 0
    for number in range(booster.num_trees()):
        scores = scores + booster.predict(rows, start_iteration=number, num_iteration=1, num_threads=1)
        found.append(judge(scores))
        best, since = (found[-1], 0) if found[-1] > best else (best, since + 1)
        if since >= settings.patience:
            break
    return [(value, judge.weight) for value in found]


class _Judge:
    """Lists laid out side by side once; mean nDCG@10 by weight of any scores, equal ones in the order given."""

    def __init__(self, lists: Sequence[RankList]) -> None:
        lengths = [len(one.gains) for one in lists]
        self._row = np.repeat(np.arange(len(lists)), lengths)
        self._column = np.concatenate([np.arange(length) for length in lengths])
        self._shape = (len(lists), max(lengths))
        self._gains = np.zeros(self._shape)
        self._gains[self._row, self._column] = np.concatenate([one.gains for one in lists])
        self._weights = np.array([one.weight for one in lists])
        self.weight = float(self._weights.sum())
        self._discount = 1 / np.log2(np.arange(2, min(DEEP, self._shape[1]) + 2))
        self._ideal = np.maximum(self._discounted(np.sort(self._gains, axis=1)[:, ::-1]), 1e-12)

    def __call__(self, scores: Real) -> float:
        key = np.full(self._shape, np.inf)
        key[self._row, self._column] = -scores
        order = np.argsort(key, axis=1, kind="stable")[:, :DEEP]
        values = self._discounted(np.take_along_axis(self._gains, order, axis=1)) / self._ideal
        return float((self._weights * values).sum() / self.weight)

    def _discounted(self, gains: Real) -> Real:
        found: Real = gains[:, : len(self._discount)] @ self._discount
        return found


def _joint(curves: Sequence[Sequence[tuple[float, float]]]) -> Real:
    """One curve of several folds; one that ended early stays where it was best."""
    longest = max(map(len, curves))
    rows, weights = [], []
    for curve in curves:
        values = [value for value, _ in curve]
        rows.append(values + [values[-1]] * (longest - len(values)))
        weights.append(curve[0][1])
    return np.average(np.array(rows), axis=0, weights=weights)


def _grown(
    lists: Sequence[RankList], levels: Real, scale: float, settings: RankerSettings, *, seed: int, rounds: int
) -> Any:  # fmt: skip
    """A booster of `rounds` trees."""
    package = lightgbm()
    data = package.Dataset(
        np.concatenate([one.features for one in lists]),
        label=np.abs(levels[:, None] - np.concatenate([one.gains for one in lists])).argmin(axis=0),
        group=[len(one.gains) for one in lists],
        weight=np.concatenate([np.full(len(one.gains), one.weight) for one in lists]),
        init_score=scale * np.concatenate([one.hybrid for one in lists]),
        feature_name=list(NAMES),
        free_raw_data=False,
    )
    held = [feature.better if settings.monotone else 0 for feature in FEATURES]
    chosen = {
        "objective": "lambdarank",
        "label_gain": (levels / max(levels.max(), 1e-9)).tolist(),
        "lambdarank_truncation_level": settings.deep,
        "num_leaves": settings.leaves,
        "learning_rate": settings.lr,
        "min_data_in_leaf": settings.least_leaf,
        "min_sum_hessian_in_leaf": settings.least_weight,
        "lambda_l2": settings.penalty,
        "feature_fraction": settings.columns,
        "bagging_fraction": settings.rows,
        "bagging_freq": 1,
        "bagging_by_query": True,
        "monotone_constraints": held,
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    return package.train(chosen, data, num_boost_round=rounds)
