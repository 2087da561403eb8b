"""The last stage: a part that keeps ledgers whole, the tail in its place, answers that pages can be cut from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import SettingsError
from mercer.rank.hybrid import HybridSettings, Scored
from mercer.rank.ledger import ledger
from mercer.rank.rerank import Rerank, reranked

SHARES = st.floats(0, 1, allow_nan=False)
ROWS = st.lists(st.tuples(st.floats(-1, 2, allow_nan=False), SHARES), min_size=1, max_size=30)


def scored(scores: np.ndarray) -> tuple[Scored, np.ndarray]:
    return Scored(scores, {"words": scores}, {"words": scores}), np.argsort(-scores, kind="stable")


@given(ROWS, SHARES, st.integers(0, 40))
def test_ledgers_sum_and_nothing_passes_the_first(rows: list[tuple[float, float]], weight: float, many: int) -> None:
    table = np.array(rows)
    before, order = scored(table[:, 0])
    relevance = table[:many, 1].astype(np.float32)
    after, new = reranked(before, order, relevance, weight=weight)
    done = len(relevance)
    assert set(new[:done].tolist()) == set(order[:done].tolist())
    assert new[done:].tolist() == order[done:].tolist()
    assert (np.diff(after.scores[new]) <= 1e-9).all(), "scores fall along the answer"
    for place in range(len(rows)):
        lines = ledger(after, place)
        assert sum(line.part for line in lines) == pytest.approx(after.scores[place], abs=1e-9)
        assert all(math.isfinite(line.value) for line in lines)
        assert ("reranker" in {line.signal for line in lines}) == (place in order[:done])


def test_weight_says_who_decides() -> None:
    before, order = scored(np.array([0.9, 0.8, 0.7, 0.1]))
    relevance = np.array([0.1, 0.2, 0.9], np.float32)
    assert reranked(before, order, relevance, weight=0.0)[1].tolist() == [0, 1, 2, 3]
    after, new = reranked(before, order, relevance, weight=1.0)
    assert new.tolist() == [2, 1, 0, 3]
    assert after.scores == pytest.approx([0.8, 0.9, 1.6, 0.1])


def test_what_a_reranker_cannot_tell_apart_stays_in_its_order() -> None:
    before, order = scored(np.random.default_rng(1).uniform(0, 1, 40))
    for weight in (0.05, 0.7, 1.0):
        assert reranked(before, order, np.full(30, 0.3, np.float32), weight=weight)[1].tolist() == order.tolist()


class Counted:
    """Likes later passages; does as many as it is told."""

    name = "counted"

    def __init__(self, fits: int) -> None:
        self.fits, self.asked = fits, 0

    def __call__(self, query: str, passages: list[str], *, budget: float = math.inf) -> np.ndarray:
        self.asked += 1
        self.fits -= 1  # the machine gets slower
        return np.linspace(0, 1, len(passages), dtype=np.float32)[: self.fits]


def test_an_answer_is_remembered_so_that_pages_fit_together() -> None:
    before, order = scored(np.array([0.9, 0.8, 0.7, 0.1]))
    counted = Counted(3)
    stage = Rerank(counted, HybridSettings(rerank=3, rerank_budget=50))
    first = stage("cup", ["a", "b", "c"], before, order)
    assert first[2] == "reranked 2 of 3 products in 50 ms"
    assert first[1].tolist() == [1, 0, 2, 3]
    again = stage("cup", ["a", "b", "c"], before, order)
    assert again[1].tolist() == first[1].tolist()
    assert counted.asked == 1
    stage("cup", ["a", "b", "changed"], before, order)
    assert counted.asked == 2


def test_whole_answers_say_nothing() -> None:
    before, order = scored(np.array([0.9, 0.8]))
    assert Rerank(Counted(9), HybridSettings(rerank=2))("cup", ["a", "b"], before, order)[2] == ""


@pytest.mark.parametrize(
    "wrong", [{"rerank": -2}, {"rerank_weight": -0.5}, {"rerank_budget": float("nan")}, {"rerank_weight": 1.5}]
)
def test_settings_refuse_what_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        HybridSettings(**wrong)  # type: ignore[arg-type]
