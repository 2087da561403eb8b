"""Events in, the same and bursts of accounts on one product, or of one account on many, out (E06)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth
from mercer.bench.dirt.added import Added, deliberate, facts

CHECK = "E06"
BURST = {"easy": (60, 60_000), "medium": (30, 600_000), "adversarial": (15, 3_600_000)}
"""Accounts on one product, and milliseconds in which they act."""
RUSH = {"easy": 200, "medium": 60, "adversarial": 45}
"""Products that one account opens within a minute."""


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Half of the rows are bursts on products, half rushes of accounts."""
    if "events" not in tables or not len(deliberate(tables["events"])):
        return tables, Truth(CHECK).table()
    rng = np.random.default_rng([seed, 6])
    events = tables["events"]
    products, times, devices = facts(events, deliberate(events), "product", "time", "device")
    goods = sorted(set(products))
    added, number = Added(tables, CHECK), 0
    while len(added) < max(1, round(rate * len(events))):
        start, device = (values[int(rng.integers(len(times)))] for values in (times, devices))
        if number % 2:
            for step in np.sort(rng.integers(0, 59_000, RUSH[difficulty])).tolist():
                moment = start // 60_000 * 60_000 + step
                about = {"shopper": f"H{seed}-{number}", "session": f"H{seed}-{number}", "device": device}
                product = goods[int(rng.integers(len(goods)))]
                added.add("shopper", type="click", time=moment, product=product, **about)
        else:
            accounts, length = BURST[difficulty]
            product = goods[int(rng.integers(len(goods)))]
            for account in range(accounts):
                moment = start + int(rng.integers(0, length))
                name = f"Q{seed}-{number}-{account}"
                about = {"shopper": name, "session": name, "device": device}
                added.add("product", type="click", time=moment, product=product, **about)
        number += 1
    return added.done()
