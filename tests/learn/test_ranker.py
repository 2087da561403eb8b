"""Growing trees: what helps is found, what does not help leaves the hybrid's order, one query proves nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from mercer.errors import DataError, SettingsError
from mercer.learn.ranker import RankList, fit
from mercer.learn.ranker_card import hash_of, reference
from mercer.learn.ranker_settings import RankerSettings
from mercer.rank.feature import NAMES

QUICK: dict[str, Any] = {"rounds": 40, "folds": 3, "patience": 10, "least_leaf": 5, "columns": 1.0}


def lists(many: int, *, useful: bool, seed: int = 1) -> list[RankList]:
    """Each with 20 products; the hybrid score is right half of the time, the click rate always, or never."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(many):
        gains = (rng.random(20) < 0.25).astype(float)
        features = rng.normal(size=(20, len(NAMES)))
        if useful:
            features[:, NAMES.index("click_rate")] = gains + rng.normal(0, 0.3, 20)
        features[rng.random(features.shape) < 0.1] = np.nan
        hybrid = 0.3 * gains + rng.normal(0, 0.3, 20)
        found.append(RankList(f"q{number}", features, hybrid, gains))
    return found


def test_what_helps_is_found_and_named() -> None:
    fitted = fit(lists(60, useful=True), RankerSettings(**QUICK), seed=7)
    assert fitted.rounds > 0
    assert fitted.best > fitted.start + 0.1
    assert next(iter(fitted.importance)) == "click_rate"
    assert sum(fitted.importance.values()) == pytest.approx(1, abs=0.01)
    again = fit(lists(60, useful=True), RankerSettings(**QUICK), seed=7)
    assert again.trees.name == fitted.trees.name, "the same data and seed give the same trees"


def test_what_training_was_like_is_kept_of_what_would_be_shown() -> None:
    held = lists(60, useful=True)
    fitted = fit(held, RankerSettings(**QUICK), seed=7)
    kept = reference(held, fitted)
    assert list(kept) == list(NAMES)
    assert {sum(row["counts"]) for row in kept.values()} == {600}, "ten of each list"
    median = kept["click_rate"]["edges"][4]
    place = NAMES.index("click_rate")
    assert median > np.nanmedian(np.concatenate([one.features[:, place] for one in held])), (
        "the first are the better ones"
    )


def test_noise_and_few_labels_leave_the_order_almost_as_it_was() -> None:
    fitted = fit(lists(8, useful=False), RankerSettings(**QUICK | {"least_leaf": 40}), seed=7)
    assert fitted.best >= fitted.start
    fresh = lists(40, useful=False, seed=9)
    moved = [np.abs(fitted.trees(one.features)).max() if fitted.rounds else 0.0 for one in fresh]
    assert max(moved) < 0.35, "less than one deviation of the hybrid score"


def test_a_known_direction_is_kept_to() -> None:
    wrong = [
        RankList(one.group, np.where(np.arange(len(NAMES)) == NAMES.index("click_rate"), -one.features, one.features),
                 one.hybrid, one.gains)
        for one in lists(60, useful=True)
    ]  # fmt: skip
    fitted = fit(wrong, RankerSettings(**QUICK), seed=7)
    assert fitted.importance.get("click_rate", 0.0) == 0.0, "more clicks can only help"
    free = fit(wrong, RankerSettings(**QUICK, monotone=False), seed=7)
    assert free.importance["click_rate"] > 0.3


def test_too_few_queries_are_refused_and_so_are_settings_that_cannot_be() -> None:
    with pytest.raises(DataError, match="2 queries"):
        fit(lists(2, useful=True), RankerSettings(**QUICK), seed=7)
    same = [RankList("q", one.features, one.hybrid, np.ones(20)) for one in lists(9, useful=True)]
    with pytest.raises(DataError, match="0 queries"):
        fit(same, RankerSettings(**QUICK), seed=7)
    for given in ({"leaves": 1}, {"lr": 0}, {"actions": (0.4, 2.0, 1.0)}, {"actions": (1.0,)}):
        with pytest.raises(SettingsError, match=r"learn\.ranker"):
            RankerSettings(**given)  # type: ignore[arg-type]


def test_data_are_named_by_their_content() -> None:
    one, other = lists(3, useful=True), lists(3, useful=True)
    assert hash_of(one) == hash_of(other)
    other[0].gains[0] += 0.5
    assert hash_of(one) != hash_of(other)


def clicked(chances: np.ndarray, *, corrected: bool) -> list[RankList]:
    """Pages of an old shop that shows the most popular first; relevance hangs on something else, looks on the place."""
    from mercer.learn.clicked import Looked, click_weights
    from mercer.records import Shopper

    rng = np.random.default_rng(4)
    found = []
    for number in range(50):
        right = rng.normal(size=12)
        features = np.full((12, len(NAMES)), np.nan)
        features[:, NAMES.index("popular")] = -np.sort(-rng.normal(size=12))
        features[:, NAMES.index("title_words")] = right
        for _ in range(8):
            done = (rng.random(12) < chances) & (rng.random(12) < 1 / (1 + np.exp(-2 * right)))
            page = Looked("q", Shopper(""), "", 0, tuple("abcdefghijkl"), tuple(range(1, 13)), tuple(done.astype(int)))
            curve = tuple(chances.tolist()) if corrected else ()
            for place, weight in click_weights(page, curve, (0.4, 0.7, 1.0), clip=10):
                gains = (np.arange(12) == place).astype(float)
                found.append(RankList(f"q{number}", features, np.zeros(12), gains, weight))
    return found


def test_clicks_by_the_chance_of_their_place_find_what_is_right() -> None:
    """Naive trees learn that what stood at the top is right; corrected ones do not."""
    chances, rng = np.arange(1, 13) ** -1.0, np.random.default_rng(5)
    settings = RankerSettings(**QUICK | {"rounds": 25})
    naive, corrected = (fit(clicked(chances, corrected=how), settings, seed=7).trees for how in (False, True))
    features = np.full((400, len(NAMES)), np.nan)
    features[:, NAMES.index("popular")], right = rng.normal(size=400), rng.normal(size=400)
    features[:, NAMES.index("title_words")] = right
    agreed = [np.corrcoef(trees(features), right)[0, 1] for trees in (naive, corrected)]
    assert agreed[1] > agreed[0] + 0.05, agreed
    assert agreed[1] > 0.85
