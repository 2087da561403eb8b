"""Drift: what is the same is left alone however often it is asked, what changed is found with its size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mercer.errors import MissingExtra
from mercer.watch.change import Change, Histogram, binned, centres, kinds, numbers, told_apart
from mercer.watch.drift import Question, drifts, worst
from mercer.watch.drift_answers import Features, features, scores
from mercer.watch.drift_catalogue import compared as catalogue
from mercer.watch.drift_queries import compared as queries
from mercer.watch.drift_queries import words
from mercer.watch.traffic import Traffic

TITLES = [f"oak board {n}" for n in range(300)] + [f"咖啡壶 {n} 号" for n in range(300)]


ORDER = np.random.default_rng(4).permutation(600).tolist()
"""Odd and even numbers end in other digits, which a classifier sees: halves are taken by chance."""


def row(number: int, **changes: object) -> dict[str, object]:
    usual = {
        "id": f"p{number}", "title": TITLES[number], "description": "", "brand": f"b{number % 5}", "image": "x.png",
        "category": f"Home {number % 4} > Cups", "price": 5.0 + number % 40, "stock": 3, "rating": None,
        "list_price": None, "rating_count": None,
    }  # fmt: skip
    return {**usual, **changes}


def test_numbers_kinds_and_bins_see_a_shift_and_its_size() -> None:
    rng = np.random.default_rng(4)
    before = rng.normal(0, 1, 2000)
    same, moved = rng.normal(0, 1, 2000), rng.normal(1, 1, 2000)
    assert numbers(before, same).size < 0.03
    assert numbers(before, moved).level > 0.25
    assert binned(Histogram.of(before), moved).size == pytest.approx(numbers(before, moved).size, rel=0.05)
    assert binned(Histogram.of(before), np.full(100, np.nan)).level > 1, "what is not known any more is a change"
    assert kinds(["a"] * 50 + ["b"] * 50, ["a"] * 90 + ["b"] * 10).p < 1e-6
    assert numbers([], moved) == Change(0.0, "psi", 1.0, 0, 2000)
    assert kinds([], ["a"]).p == 1.0


def test_bins_of_a_few_values_and_their_order() -> None:
    held = Histogram.of([0.0] * 90 + [1.0] * 10)
    assert binned(held, [0.0] * 90 + [1.0] * 10).size == pytest.approx(0.0, abs=1e-6)
    assert binned(held, [0.0] * 10 + [1.0] * 90).size > 1


def test_the_centre_of_vectors_is_held_against_chance() -> None:
    rng = np.random.default_rng(4)
    before = rng.normal(0, 1, (200, 16))
    assert centres(before, rng.normal(0, 1, (200, 16))).size < 0.05
    moved = centres(before, rng.normal(0, 1, (200, 16)) + 0.5)
    assert moved.size == pytest.approx(0.45, abs=0.1)
    assert moved.p < 0.01


def test_a_classifier_tells_texts_apart() -> None:
    pytest.importorskip("sklearn")
    assert told_apart(TITLES[:300], TITLES[300:]).size > 0.95
    same = told_apart([TITLES[n] for n in ORDER[:300]], [TITLES[n] for n in ORDER[300:]])
    assert same.size < 0.6
    assert 0.4 < told_apart(TITLES, TITLES).size < 0.6, "the same texts on both sides are no news, and no riddle"
    assert told_apart(["a"], ["b"]).p == 1.0


def test_many_comparisons_without_a_change_raise_nothing() -> None:
    rng = np.random.default_rng(4)

    def ask() -> Change:
        return numbers(rng.normal(0, 1, 300), rng.normal(0, 1, 300))

    found, _ = drifts([Question("features", str(n), ask) for n in range(120)], significance=0.01)
    assert min(one.change.p for one in found) < 0.03, "some p is small by chance"
    assert [one for one in found if one.severity != "none"] == []
    assert worst(found, window=5)[0].value == 0.0


def test_a_small_change_that_is_sure_is_still_small() -> None:
    found, _ = drifts([Question("scores", "x", lambda: Change(0.03, "psi", 1e-30, 10**6, 10**6))], significance=0.01)
    assert found[0].severity == "low"
    assert worst(found, window=5)[0].evidence == {"compared": 1, "changed": {"x": 0.03}}


def test_what_is_not_installed_is_skipped() -> None:
    def ask() -> Change:
        raise MissingExtra("scikit-learn", extra="quality")

    found, skipped = drifts([Question("queries", "letters", ask)], significance=0.01)
    assert (found, skipped[0].what) == ([], "letters")


def test_queries_that_change_are_found_and_others_not() -> None:
    pytest.importorskip("sklearn")
    before = ["oak board", "咖啡壶", "board 7", "号"] * 60
    other = ["gaming chair", "显卡", "ps5", "board 7"] * 60
    calm, _ = drifts(queries(before, before, known=TITLES, empty=([], [])), significance=0.01)
    assert {one.severity for one in calm} == {"none"}
    loud, _ = drifts(queries(before, other, known=TITLES, empty=([False] * 90, [True] * 90)), significance=0.01)
    high = {one.what for one in loud if one.severity == "high"}
    assert {"unknown words", "which queries", "zero results"} <= high
    assert words("Oak-board 连衣裙") == ["oak", "board", "连衣", "衣裙"]


def test_a_catalogue_that_changes_is_found() -> None:
    pytest.importorskip("sklearn")
    before = [row(n) for n in ORDER[:300]]
    calm, _ = drifts(catalogue(before, [row(n) for n in ORDER[300:]]), significance=0.01)
    assert {one.what for one in calm if one.severity in ("medium", "high")} == set()
    dear = [row(n, price=900.0, brand=None) for n in ORDER[300:]]
    loud, _ = drifts(
        catalogue(before, dear, vectors=lambda rows: np.ones((len(rows), 2), np.float32) * len(str(rows[0]["price"]))),
        significance=0.01,
    )
    high = {one.what for one in loud if one.severity == "high"}
    assert {"price", "brand missing"} <= high


def test_features_are_held_against_before_and_training(made: Callable[..., Traffic]) -> None:
    rng = np.random.default_rng(4)

    def told(shift: float) -> Traffic:
        busy = made(1, 200, appeal=[0.1])
        for place in range(len(busy.features)):
            busy.features[place] = np.array([rng.normal(shift), 1.0]).tobytes()
        return busy

    how = Features(("moves", "stays"), np.frombuffer, {"moves": Histogram.of(rng.normal(0, 1, 500))})
    asked = [*features(told(0.0), told(2.0), how, most=1000), *scores(told(0.0), told(0.0), most=1000)]
    found, _ = drifts(asked, significance=0.01)
    severe = {(one.group, one.what): one.severity for one in found}
    assert severe["features", "moves"] == severe["training", "moves"] == "high"
    assert {severe["features", "stays"], *(s for (group, _), s in severe.items() if group == "scores")} == {"none"}
    quiet = list(features(told(0.0), made(1, 5, appeal=[0.1]), how, most=10))
    assert quiet == [], "nothing was told of the latest"
