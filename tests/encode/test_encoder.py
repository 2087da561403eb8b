"""Batches by length."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mercer.encode.encoder import batches


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 100))
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], budget: int) -> None:
    found = list(batches(lengths, budget))
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget
    order = [lengths[row] for batch in found for row in batch]
    assert order == sorted(order)


def test_batches_pad_little() -> None:
    lengths = np.random.default_rng(0).integers(5, 60, 1000).tolist()
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in batches(lengths, 1024))
    assert padded < 1.1 * sum(lengths)
