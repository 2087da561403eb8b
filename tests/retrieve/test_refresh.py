"""What is brought up to date is what would be learnt from everything at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.retrieve.behaviour import Behaviour, BehaviourSettings
from mercer.retrieve.history import DAY
from mercer.retrieve.refresh import Refresh
from mercer.retrieve.together import TogetherSettings

START = 1_750_000_000_000
NAMES = ("type", "shopper", "session", "product", "time")
LOOSE = BehaviourSettings(together=TogetherSettings(least=1, significance=0, caution=0))


def table(rows: list[tuple[Any, ...]]) -> pa.Table:
    kinds = [pa.string()] * 4 + [pa.int64()]
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return pa.table([pa.array(list(c), kind) for c, kind in zip(columns, kinds, strict=True)], names=list(NAMES))


def same(one: Behaviour, other: Behaviour) -> None:
    assert one.products.names.to_pylist() == other.products.names.to_pylist()
    assert (one.end, one.events) == (other.end, other.events)
    np.testing.assert_array_equal(one.popular.value, other.popular.value)
    np.testing.assert_array_equal(one.trending.value, other.trending.value)
    for part in ("knn", "together"):
        mine, all_at_once = (getattr(each, part).neighbours.matrix.toarray() for each in (one, other))
        np.testing.assert_allclose(mine, all_at_once, rtol=2e-4, atol=1e-6, err_msg=part)
        assert getattr(one, part).usual == pytest.approx(getattr(other, part).usual, rel=1e-3)
    for name in one.pasts.shoppers.names.to_pylist():
        np.testing.assert_array_equal(one.pasts(name).product, other.pasts(name).product)


def rows(rng: np.random.Generator, count: int, first: int, products: int) -> list[tuple[Any, ...]]:
    types = ["view", "click", "add_to_cart", "purchase", "refund", "dislike", "like"]
    found = []
    for _ in range(count):
        who = f"s{rng.integers(12)}" if rng.random() < 0.8 else None
        visit = f"v{rng.integers(20)}" if rng.random() < 0.7 or who is None else None
        product, time = f"p{rng.integers(products):02d}", START + int((first + rng.random() * 20) * DAY)
        found.append((types[rng.choice(7, p=[0.3, 0.15, 0.1, 0.3, 0.05, 0.05, 0.05])], who, visit, product, time))
    return found


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_bit_by_bit_equals_all_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rows(rng, 150, 0, 8), rows(rng, 40, 10, 12), rows(rng, 1, 25, 12), [], rows(rng, 60, -5, 15)]
    refresh, seen = Refresh(table(parts[0]), LOOSE), parts[0]
    for part in parts[1:]:
        refresh.add(table(part))
        seen = seen + part
    same(refresh.behaviour(Behaviour.fit(None)), Behaviour.fit(table(seen), LOOSE))


def test_a_refund_takes_a_pair_away_again() -> None:
    bought = [("purchase", "s1", "v1", "a", START), ("purchase", "s1", "v2", "b", START + 5)]
    refresh, nothing = Refresh(table(bought)), Behaviour.fit(None)
    assert refresh.behaviour(nothing).knn.neighbours.matrix.nnz == 2
    refresh.add(table([("refund", "s1", "v3", "b", START + 9)]))
    assert refresh.behaviour(nothing).knn.neighbours.matrix.nnz == 0


def test_from_nothing_on_and_the_linear_model_stays_what_it_was() -> None:
    first = rows(np.random.default_rng(1), 80, 0, 6)
    refresh, nothing = Refresh(None, ids=["p00", "zz"]), Behaviour.fit(None)
    assert refresh.behaviour(nothing).products.names.to_pylist() == ["p00", "zz"]
    refresh.add(table(first))
    assert len(refresh.behaviour(nothing).products) == 7
    fitted = Behaviour.fit(table(first))
    after = refresh.behaviour(fitted)
    code = after.products.codes(fitted.products.names.to_pylist())
    moved = after.linear.neighbours.matrix.toarray()[np.ix_(code, code)]
    np.testing.assert_allclose(moved, fitted.linear.neighbours.matrix.toarray(), rtol=1e-6)
    assert not after.linear.neighbours.matrix.toarray()[after.products.code("zz")].any()
