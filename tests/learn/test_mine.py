"""Hard negatives rank high and are judged by nobody; candidates hold every judged product."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.learn.mine import FIRST, LAST, Found, negatives, pool_of
from mercer.learn.pairs.pair import to_pairs


@pytest.fixture
def found() -> Found:
    """A hundred products on an arc; product n is n degrees away from the query."""
    angles = np.radians(np.arange(100) * 0.9)
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    return Found([str(number) for number in range(100)], vectors, {"cup": vectors[0], "mug": vectors[0]})


def pairs(*judged: tuple[str, str, float]):
    return to_pairs((q, p, f"text {p}", g, 1.0, q, None, "judgments", "judgments:0") for q, p, g in judged)


TEXTS = {str(number): f"text {number}" for number in range(100)}


def test_negatives_rank_high_below_the_right_answers_and_are_unjudged(found: Found) -> None:
    table = pairs(("cup", "2", 1.0), ("cup", "30", 0.0), ("cup", "20", 1.0))
    rows = negatives(table, found, TEXTS, each=5, seed=1).to_pylist()
    assert len(rows) == 5
    for row in rows:
        assert 11 < int(row["product"]) < LAST  # below the mean of 2 and 20
        assert int(row["product"]) not in (2, 20, 30)
        assert (row["gain"], row["source"], row["lineage"]) == (0.0, "mined", f"products:{row['product']}")
        assert row["text"] == TEXTS[row["product"]]
    assert rows == negatives(table, found, TEXTS, each=5, seed=1).to_pylist()
    assert rows != negatives(table, found, TEXTS, each=5, seed=2).to_pylist()


def test_where_the_right_answer_is_first_the_next_places_are_left_out(found: Found) -> None:
    rows = negatives(pairs(("cup", "0", 1.0)), found, TEXTS, each=100, seed=1).to_pylist()
    assert {int(row["product"]) for row in rows} == set(range(FIRST, LAST))


def test_queries_without_a_right_answer_or_a_known_product_teach_nothing(found: Found) -> None:
    assert not len(negatives(pairs(("cup", "2", 0.0), ("mug", "gone", 1.0)), found, TEXTS, each=5, seed=1))


def test_a_pool_has_the_judged_and_the_best(found: Found) -> None:
    table = pairs(("cup", "90", 1.0), ("cup", "80", 0.0), ("mug", "1", 0.0))
    chosen = pool_of(table, found, queries=10, depth=3, seed=1)
    assert list(chosen) == ["cup"]
    assert chosen["cup"]["truth"] == {"90": 1.0, "80": 0.0}
    assert set(chosen["cup"]["candidates"]) == {"90", "80", "0", "1", "2"}
