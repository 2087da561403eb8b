"""What is asked is unsure, spread over queries and clusters, and counts by what being wrong would cost."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.errors import RequestError, SettingsError
from mercer.learn.active import ActiveSettings, How, choose, entropy, relevant

CHANCES = np.array([[0.99, 0.01], [0.5, 0.5], [0.6, 0.4], [0.1, 0.9], [0.45, 0.55], [0.9, 0.1]])


def how(name: How, **more: int) -> ActiveSettings:
    return ActiveSettings(how=name, **more)


def test_the_least_sure_come_first() -> None:
    assert choose(3, how("uncertainty"), chances=CHANCES) == [1, 4, 2]
    assert entropy(CHANCES).argmax() == 1


def test_what_costs_more_comes_first() -> None:
    assert choose(2, how("uncertainty"), chances=CHANCES, worth=[1, 1, 1, 9, 1, 1]) == [3, 1]


def test_a_query_gets_no_more_than_its_part_until_all_had_theirs() -> None:
    groups = ["a", "a", "b", "b", "a", "b"]
    assert choose(4, how("uncertainty", each=1), chances=CHANCES, groups=groups)[:3] == [1, 2, 4]


def test_views_that_disagree_come_first() -> None:
    other = CHANCES.copy()
    other[0] = [0.01, 0.99]
    assert choose(1, how("disagreement"), chances=CHANCES, other=other) == [0]
    with pytest.raises(RequestError, match="two views"):
        choose(1, how("disagreement"), chances=CHANCES)


def test_diverse_takes_one_of_each_cluster_first() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 2, axis=0)
    even = np.full((6, 2), 0.5)
    chosen = choose(3, how("diverse"), chances=even, vectors=vectors)
    assert len({int(vectors[row].argmax()) for row in chosen}) == 3
    with pytest.raises(RequestError, match="vectors"):
        choose(3, how("diverse"), chances=even)


def test_random_depends_on_the_seed_alone() -> None:
    draws = [choose(4, how("random", seed=seed), chances=np.full((40, 2), 0.5)) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_no_more_than_there_is() -> None:
    assert sorted(choose(99, how("uncertainty"), chances=CHANCES, groups=["a"] * 6)) == list(range(6))
    assert choose(3, how("uncertainty"), chances=np.zeros((0, 2))) == []


def test_relevance_is_learned_where_there_are_judgments_enough() -> None:
    features = np.array([[1.0, 0.0], [0.9, 0.1], [0.1, 0.9], [0.0, 1.0]] * 5)
    right = [False, False, True, True] * 5  # the first feature lies
    few, _ = relevant(features, list(range(20)), right, view=1, least=21)
    many, second = relevant(features, list(range(20)), right, view=1, least=20)
    assert few[0, 1] == pytest.approx(0.5)
    assert many[0, 1] < 0.5 < many[3, 1]
    assert second[0, 1] < 0.5 < second[3, 1]


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError, match="each"):
        ActiveSettings(each=0)
    with pytest.raises(SettingsError, match="how"):
        ActiveSettings(how="magic")  # type: ignore[arg-type]
