"""Grades the wrong way round are told from grades that mean little."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.errors import GateBlocked
from mercer.learn.agree import Agreement, agreement, by_words, require_agreement
from mercer.learn.pairs.pair import to_pairs


def pairs(gain, queries=20, products=8):
    """Query i asks for two words; product j has none, one or both of them; `gain(words shared, random number)`."""
    rng, rows = np.random.default_rng(3), []
    for query in range(queries):
        asked = f"red{query} cup{query}"
        for product in range(products):
            shared = product % 3
            text = " ".join(["shelf", *asked.split()[:shared]])
            id, given = f"p{query}-{product}", float(gain(shared, rng.random()))
            rows.append((asked, id, text, given, 1.0, f"g{query}", None, "judgments", f"judgments:{id}"))
    return to_pairs(rows)


def found(gain, **how):
    table = pairs(gain, **how)
    return agreement(table, by_words(table))


def test_agreement_is_the_share_of_pairs_in_the_same_order():
    assert found(lambda shared, _: shared / 2).share == 1.0
    assert found(lambda shared, _: 1 - shared / 2).share == 0.0
    half = found(lambda shared, _: float(shared == 0), queries=2, products=3)
    assert half.share == 0.0
    assert found(lambda *_: 1.0).queries == 0


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_only_grades_the_wrong_way_round_are_refused(noise):
    def told(sign):
        return found(lambda shared, drawn: drawn if drawn < noise else 0.5 + sign * (shared - 1) / 2)

    assert told(-1).inverted
    assert not told(1).inverted
    assert not found(lambda _, drawn: drawn).inverted
    with pytest.raises(GateBlocked, match=r"wrong way round.*20 queries.*--override"):
        require_agreement(told(-1), by="words", override="")
    assert require_agreement(told(-1), by="words", override="known")
    assert "20 queries" in require_agreement(told(1), by="words", override="")[0]


def test_few_queries_or_a_small_difference_refuse_nothing():
    few = found(lambda shared, _: 1 - shared / 2, queries=7)
    assert not few.inverted
    assert require_agreement(few, by="words", override="") == []
    assert not Agreement(0.49, 1e-6, 50_000).inverted
    assert not Agreement(0.40, 0.05, 30).inverted
