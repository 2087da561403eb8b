"""E08: rings of accounts that buy the same weak products, hidden among purchases that others made."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mercer.sample.dirt.added_event import Draft, deliberate

CHECK = "E08"
CAMOUFLAGE = {"easy": 0.0, "medium": 0.5, "adversarial": 0.9}
"""Share of a ring account's products that are anybody's."""
DENSITY = {"easy": 1.0, "medium": 0.8, "adversarial": 0.6}
"""Chance that an account buys one of the ring's products."""
SPREAD = {"easy": 2, "medium": 14, "adversarial": 10_000}
"""Days within which a ring works, at most the log's own."""
DAY = 86_400_000


def inject(tables, rate, difficulty, seed):
    """Add about `rate` of the events as rings of 20 to 500 accounts and 5 to 50 products."""
    rng = np.random.default_rng([seed, 8])
    events = tables["events"]
    real = deliberate(events)
    rows = {name: events[name].take(real).to_pylist() for name in ("product", "shopper", "price", "device", "place")}
    times = events["time"].take(real).to_numpy()
    draft, budget = Draft(events, CHECK), max(rate * events.num_rows, 1)
    wanted = Counter(product for product, _ in set(zip(rows["product"], rows["shopper"], strict=True)))
    middle = np.median(list(wanted.values()))
    weak = sorted(product for product, count in wanted.items() if count <= middle)
    paid = {product: price for product, price in zip(rows["product"], rows["price"], strict=True) if price}
    taken, ring = set(), 0
    while len(draft.kinds) < 0.95 * budget:
        left = budget - len(draft.kinds)
        cost = 2.0 / (1 - CAMOUFLAGE[difficulty]) if CAMOUFLAGE[difficulty] else 1.5  # rows for one edge of the block
        cells = left / (cost * DENSITY[difficulty])
        if ring and cells < 100:
            break
        accounts = int(np.clip(rng.integers(20, 61) if cells < 5000 else rng.integers(20, 501), 20, max(20, cells / 5)))
        size = int(np.clip(rng.integers(5, 51), 5, max(5, cells / accounts)))
        free = [product for product in weak if product not in taken]
        targets = rng.permutation(free)[:size].tolist()
        taken.update(targets)
        length = min(SPREAD[difficulty] * DAY, int(times.max() - times.min()))
        start = int(times.min() + rng.integers(0, max(1, int(times.max() - times.min()) - length)))
        for number in range(accounts):
            like = int(rng.integers(len(real)))
            account = {"shopper": f"N{seed}-{ring}-{number}", "device": rows["device"][like], "place": rows["place"][like]}
            mine = [target for target in targets if rng.random() < DENSITY[difficulty]]
            for target in mine:
                moment = int(start + rng.integers(0, max(1, length)))
                session = f"NS{seed}-{ring}-{number}-{rng.integers(10**9)}"
                about = {**account, "product": target, "session": session}
                if difficulty != "easy" or rng.random() < 0.5:
                    draft.add("ring", type="click", time=moment, **about)
                draft.add("ring", type="purchase", time=moment + 70_000, quantity=1.0, price=paid.get(target, 20.0), **about)
            hide = round(len(mine) * CAMOUFLAGE[difficulty] / (1 - CAMOUFLAGE[difficulty]))
            for place in rng.integers(0, len(real), hide).tolist():
                moment = int(start + rng.integers(0, max(1, length)))
                about = {**account, "product": rows["product"][place], "session": f"NC{seed}-{ring}-{number}-{rng.integers(10**9)}"}
                draft.add("camouflage", type="click", time=moment, **about)
                if rng.random() < 0.5:
                    draft.add("camouflage", type="purchase", time=moment + 70_000, quantity=1.0, price=rows["price"][place] or 20.0, **about)
        ring += 1
    longer, truth = draft.done()
    return {**tables, "events": longer}, truth
