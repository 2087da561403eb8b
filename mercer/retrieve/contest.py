"""A trial and fitted retrievers in; full rankings, metrics and the settings that validation prefers out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mercer.measure.metric import RankingMetric, parse_all
from mercer.measure.recommended import Recommended, evaluate, top
from mercer.retrieve.blend import Blend, Scorer
from mercer.retrieve.history import History
from mercer.retrieve.holdout import Trial
from mercer.retrieve.item_knn import ItemKnn, ItemKnnSettings
from mercer.retrieve.popular import Popular, PopularSettings

__all__ = [
    "GRID",
    "HALF_LIVES",
    "TIMED",
    "Chosen",
    "ChosenPopular",
    "Ranked",
    "choose_knn",
    "choose_popular",
    "measure",
    "rank",
]

CELLS = 16_000_000
"""Scores held at once: 64 MB of float32."""
GRID: Mapping[str, tuple[float, ...]] = {
    "other": (0.1, 0.2, 0.35, 0.5),
    "fade": (3.0, 6.0, 1000.0),
    "backward": (0.25, 0.5, 1.0),
    "recency": (1.0, 1.5, 2.0, 3.0, 5.0, 1000.0),
}
"""Values of item-knn that are tried, one setting after another, each with the best of those before."""
TIMED: Mapping[str, tuple[float, ...]] = {"half_life": (0.0, 10.0, 20.0, 30.0, 90.0)}
"""Tried as well where there are true times."""
WEIGHTS = (0.02, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Weights of popularity beside item-knn's 1 that are tried."""
HALF_LIVES = (1.5, 3.0, 7.0, 14.0, 30.0)
"""Days after which popularity counts half that are tried where there are true times."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One system's rankings of the whole catalogue."""

    runs: dict[str, list[str]]
    milliseconds: float
    """Scoring and ranking, a shopper."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Settings that did best on validation, and everything that was tried."""

    settings: ItemKnnSettings
    tried: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ChosenPopular:
    """How popularity did best beside item-knn on validation, and everything that was tried."""

    settings: PopularSettings
    weight: float
    tried: tuple[Mapping[str, Any], ...]


def rank(scorer: Scorer, trial: Trial, *, depth: int, again: bool = False) -> Ranked:
    """Score every product for everyone; never a sample. A score of 0 is no recommendation.

    Args:
        scorer: fitted on `trial.train`.
        trial: who is asked for.
        depth: products kept of each ranking.
        again: whether products that a shopper has had may be ranked.
    """
    started, asked = time.perf_counter(), trial.asked
    names = np.array(scorer.products.names.to_pylist(), dtype=object)
    batch = max(1, CELLS // max(1, len(names)))
    runs: dict[str, list[str]] = {}
    for low in range(0, len(asked), batch):
        some = asked.rows(low, low + batch)
        scores = scorer.scores(some)
        scores = np.where(scores > 0, scores, -np.inf)
        if not again:
            known = some.product >= 0
            scores[some.owner()[known], some.product[known]] = -np.inf
        for place, row in enumerate(top(scores, k=depth)):
            runs[trial.shoppers[low + place]] = names[row[row >= 0]].tolist()
    spent = (time.perf_counter() - started) * 1000
    return Ranked(runs, spent / max(1, len(asked)))


def measure(ranked: Ranked, trial: Trial, metrics: Iterable[str]) -> Recommended:
    """Metrics by shopper over the whole catalogue."""
    catalogue = trial.train.products.names.to_pylist()
    return evaluate(ranked.runs, trial.chosen, metrics=parse_all(metrics), catalogue=catalogue)


def choose_knn(
    trial: Trial,
    *,
    start: ItemKnnSettings | None = None,
    grid: Mapping[str, Iterable[float]] = GRID,
    by: str = "nDCG@10",
    again: bool = False,
    tick: Callable[[str], None] | None = None,
) -> Chosen:
    """Search one setting after another for the best mean of one metric on a validation trial.

    Args:
        trial: of the part that may be looked at; the test is not.
        start: where the search begins.
        grid: setting → values to try.
        by: the metric to raise.
        again: as in `rank`.
        tick: told each setting's name before it is searched.
    """
    (metric,) = parse_all([by])
    settings = start or ItemKnnSettings()
    fitted = ItemKnn.fit(trial.train, settings)
    value = _mean(fitted, trial, metric, again=again)
    tried: list[Mapping[str, Any]] = [asdict(settings) | {by: value}]
    for name, values in grid.items():
        if tick:
            tick(name)
        for other in values:
            if other == getattr(settings, name):
                continue
            change: dict[str, Any] = {name: other}
            candidate = replace(settings, **change)
            found = _refitted(fitted, candidate, name, trial.train)
            reached = _mean(found, trial, metric, again=again)
            tried.append(asdict(candidate) | {by: reached})
            if reached > value:
                fitted, value = found, reached
        settings = fitted.settings
    return Chosen(settings, tuple(tried))


def choose_popular(
    trial: Trial, knn: Scorer, *, half_lives: Iterable[float], by: str = "nDCG@10", again: bool = False
) -> ChosenPopular:
    """The half-life of popularity, and then its weight beside item-knn, with the best mean on a validation trial."""
    (metric,) = parse_all([by])
    tried: list[Mapping[str, Any]] = []

    def reached(popular: Popular, weight: float) -> float:
        blend = Blend({"behaviour": (knn, 1.0), "popular": (popular, weight)})
        value = _mean(blend, trial, metric, again=again)
        tried.append({"half_life": popular.settings.half_life, "weight": weight, by: value})
        return value

    fitted = [Popular.fit(trial.train, PopularSettings(half_life=days)) for days in half_lives]
    best = max(fitted, key=lambda popular: reached(popular, 0.1)) if len(fitted) > 1 else fitted[0]
    weight = max(WEIGHTS, key=lambda weight: reached(best, weight))
    return ChosenPopular(best.settings, weight, tuple(tried))


def _refitted(fitted: ItemKnn, settings: ItemKnnSettings, changed: str, history: History) -> ItemKnn:
    """Counting again is needed unless only the asking side changed."""
    if changed == "recency":
        return ItemKnn(fitted.products, fitted.neighbours, settings, fitted.usual)
    return ItemKnn.fit(history, settings)


def _mean(fitted: Scorer, trial: Trial, metric: RankingMetric, *, again: bool) -> float:
    truth = {shopper: dict.fromkeys(products, 1.0) for shopper, products in trial.chosen.items()}
    return metric(rank(fitted, trial, depth=metric.k or 100, again=again).runs, truth).mean
