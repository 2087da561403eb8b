"""Events in, the same and shoppers who click a popular product and a target after it out (E09)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth
from mercer.bench.dirt.added import DAY, Added, deliberate, facts

CHECK = "E09"
PAIRS = {"easy": (200, 0), "medium": (100, 1), "adversarial": (60, 6)}
"""Shoppers of one target at most, and products of anybody's that each clicks besides."""


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """100 to 2,000 pairs of clicks (orders, in a log of orders) by new shoppers: weak products tied to popular ones."""
    if "events" not in tables or not len(deliberate(tables["events"])):
        return tables, Truth(CHECK).table()
    rng = np.random.default_rng([seed, 9])
    events = tables["events"]
    places = deliberate(events)
    products, times, devices, types = facts(events, places, "product", "time", "device", "type")
    act: dict[str, object] = {"type": "click"}
    if not {"view", "click"} & set(types):  # who fakes clicks where only orders count?
        act = {"type": "purchase", "quantity": 1.0, "price": 1.0}
    wanted = Counter(products).most_common()
    hot = [product for product, _ in wanted[: max(3, len(wanted) // 100)]]
    weak = [product for product, _ in wanted[len(wanted) // 2 :]]
    shoppers, others = PAIRS[difficulty]
    added, number = Added(tables, CHECK), 0
    target = popular = ""
    while len(added) < max(60, round(rate * len(events))):
        if number % shoppers == 0:
            target, popular = weak[int(rng.integers(len(weak)))], hot[int(rng.integers(len(hot)))]
        start = max(times) - 40 * DAY + int(rng.integers(0, 35 * DAY))
        who = {"shopper": f"K{seed}-{number}", "session": f"K{seed}-{number}"}
        who["device"] = devices[int(rng.integers(len(devices)))]
        for step, product in enumerate((popular, target)):
            moment = start + step * int(rng.integers(5000, 60_000))
            added.add("coattail", **act, product=product, time=moment, **who)
        for step in range(others):
            product = products[int(rng.integers(len(products)))]
            added.add("implied_camouflage", **act, product=product, time=start + (step + 2) * 70_000, **who)
        number += 1
    return added.done()
