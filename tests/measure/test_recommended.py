"""Full ranking of the catalogue, coverage, and the caller's choice about products already had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import RequestError
from mercer.measure.metric import parse
from mercer.measure.recommended import evaluate, rank_all, top

matrices = st.integers(1, 7).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), min_size=width, max_size=width),
        min_size=1,
        max_size=4,
    )
)


@given(matrices, st.integers(1, 9))
def test_top_is_a_stable_full_sort(rows: list[list[float]], k: int) -> None:
    scores = np.array(rows)
    for values, found in zip(scores, top(scores, k=k), strict=True):
        expected = [int(c) for c in np.argsort(-values, kind="stable")[:k] if values[c] > -np.inf]
        assert [c for c in found.tolist() if c >= 0] == expected


def test_seen_products_are_the_callers_choice() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    batches = [(["ann", "bob"], scores)]
    assert dict(rank_all(batches, "xyz", k=2)) == {"ann": ["x", "y"], "bob": ["z", "y"]}
    without = dict(rank_all(batches, "xyz", k=2, seen={"ann": {"x", "gone"}}))
    assert without == {"ann": ["y", "z"], "bob": ["z", "y"]}
    assert scores[0, 0] == 3.0, "the caller's scores were changed"


def test_evaluate_by_hand() -> None:
    runs = {"ann": ["x", "y"], "bob": ["y", "x"]}
    held = {"ann": ["y"], "bob": ["w"], "eve": ["x"], "nobody": []}
    names = [parse(name) for name in ("HR@2", "MRR@2", "nDCG@2", "Recall@1")]
    found = evaluate(runs, held, metrics=names, catalogue="wxyz")
    assert found.shoppers == 3
    assert found.coverage == 0.5
    assert {name: scores.mean for name, scores in found.metrics.items()} == pytest.approx(
        {"HR@2": 1 / 3, "MRR@2": 1 / 6, "nDCG@2": 1 / np.log2(3) / 3, "Recall@1": 0.0}
    )


@given(st.lists(st.integers(0, 4), min_size=5, max_size=5, unique=True), st.integers(0, 4))
def test_rank_of_the_held_out_product_is_what_counts(order: list[int], held: int) -> None:
    scores = np.empty((1, 5))
    scores[0, order] = np.arange(5, 0, -1)
    runs = dict(rank_all([(["ann"], scores)], "abcde", k=5))
    found = evaluate(runs, {"ann": ["abcde"[held]]}, metrics=[parse("MRR")], catalogue="abcde")
    assert found.metrics["MRR"]["ann"] == pytest.approx(1 / (order.index(held) + 1))


def test_sampled_candidates_are_refused() -> None:
    with pytest.raises(RequestError, match="sampled candidates"):
        dict(rank_all([(["ann"], np.zeros((1, 2)))], "abc", k=2))


def test_refused() -> None:
    with pytest.raises(RequestError, match="not numbers"):
        top(np.array([[np.nan]]), k=1)
    with pytest.raises(RequestError, match="k is 0"):
        top(np.zeros((1, 1)), k=0)
    with pytest.raises(RequestError, match="catalogue"):
        evaluate({}, {"a": ["x"]}, metrics=[], catalogue=[])
