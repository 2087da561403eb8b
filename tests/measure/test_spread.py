"""Coverage, concentration, novelty, popularity bias, diversity, calibration and slices, each against a case by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.errors import RequestError
from mercer.measure.spread import spread

COUNTS = {"a": 8, "b": 4, "c": 1, "d": 0}
TAGS = {"a": {"red", "cup"}, "b": {"red", "pot"}, "c": {"blue", "lamp"}, "d": {"red", "cup"}}


def test_numbers_by_hand() -> None:
    runs = {"x": ["a", "b", "c"], "y": ["a", "d"], "z": ["b"]}
    chosen = {"x": ["c"], "y": ["a"], "z": ["d"], "nobody": []}
    past = {"x": ["b", "a", "b"], "y": ["b"]}
    found = spread(runs, chosen, counts=COUNTS, past=past, tags=TAGS, k=2)
    assert found.coverage == 3 / 4
    assert found.cold == 1 / 5, "d, of a b a d b"
    place = {"d": 0.0, "c": 1 / 3, "b": 2 / 3, "a": 1.0}
    assert found.popularity == pytest.approx(np.mean([place[p] for p in "abadb"]))
    assert found.popularity_bias == pytest.approx(found.popularity - np.mean([place[p] for p in "cad"]))
    assert found.novelty == pytest.approx(np.mean([-np.log2((COUNTS[p] + 1) / 9) for p in "abadb"]))
    assert found.gini == pytest.approx((-3 * 0 - 1 * 1 + 1 * 2 + 3 * 2) / (4 * 5)), "showings 0 1 2 2"
    assert found.diversity == pytest.approx(np.mean([1 - 1 / 3, 0.0])), "a and b share one tag of three; a and d all"
    slices = found.slices
    assert [slices[name].shoppers for name in list(slices)[:3]] == [1, 1, 1]
    assert [slices[name].hit for name in list(slices)[:3]] == [0.0, 1.0, 0.0], "z, y, x: c stands third"
    assert slices["product nobody had"].hit == 0.0
    assert slices["product 5 or fewer had"].shoppers == 1
    assert slices["product more had"].hit == 1.0


def test_a_page_of_the_same_mix_is_calibrated() -> None:
    same = spread({"x": ["a", "b"]}, {"x": ["c"]}, counts=COUNTS, past={"x": ["a", "b"]}, tags=TAGS)
    other = spread({"x": ["c"]}, {"x": ["c"]}, counts=COUNTS, past={"x": ["a", "b"]}, tags=TAGS)
    assert same.miscalibration == pytest.approx(0, abs=1e-6)
    assert other.miscalibration == pytest.approx(1)


def test_even_showings_are_equal_and_one_product_is_not() -> None:
    people = [f"s{n}" for n in range(4)]
    chosen = {who: ["a"] for who in people}
    even = spread({who: [product] for who, product in zip(people, COUNTS, strict=True)}, chosen, counts=COUNTS, past={})
    one = spread(chosen, chosen, counts=COUNTS, past={})
    assert even.gini == pytest.approx(0)
    assert one.gini == pytest.approx(3 / 4)
    assert even.diversity is even.miscalibration is None
    assert one.popularity_bias == pytest.approx(0)
    assert one.json()["slices"]["product nobody had"]["hit"] is None


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(RequestError, match="nothing was chosen"):
        spread({"x": ["a"]}, {"x": []}, counts=COUNTS, past={})
    with pytest.raises(RequestError, match="empty"):
        spread({"x": ["a"]}, {"x": ["a"]}, counts={}, past={})
    assert spread({}, {"x": ["a"]}, counts=COUNTS, past={}).coverage == 0
