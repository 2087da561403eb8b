"""What every ranking metric promises, run on every member of the family."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import RequestError
from mercer.measure.metric import Metric, known, parse

PRODUCTS = [f"p{number}" for number in range(10)]
MEMBERS = [f"{name}{cut}" for name in known() for cut in ("", "@3", "@10")]
rankings = st.lists(st.sampled_from(PRODUCTS), max_size=14)  # with repeats
grades = st.dictionaries(st.sampled_from(PRODUCTS), st.floats(-1, 3), min_size=1)
worlds = st.dictionaries(st.text(min_size=1, max_size=2), st.tuples(rankings, grades), min_size=1, max_size=5)


@pytest.fixture(params=MEMBERS)
def metric(request: pytest.FixtureRequest) -> Metric:
    return parse(request.param)


def quick(test):  # type: ignore[no-untyped-def]
    from hypothesis import HealthCheck

    return settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])(test)


def test_family_is_whole() -> None:
    assert set(known()) >= {"nDCG", "Recall", "Precision", "F1", "MRR", "MAP", "HR"}


@quick
@given(world=worlds)
def test_bounded_and_one_value_for_each_judged_query(metric: Metric, world: dict) -> None:
    truth = {query: judged for query, (_, judged) in world.items()}
    scores = metric({query: ranking for query, (ranking, _) in world.items()}, truth)
    assert list(scores) == list(truth)
    assert all(0.0 <= value <= 1.0 for value in scores.values())
    assert 0.0 <= scores.mean <= 1.0


@quick
@given(world=worlds, data=st.data())
def test_order_of_queries_does_not_matter(metric: Metric, world: dict, data: st.DataObject) -> None:
    truth = {query: judged for query, (_, judged) in world.items()}
    runs = {query: ranking for query, (ranking, _) in world.items()}
    turned = data.draw(st.permutations(list(world)))
    again = metric({query: runs[query] for query in reversed(turned)}, {query: truth[query] for query in turned})
    assert dict(again) == dict(metric(runs, truth))


@quick
@given(judged=grades)
def test_no_ranking_beats_the_perfect_one(metric: Metric, judged: dict) -> None:
    best = sorted(judged, key=lambda product: -judged[product])
    perfect = metric({"q": best}, {"q": judged})["q"]
    for other in (best[::-1], PRODUCTS, PRODUCTS[::-1]):
        assert metric({"q": other[: len(best)]}, {"q": judged})["q"] <= perfect + 1e-12


def test_perfect_ranking_of_as_many_as_fit_is_one(metric: Metric) -> None:
    relevant = PRODUCTS[:3] if metric.name.endswith("@3") else PRODUCTS
    assert metric({"q": relevant}, {"q": dict.fromkeys(relevant, 2.0)})["q"] == pytest.approx(1.0)


@quick
@given(ranking=st.permutations(PRODUCTS), judged=grades, place=st.integers(0, 8))
def test_moving_the_better_product_up_never_hurts(metric: Metric, ranking: list, judged: dict, place: int) -> None:
    above, below = ranking[place], ranking[place + 1]
    swapped = [*ranking[:place], below, above, *ranking[place + 2 :]]
    better = swapped if judged.get(below, 0.0) >= judged.get(above, 0.0) else ranking
    worse = ranking if better is swapped else swapped
    truth = {"q": judged}
    assert metric({"q": better}, truth)["q"] >= metric({"q": worse}, truth)["q"] - 1e-12


@quick
@given(ranking=st.permutations(PRODUCTS), judged=grades)
def test_repeats_never_pay(metric: Metric, ranking: list, judged: dict) -> None:
    once, twice = ranking[:5], [ranking[0], *ranking[:4]]
    assert metric({"q": twice}, {"q": judged})["q"] <= metric({"q": once}, {"q": judged})["q"] + 1e-12


def test_a_repeated_product_counts_where_it_comes_first(metric: Metric) -> None:
    assert metric({"q": ["a", "a", "a"]}, {"q": {"a": 1, "b": 1}})["q"] <= 1.0
    assert metric({"q": ["x", "a", "a"]}, {"q": {"a": 1}}) == metric({"q": ["x", "a", "z"]}, {"q": {"a": 1}})


def test_judged_query_without_a_ranking_counts_nothing(metric: Metric) -> None:
    scores = metric(
        {"q": ["a"] * 1 + ["b", "c"]}, {"q": {"a": 1, "b": 1, "c": 1}, "missing": {"a": 1}, "empty": {"b": 2}}
    )
    assert (scores["missing"], scores["empty"]) == (0.0, 0.0)
    assert scores.mean == pytest.approx(scores["q"] / 3)


def test_query_without_relevant_products_counts_nothing(metric: Metric) -> None:
    assert metric({"q": ["a", "b"]}, {"q": {"a": 0, "b": -1}}) == {"q": 0.0}


def test_unknown_products_are_not_relevant_and_unjudged_queries_are_left_out(metric: Metric) -> None:
    assert metric({"q": ["stranger"], "other": ["a"]}, {"q": {"a": 1}, "void": {}}) == {"q": 0.0}


def test_nothing_judged_is_an_error_with_a_cure(metric: Metric) -> None:
    with pytest.raises(RequestError, match="give judgments"):
        metric({"q": ["a"]}, {})


def test_a_grade_that_is_no_number_is_an_error(metric: Metric) -> None:
    with pytest.raises(RequestError, match="finite"):
        metric({"q": ["a"]}, {"q": {"a": float("nan")}})


def test_name_is_read_back(metric: Metric) -> None:
    assert parse(metric.name) == metric
