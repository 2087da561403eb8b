"""Fixtures of the data quality room's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

NOW = 1_750_000_000_000


@pytest.fixture(scope="session")
def recommended() -> pa.Table:
    """1,200 invented ratings: user, item, category, price, time, rating 1 to 5, and a text that gives all away."""
    import numpy as np
    import pyarrow as pa

    rng = np.random.default_rng(3)
    user, item = rng.integers(0, 60, 1200), rng.integers(0, 90, 1200)
    likes, worth = rng.normal(0, 0.8, 60), rng.normal(0, 0.8, 90)
    kind, price = rng.integers(0, 5, 90), np.round(np.exp(rng.normal(3, 0.6, 90)), 2)
    mood = 3.2 + likes[user] + worth[item] + 0.5 * (kind[item] - 2) + rng.normal(0, 0.6, 1200)
    rating = np.clip(np.round(mood), 1, 5).astype(int)
    texts = [f"User {u} recommends item {i} with rating {r}" for u, i, r in zip(user, item, rating, strict=True)]
    return pa.table(
        {
            "user": [f"{number}" for number in user],
            "item": [f"{number}" for number in item],
            "category": [("tea", "杯子", "tent", "dress", "台灯")[number] for number in kind[item]],
            "price": price[item],
            "time": NOW - 90 * 86_400_000 + np.arange(1200) * 6_000_000,
            "rating": rating,
            "text": texts,
        }
    )


@pytest.fixture(scope="session")
def all_but() -> Callable[..., tuple[str, ...]]:
    """Ids of every check but these, to disable: each costs a tenth of a second or more, and many tests need a few."""
    from mercer.quality.check import registry

    return lambda *ids: tuple(sorted(set(registry()) - set(ids)))
