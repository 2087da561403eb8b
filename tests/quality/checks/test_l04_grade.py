"""L04 doubts grades that do not fit, and says nothing where it cannot know."""

import numpy as np
import pyarrow as pa
import pytest

from mercer.errors import SettingsError
from mercer.quality.check import Inputs, registry
from mercer.quality.checks.l04_grade import Grade

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
    assert len(doubted & set(rows)) >= 0.85 * len(rows)
    assert len(doubted & set(rows)) >= 0.65 * len(doubted)
    assert {row["problem"] for row in told} <= {"grade_unlikely", "grade_doubtful"}
    assert "grade_doubtful" in {row["problem"] for row in told} or "grade_unlikely" in {row["problem"] for row in told}
    right = [
        row["suggestion"] == f"{shop['judgments'][row['row_id']]['grade']:g}" for row in told if row["row_id"] in rows
    ]
    assert sum(right) >= 0.8 * len(right)


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
