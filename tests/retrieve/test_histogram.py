"""Bars that count what a loop counts, between edges that a shopper can read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.retrieve.histogram import histogram

AMOUNT = st.one_of(st.just(float("nan")), st.integers(-2000, 300_000).map(lambda cents: cents / 100))
NEAR = st.integers(900, 2500).map(lambda cents: cents / 100)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(AMOUNT, max_size=40), st.lists(NEAR, max_size=40)))
def test_every_number_is_in_one_bar_and_every_edge_is_round(values: list[float]) -> None:
    found = histogram(np.array(values, dtype=float))
    ends = [(float(low or "-inf"), float(high or "inf")) for low, high in (name.split("-") for name in found)]
    for (low, high), count in zip(ends, found.values(), strict=True):
        assert count == sum(low <= value < high for value in values) > 0
    assert sum(found.values()) == sum(value == value for value in values)
    assert ends == sorted(ends)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(ends))
    for edge in {abs(edge) for pair in ends for edge in pair} - {0.0, float("inf")}:
        assert len(f"{edge:.6f}".replace(".", "").strip("0")) <= 3, edge


def test_prices_close_together_get_bars_of_one_width() -> None:
    prices = np.array([19.9, 21.5, 24.0, 25.0, 29.99, 31.0, 38.0])
    assert histogram(prices) == {"15-20": 1, "20-25": 2, "25-30": 2, "30-35": 1, "35-40": 1}
    assert histogram(np.array([3.5, 3.9, 4.3, 5.0])) == {"3.5-4": 2, "4-4.5": 1, "5-": 1}


@pytest.mark.parametrize("same", [0.0, 7.0, 1e12])
def test_one_price_is_one_bar(same: float) -> None:
    assert list(histogram(np.full(5, same)).values()) == [5]
    assert histogram(np.array([np.nan])) == {}
