"""Counts in; traffic with known shares out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mercer.events.answer import Answer
from mercer.watch.traffic import Row, Traffic, columns

START = 1_790_000_000_000 // 86_400_000 * 86_400_000
"""A midnight, UTC ms."""
DAY = 86_400_000


def traffic(
    days: int, a_day: int, *, appeal: Sequence[float], queries: Sequence[str] = ("cup", "red dress", "杯子"),
    empty: float = 0.0, seed: int = 3, places: int = 8, eta: float = 0.7,
) -> Traffic:  # fmt: skip
    """Answers whose products are clicked with a chance (`appeal`, one a day) times that of a look at the place."""
    rng = np.random.default_rng(seed)
    look = np.arange(1, places + 1) ** -eta
    rows = []
    for day in range(days):
        for number in range(a_day):
            time = START + day * DAY + int(rng.integers(0, DAY - 3_600_000))
            nothing = rng.random() < empty
            query = queries[int(rng.integers(len(queries)))]
            id = f"{day}-{number}"
            ids = [f"p{product}" for product in rng.permutation(places)]
            shown = {} if nothing else {product: (place, 1.0, b"") for place, product in enumerate(ids, start=1)}
            clicked = rng.random(places) < look * appeal[day]
            clicks = {ids[place]: time + 5000 for place in np.flatnonzero(clicked).tolist()} if shown else {}
            device = "phone" if number % 2 else "desktop"
            answer = Answer(id, time, "search", query, len(shown), 0, f"s{number % 97}", "", device)
            rows.append(Row(answer, shown, clicks))
    return columns(rows)


@pytest.fixture(scope="session")
def made() -> Callable[..., Traffic]:
    """``made(days, a_day, appeal=[…])``: answers whose measures are known beforehand."""
    return traffic
