"""A validation part and what products are in; systems with settings chosen there, to be fitted and compared, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mercer.learn.sequence_ranker import Reordered
    from mercer.recommend import RecommendSettings
    from mercer.retrieve.blend import Scorer
    from mercer.retrieve.contest import Chosen, ChosenPopular
    from mercer.retrieve.contest_blend import ChosenBlend
    from mercer.retrieve.contest_linear import ChosenLinear
    from mercer.retrieve.history import History
    from mercer.retrieve.holdout import Trial
    from mercer.retrieve.linear_features import Features

__all__ = ["STAGES", "Picked", "baselines", "pick", "systems"]

STAGES = 10
"""What `pick` ticks, at most."""
EASE = 25_000
"""Products up to which EASE is fitted: 7.5 GB."""
Fit = Callable[[Mapping[str, "Scorer"]], "Scorer"]
"""Given the systems before it."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Everything that validation decided."""

    knn: Chosen
    popular: ChosenPopular
    linear: ChosenLinear
    blend: ChosenBlend
    ranked: Reordered | None
    """None where LightGBM is not installed, or too few validation shoppers chose a candidate."""
    worth: Mapping[str, float]
    """nDCG@10 on validation shoppers by system."""
    seconds: Mapping[str, float]

    @property
    def best(self) -> str:
        """The system that validation prefers."""
        return max(self.worth, key=self.worth.__getitem__)

    def json(self) -> dict[str, Any]:
        """What was tried and chosen."""
        settings = asdict(self.popular.settings) | {"weight": self.popular.weight}
        return {
            "seconds": sum(self.seconds.values()),
            "seconds_by_part": dict(self.seconds),
            "item-knn": {"settings": asdict(self.knn.settings), "tried": list(self.knn.tried)},
            "popular": {"settings": settings, "tried": list(self.popular.tried)},
            "linear": {"settings": asdict(self.linear.settings), "tried": list(self.linear.tried)},
            "blend": {"settings": dict(self.blend.weights), "tried": list(self.blend.tried)},
            "validation": dict(self.worth),
            "best": self.best,
        }


