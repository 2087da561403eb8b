"""A validation trial and what products are in; the linear model with the settings that validation prefers out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from mercer.measure.metric import parse_all
from mercer.retrieve.contest import rank
from mercer.retrieve.holdout import Trial
from mercer.retrieve.linear import Linear, LinearSettings
from mercer.retrieve.linear_features import Features
from mercer.retrieve.linear_pairs import count_pairs, latest

__all__ = ["GRID", "TIMED", "ChosenLinear", "choose_linear"]

GRID: Mapping[str, tuple[float, ...]] = {
    "words": (2.0, 5.0),
    "tags": (10.0, 20.0),
    "ridge": (100.0, 200.0),
    "recency": (1.5, 2.0, 3.0, 5.0),
}
"""Values that are tried, one setting after another, each with the best of those before: few, as each is a solution."""
TIMED: Mapping[str, tuple[float, ...]] = {"half_life": (10.0, 30.0, 90.0)}
"""Tried as well where there are true times."""
COUNTED = ("mix", "past", "future", "half_life", "longest")
"""Settings that pairs have to be counted again for."""


@dataclass(frozen=True, slots=True)
class ChosenLinear:
    """The model that did best on validation, fitted on what comes before it, and everything that was tried."""

    fitted: Linear
    tried: tuple[Mapping[str, Any], ...]
    seconds: float
    """What fitting it once takes: counting pairs and solving."""

    @property
    def settings(self) -> LinearSettings:
        return self.fitted.settings


def choose_linear(
    trial: Trial,
    features: Features,
    *,
    start: LinearSettings | None = None,
    grid: Mapping[str, Iterable[float]] = GRID,
    by: str = "nDCG@10",
    again: bool = False,
    tick: Callable[[str], None] | None = None,
) -> ChosenLinear:
    """Search one setting after another for the best mean of one metric on a validation trial.

    Args:
        trial: of the part that may be looked at; the test is not.
        features: of `trial.train.products`; a kind that nobody has is not searched.
        start: where the search begins.
        grid: setting → values to try.
        by: the metric to raise.
        again: whether products that a shopper has had may be ranked.
        tick: told each setting's name before it is searched.
    """
    (metric,) = parse_all([by])
    truth = {shopper: dict.fromkeys(products, 1.0) for shopper, products in trial.chosen.items()}
    tried: list[Mapping[str, Any]] = []

    def reached(fitted: Linear) -> float:
        value = metric(rank(fitted, trial, depth=metric.k or 100, again=again).runs, truth).mean
        tried.append(asdict(fitted.settings) | {by: value})
        return value

    fitting = _Fitting(trial, features)
    best = fitting(start or LinearSettings())
    value = reached(best)
    for name, values in grid.items():
        if tick:
            tick(name)
        if name in ("tags", "words") and not getattr(features, name).shape[1]:
            continue
        settings = best.settings
        for other in values:
            if other != getattr(settings, name):
                change: dict[str, Any] = {name: other}
                found = fitting(replace(settings, **change), like=best if name == "recency" else None)
                now = reached(found)
                if now > value:
                    best, value = found, now
    return ChosenLinear(best, tuple(tried), fitting.counting + fitting.solving)


class _Fitting:
    """Fits one configuration after another, counting pairs only where their settings change."""

    def __init__(self, trial: Trial, features: Features) -> None:
        self._trial, self._features = trial, features
        self._counted: tuple[Any, Any, Any] | None = None
        self.counting = self.solving = 0.0
        """Seconds that the last counting and the last solution took."""

    def __call__(self, settings: LinearSettings, *, like: Linear | None = None) -> Linear:
        """Solve again, unless only the asking side differs from `like`."""
        history = self._trial.train
        if like is not None:
            return Linear(like.products, like.neighbours, settings, like.usual)
        key = tuple(getattr(settings, name) for name in COUNTED)
        if self._counted is None or self._counted[0] != key:
            started = time.perf_counter()
            wanted = latest(history.wanted(), settings.longest)
            weight = settings.faded(wanted, history.end)
            counts = count_pairs(wanted, weight, mix=settings.mix, past=settings.past, future=settings.future)
            self._counted = key, counts, wanted
            self.counting = time.perf_counter() - started
        _, counts, wanted = self._counted
        started = time.perf_counter()
        fitted = Linear.solve(history.products, counts, self._features, settings=settings, wanted=wanted)
        self.solving = time.perf_counter() - started
        return fitted
