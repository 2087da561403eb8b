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
    edges = {edge for pair in ends for edge in pair} - {float("-inf"), float("inf")}
    steps = [step * 10.0**power for power in range(-2, 7) for step in (1, 2, 5)]
    alike = (
        all(abs(edge / step - round(edge / step)) < 1e-6 for edge in edges) for step in steps if step >= spread(values)
    )
    assert edges <= {0.0, *steps} or any(alike), edges


def spread(values: list[float]) -> float:
    """A sixth of what nine tenths of the numbers span: no bar need be narrower."""
    known = [value for value in values if value == value] or [0.0]
    low, high = np.quantile(known, (0.05, 0.95), method="nearest")
    return float(high - low) / 6.001


def test_prices_close_together_get_bars_of_one_width() -> None:
    prices = np.array([19.9, 21.5, 24.0, 25.0, 29.99, 31.0, 38.0])
    assert histogram(prices) == {"15-20": 1, "20-25": 2, "25-30": 2, "30-35": 1, "35-40": 1}
    assert histogram(np.array([3.5, 3.9, 4.3, 5.0])) == {"3.5-4": 2, "4-4.5": 1, "5-": 1}


@pytest.mark.parametrize("same", [0.0, 7.0, 1e12])
def test_one_price_is_one_bar(same: float) -> None:
    assert list(histogram(np.full(5, same)).values()) == [5]
    assert histogram(np.array([np.nan])) == {}