def pick(
    validation: Trial, small: Trial, features: Features, *,
    timed: bool, again: bool, seed: int, tick: Callable[[], None],
) -> Picked:  # fmt: skip
    """Choose every system's settings, and the blend's weights, on the validation part alone.

    Args:
        validation: the whole part, which weights and trees learn from.
        small: some of its shoppers, on whom settings are compared.
        features: of its products.
        timed: whether there are true times.
        again: whether products that a shopper has had may be ranked.
        seed: of trees and parts.
        tick: called as work goes on, at most `STAGES` times.
    """
    from mercer.retrieve import contest, contest_linear
    from mercer.retrieve.contest_blend import choose_blend
    from mercer.retrieve.item_knn import ItemKnn
    from mercer.retrieve.popular import Popular

    spent: dict[str, float] = {}

    def clocked(name: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        found = call()
        spent[name] = time.perf_counter() - started
        tick()
        return found

    grid = {**contest.GRID, **(contest.TIMED if timed else {})}
    knn = clocked("item-knn", lambda: contest.choose_knn(small, grid=grid, again=again))
    near = ItemKnn.fit(small.train, knn.settings)
    lives = contest.HALF_LIVES if timed else (0.0,)
    beside = clocked("popular", lambda: contest.choose_popular(small, near, half_lives=lives, again=again))
    grid = {**contest_linear.GRID, **(contest_linear.TIMED if timed else {})}
    linear = clocked(
        "linear",
        lambda: contest_linear.choose_linear(small, features, grid=grid, again=again, tick=lambda _: tick()),
    )
    members: dict[str, Scorer] = {
        "linear": linear.fitted, "item-knn": near, "popular": Popular.fit(small.train, beside.settings),
    }  # fmt: skip
    blend = clocked("blend", lambda: choose_blend(validation, members, again=again))
    ranked, told = clocked("ranked", lambda: _ranked(validation, linear, near, features, again=again, seed=seed))
    worth = {"linear": blend.tried[0]["nDCG@10"], "blend": max(one["nDCG@10"] for one in blend.tried)}
    if ranked is not None:  # both by the same shoppers: what trees gain over the linear model
        worth["ranked"] = worth["linear"] + told["cross_validated"] - told["before"]
    return Picked(knn, beside, linear, blend, ranked, worth, spent)


def _ranked(
    validation: Trial, linear: ChosenLinear, near: Any, features: Features, *, again: bool, seed: int
) -> tuple[Reordered | None, Mapping[str, float]]:
    from mercer.errors import MissingExtra, RequestError
    from mercer.learn.sequence_ranker import fit_reordered
    from mercer.retrieve.clue import Clues

    if again:  # its candidates are new to the shopper
        return None, {}
    try:
        return fit_reordered(validation, Clues(validation.train, linear.fitted, near, features), seed=seed)
    except (MissingExtra, RequestError):
        return None, {}


def systems(
    history: History,
    picked: Picked,
    settings: RecommendSettings,
    features: Features,
    *,
    timed: bool,
    chosen_on: History,
) -> Mapping[str, Fit]:
    """How to fit each system, given those before it; what was chosen on the same history is not fitted twice."""
    from mercer.retrieve.blend import Blend
    from mercer.retrieve.item_knn import ItemKnn
    from mercer.retrieve.linear import Linear, LinearSettings
    from mercer.retrieve.popular import Popular, PopularSettings
    from mercer.retrieve.trending import Trending

    def live(before: Mapping[str, Scorer]) -> Scorer:
        lately = PopularSettings() if timed else PopularSettings(half_life=0)
        usual = before["linear"] if picked.linear.settings == LinearSettings() else Linear.fit(history, features)
        parts: dict[str, Scorer] = {"linear": usual, "popular": Popular.fit(history, lately)}
        if settings.home.get("behaviour"):
            parts["behaviour"] = ItemKnn.fit(history)
        if timed:
            parts["trending"] = Trending.fit(history)
        return Blend({name: (part, settings.home.get(name, 0.0)) for name, part in parts.items()})

    def blend(before: Mapping[str, Scorer]) -> Scorer:
        return picked.blend.blend({**before, "popular": Popular.fit(history, picked.popular.settings)})

    def ranked(before: Mapping[str, Scorer]) -> Scorer:
        from mercer.learn.sequence_ranker import Reordered
        from mercer.retrieve.clue import Clues

        assert picked.ranked is not None
        linear, near = before["linear"], before["item-knn"]
        assert isinstance(linear, Linear)
        assert isinstance(near, ItemKnn)
        return Reordered(Clues(history, linear, near, features), picked.ranked.booster, picked.ranked.settings)

    found: dict[str, Fit] = {"popular": lambda _: Popular.fit(history, PopularSettings(half_life=0))}
    if timed:
        found["popular last week"] = lambda _: Popular.fit(history, PopularSettings(half_life=0, window=7))
    found["item-knn"] = lambda _: ItemKnn.fit(history, picked.knn.settings)
    found["linear"] = lambda _: (
        picked.linear.fitted if chosen_on is history else Linear.fit(history, features, picked.linear.settings)
    )
    found["blend"] = blend
    if picked.ranked is not None:
        found["ranked"] = ranked
    found["live defaults"] = live
    return found


def baselines(history: History, *, seeds: int, minutes: float) -> Mapping[str, Fit]:
    """Published models, as published; one for each seed where there is randomness, and SASRec for so many minutes."""
    from mercer.learn.sasrec import SasRec, SasRecSettings
    from mercer.retrieve.baseline import Ease, Ials

    limited = SasRecSettings(minutes=minutes or 1)
    found: dict[str, Fit] = {}
    if len(history.products) <= EASE:
        found["EASE"] = lambda _: Ease.fit(history)
    for seed in range(1, seeds + 1):
        some = f" seed {seed}" if seeds > 1 else ""
        found["iALS" + some] = lambda _, seed=seed: Ials.fit(history, seed=seed)  # type: ignore[misc]
        if minutes:
            found["SASRec" + some] = lambda _, seed=seed: SasRec.fit(history, limited, seed=seed)  # type: ignore[misc]
    return found
