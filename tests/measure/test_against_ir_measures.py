"""Random rankings and judgments: Mercer's metrics against ir-measures (trec_eval underneath)."""

from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, SetF, SetP, Success, nDCG

from mercer.measure.metric import known, parse

PRODUCTS = [f"p{number}" for number in range(12)]
rankings = st.lists(st.sampled_from(PRODUCTS), unique=True, max_size=12)
grades = st.dictionaries(st.sampled_from(PRODUCTS), st.integers(0, 3), min_size=1)
worlds = st.lists(st.tuples(rankings, grades, st.booleans()), min_size=1, max_size=6)

ESCI = {3: 1, 2: 0.1, 1: 0.01, 0: 0}
PERCENT = {3: 100, 2: 10, 1: 1, 0: 0}
"""The same gains times a hundred: ir-measures takes whole numbers only, nDCG does not change with the unit."""

PAIRS = [
    ("nDCG@10", {}, nDCG @ 10),
    ("nDCG@3", {}, nDCG @ 3),
    ("nDCG", {}, nDCG),
    ("nDCG@5", {"gains": ESCI}, nDCG(gains=PERCENT) @ 5),
    ("nDCG", {"gains": ESCI}, nDCG(gains=PERCENT)),
    ("Recall@5", {}, R @ 5),
    ("Recall(rel=2)@5", {}, R(rel=2) @ 5),
    ("Precision@5", {}, P @ 5),
    ("Precision@5", {"relevant": 3}, P(rel=3) @ 5),
    ("Precision", {}, SetP),
    ("F1", {}, SetF),
    ("F1(rel=2)", {}, SetF(rel=2)),
    ("MRR", {}, RR),
    ("MRR(rel=2)", {}, RR(rel=2)),
    ("MRR@3", {}, RR @ 3),
    ("MAP", {}, AP),
    ("MAP@4", {}, AP @ 4),
    ("MAP(rel=2)@4", {}, AP(rel=2) @ 4),
    ("HR@3", {}, Success @ 3),
    ("HR(rel=3)@5", {}, Success(rel=3) @ 5),
]


def test_every_metric_is_held_against_ir_measures() -> None:
    assert {name.split("@")[0].split("(")[0] for name, _, _ in PAIRS} == set(known())


@pytest.mark.parametrize(("name", "options", "theirs"), PAIRS, ids=str)
@given(world=worlds)
@settings(max_examples=60, deadline=None)
def test_equal_to_ir_measures(name: str, options: dict, theirs: ir_measures.Measure, world: list) -> None:
    truth = {f"q{row}": judged for row, (_, judged, _) in enumerate(world)}
    runs = {f"q{row}": ranking for row, (ranking, _, ranked) in enumerate(world) if ranked}
    runs["unjudged"] = PRODUCTS[:3]
    ours = parse(name, **options)(runs, truth)
    scored = {
        query: {product: float(-place) for place, product in enumerate(ranking)} for query, ranking in runs.items()
    }
    expected = {
        metric.query_id: metric.value
        for metric in ir_measures.iter_calc([theirs], truth, scored)
        if metric.query_id in truth
    }
    assert ours.keys() == truth.keys()
    assert ours == pytest.approx({query: expected.get(query, 0.0) for query in truth}, abs=1e-6)
    mean = ir_measures.calc_aggregate([theirs], truth, {q: s for q, s in scored.items() if q in truth and s})[theirs]
    assert ours.mean == pytest.approx(mean, abs=1e-6)
