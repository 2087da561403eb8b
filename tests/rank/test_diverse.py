"""Spreading the first places: greedy choices, floors, and a ledger that still says the score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import SettingsError
from mercer.rank.diverse import DiverseSettings, floored, likeness, mmr, rearranged, xquad
from mercer.rank.hybrid import Scored
from mercer.rank.ledger import ledger

RELEVANCE = np.array([1.0, 0.9, 0.8, 0.3, 0.2])
KINDS = np.array([[0, 0], [0, 0], [0, 1], [1, 1], [-1, -1]])


@pytest.mark.parametrize("way", ["mmr", "xquad"])
def test_no_weight_leaves_the_order_and_some_weight_brings_another_kind_up(way: str) -> None:
    def ordered(weight: float) -> list[int]:
        if way == "mmr":
            return mmr(RELEVANCE, likeness(KINDS), weight=weight)
        return xquad(RELEVANCE, KINDS, weight=weight)

    assert ordered(0.0) == [0, 1, 2, 3, 4]
    spread = ordered(0.7)
    assert spread[0] == 0
    assert spread.index(2) < spread.index(1), "another brand before the twin"


def test_mmr_takes_what_is_least_like_those_above() -> None:
    assert mmr(RELEVANCE, likeness(KINDS), weight=0.5) == [0, 2, 4, 1, 3]


def test_meaning_makes_alike_too() -> None:
    cosines = np.array([[1.0, 0.9, 0.7], [0.9, 1.0, 0.8], [0.7, 0.8, 1.0]])
    alike = likeness(np.zeros((3, 0), dtype=np.int64), cosines)
    assert alike[0].tolist() == pytest.approx([1.0, 1.0, 0.0]), "the least is 0, the largest of two 1"
    assert mmr(np.array([1.0, 0.9, 0.8]), alike, weight=0.5) == [0, 2, 1]


def test_xquad_covers_more_of_what_the_query_is_about() -> None:
    relevance, kinds = np.array([1.0, 0.95, 0.9, 0.5]), np.array([[0], [0], [1], [2]])
    assert xquad(relevance, kinds, weight=0.95)[:3] == [0, 2, 3]


@given(members=st.lists(st.booleans(), min_size=1, max_size=30), share=st.floats(0, 1))
def test_a_floor_holds_at_every_place_and_keeps_both_orders(members: list[bool], share: float) -> None:
    member = np.array(members)
    out = floored(range(len(members)), member, share)
    assert sorted(out) == list(range(len(members)))
    assert [one for one in out if members[one]] == [one for one in range(len(members)) if members[one]]
    assert [one for one in out if not members[one]] == [one for one in range(len(members)) if not members[one]]
    for place in range(1, len(out) + 1):
        had = sum(members[one] for one in out[:place])
        assert had >= min(int(share * place + 1e-9), sum(members))


@given(
    scores=st.lists(st.floats(-1, 1), min_size=2, max_size=20),
    depth=st.integers(2, 20),
    seed=st.integers(0, 9),
)
def test_moved_products_take_the_scores_of_their_places(scores: list[float], depth: int, seed: int) -> None:
    values = np.array(scores)
    order = np.argsort(-values, kind="stable")
    chosen = np.random.default_rng(seed).permutation(min(depth, len(order))).tolist()
    plain = Scored(values, {"words": values}, {"words": values})
    scored, after = rearranged(plain, order, chosen)
    assert after[: len(chosen)].tolist() == [order[one] for one in chosen]
    assert after[len(chosen) :].tolist() == order[len(chosen) :].tolist()
    assert (np.diff(scored.scores[after]) <= 1e-12).all(), "the order is still that of the scores"
    for place in order.tolist():
        lines = ledger(scored, place)
        assert sum(line.part for line in lines) == pytest.approx(scored.scores[place], abs=1e-9)
        rose = order.tolist().index(place) - after.tolist().index(place)
        assert [line.value for line in lines if line.signal == "diversity"] == ([rose] if rose else [])


def test_settings_out_of_bounds_are_refused() -> None:
    for given_ in (
        {"weight": 1.5},
        {"depth": 1},
        {"by": ()},
        {"by": ("colour",)},
        {"by": ("meaning",), "how": "xquad"},
        {"tail": -0.1},
    ):
        with pytest.raises(SettingsError, match="diversity"):
            DiverseSettings(**given_)  # type: ignore[arg-type]
    assert not DiverseSettings().on
