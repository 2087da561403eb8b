"""L03 finds pairs that were judged differently, and settles them by vote."""

import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.l03_contradiction import Contradiction


def problems(found):
    return [(row_id, problem) for _, row_id, _, problem in found]


def judged(clean_rows, *grades, query="q0"):
    clean_rows["judgments"] += [{"query_id": query, "product": "p0", "grade": grade} for grade in grades]
    return clean_rows


def test_the_same_grade_again_is_no_contradiction(found_in, clean_rows):
    assert found_in(judged(clean_rows, 0.0, 0.0), "L03") == []


def test_one_against_one_waits_for_a_person(found_in, clean_rows):
    assert problems(found_in(judged(clean_rows, 3.0), "L03")) == [(0, "undecided"), (40, "undecided")]


def test_two_against_one(found_in, clean_rows):
    found = problems(found_in(judged(clean_rows, 3.0, 0.0), "L03"))
    assert found == [(0, "upheld"), (40, "outvoted"), (41, "upheld")]


def test_other_ids_of_the_same_words(found_in, clean_rows):
    clean_rows["queries"].append({"query_id": "again", "text": " 连衣裙  MUG 0"})
    assert problems(found_in(judged(clean_rows, 3.0, query="again"), "L03")) == [(0, "undecided"), (40, "undecided")]
    del clean_rows["queries"]
    assert found_in(clean_rows, "L03") == []


def test_a_negative_difference():
    with pytest.raises(SettingsError):
        Contradiction(apart=-1.0)
