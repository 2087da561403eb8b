"""L04 doubts grades that do not fit, and says nothing where it cannot know."""

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sparse

from mercer.errors import SettingsError
from mercer.quality.check import Inputs, registry
from mercer.quality.checks.l04_grade import Grade, scores
from mercer.quality.judged import judged
from mercer.quality.peers import Peers
from mercer.quality.relevance import predicted

KINDS = ["mug", "tent", "dress", "lamp", "手机壳", "茶杯", "雨伞", "耳机"]
COLOURS = ["red", "blue", "green", "black", "白色", "黄色"]


@pytest.fixture(scope="module")
def shop():
    """Grade 2: kind and colour asked for, 1: the kind, 0: neither; 640 judgments."""
    rng = np.random.default_rng(5)
    products = [
        {"id": f"p{n}", "title": f"{COLOURS[n % 6]} {KINDS[n // 6 % 8]} model {n}", "brand": f"b{n % 5}"}
        for n in range(96)
    ]
    queries, judgments = [], []
    for number in range(32):
        kind, colour = KINDS[number % 8], COLOURS[(number * 5) % 6]
        queries.append({"query_id": f"q{number}", "text": f"{colour} {kind}"})
        fit = [int(n) for n in range(96) if KINDS[n // 6 % 8] == kind]
        rest = [n for n in rng.permutation(96).tolist() if n not in fit]
        for n in (fit + rest)[:20]:
            grade = 0.0 if n not in fit else 2.0 if COLOURS[n % 6] == colour else 1.0
            judgments.append({"query_id": f"q{number}", "product": f"p{n}", "grade": grade})
    return {"products": products, "queries": queries, "judgments": judgments}


def found(raw_of, shop, grades=None, settings=None):
    from mercer.quality.schema import SCHEMAS

    judgments = [dict(row) for row in shop["judgments"]]
    for row, grade in (grades or {}).items():
        judgments[row]["grade"] = grade
    tables = {name: raw_of(name, rows).table for name, rows in {**shop, "judgments": judgments}.items()}
    assert tables["judgments"].schema == SCHEMAS["judgments"]
    declared = registry()["L04"]
    pieces = [item.rows for item in declared(Inputs(tables, 0), settings or declared.settings())]
    return pa.concat_tables(pieces).to_pylist() if pieces else []


def test_flipped_grades_are_doubted(raw_of, shop):
    rng = np.random.default_rng(1)
    rows = rng.choice(640, 32, replace=False).tolist()
    wrong = {row: (shop["judgments"][row]["grade"] + 1 + row % 2) % 3 for row in rows}
    told = found(raw_of, shop, wrong)
    doubted = {row["row_id"] for row in told}
    assert len(doubted & set(rows)) >= 0.65 * len(rows)
    assert len(doubted & set(rows)) >= 0.85 * len(doubted)
    assert {row["problem"] for row in told} <= {"grade_unlikely", "grade_doubtful"}
    assert "grade_doubtful" in {row["problem"] for row in told} or "grade_unlikely" in {row["problem"] for row in told}
    right = [
        row["suggestion"] == f"{shop['judgments'][row['row_id']]['grade']:g}" for row in told if row["row_id"] in rows
    ]
    assert sum(right) >= 0.8 * len(right)


def test_wrong_grades_are_the_least_likely(raw_of, shop):
    rng = np.random.default_rng(2)
    wrong = np.zeros(640, bool)
    wrong[rng.choice(640, 64, replace=False)] = True
    judgments = [
        {**row, "grade": (row["grade"] + 1) % 3 if bad else row["grade"]}
        for row, bad in zip(shop["judgments"], wrong, strict=True)
    ]
    tables = {name: raw_of(name, rows).table for name, rows in {**shop, "judgments": judgments}.items()}
    told = judged(tables, most=10_000)
    chance, _ = scores(told)
    bad = wrong[told.row_ids]
    assert np.mean(chance[bad][:, None] < chance[~bad][None]) >= 0.97


def test_no_query_is_in_training_and_in_test():
    """A column that names the query is worth nothing to a model that has not seen the query."""
    groups = np.repeat(np.arange(40), 10)
    classes = (groups % 2).astype(np.int64)
    chance = predicted(np.eye(40)[groups], classes, groups)
    assert np.abs(chance - 0.5).max() < 0.1


def test_own_grade_does_not_show_in_what_peers_promise():
    """Products that have nothing in common but their query: a grade changed changes all promises but its own."""
    rng = np.random.default_rng(3)
    asked, shown = np.repeat(np.arange(30), 8), np.arange(240)
    rows = sparse.csr_matrix(np.where(rng.random((240, 30)) < 0.3, 1.0, 0.0))
    peers = Peers(asked, shown, dict.fromkeys(("keys", "attributes"), rows))
    classes = rng.integers(0, 3, 240)
    usual = np.eye(3)[classes].mean(0)
    for row in (0, 17):
        other = classes.copy()
        other[row] = (classes[row] + 1) % 3
        change = peers(other) - peers(classes) - np.tile(np.eye(3)[other].mean(0) - usual, 5)
        assert np.abs(change[row]).max() < 0.02
        assert np.abs(change[asked == asked[row]]).max() > 0.05


def test_right_grades_are_left_alone(raw_of, shop):
    assert len(found(raw_of, shop)) <= 6


def test_too_little_to_know(raw_of, shop):
    assert found(raw_of, {**shop, "judgments": shop["judgments"][:300]}) == []
    assert found(raw_of, shop, dict.fromkeys(range(640), 1.0)) == []
    few = {name: rows for name, rows in shop.items() if name != "queries"}
    assert found(raw_of, few) == []


def test_settings_that_cannot_be():
    for wrong in ({"unlikely": 2.0}, {"review": -0.1}, {"fewest": 5}):
        with pytest.raises(SettingsError):
            Grade(**wrong)
