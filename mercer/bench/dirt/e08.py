"""Events in, the same and rings of accounts that buy the same weak products out (E08)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth
from mercer.bench.dirt.added import DAY, Added, deliberate, facts

CHECK = "E08"
CAMOUFLAGE = {"easy": 0.0, "medium": 0.5, "adversarial": 0.9}
"""Share of a ring account's products that are anybody's."""
DENSITY = {"easy": 1.0, "medium": 0.8, "adversarial": 0.6}
"""Chance that an account buys one of the ring's products."""
SPREAD = {"easy": 2, "medium": 14, "adversarial": 10_000}
"""Days within which a ring works, at most the log's own."""
ROWS_PER_CELL = {"easy": 1.5, "medium": 2 + 1.5, "adversarial": 2 + 9 * 1.5}
ACCOUNTS, PRODUCTS = (20, 500), (5, 50)


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """About `rate` of the events more: rings of 20 to 500 accounts and 5 to 50 products nobody cared for."""
    if "events" not in tables or not len(deliberate(tables["events"])):
        return tables, Truth(CHECK).table()
    rng = np.random.default_rng([seed, 8])
    shop, added, budget = _Shop(tables["events"]), Added(tables, CHECK), rate * len(tables["events"])
    ring = 0
    while not ring or budget - len(added) > 100 * ROWS_PER_CELL[difficulty]:
        cells = (budget - len(added)) / (ROWS_PER_CELL[difficulty] * DENSITY[difficulty])
        accounts = min(int(rng.integers(20, 61 if cells < 5000 else 501)), max(20, int(cells / 5)))
        size = min(int(rng.integers(5, 51)), max(5, int(cells / accounts)))
        _ring(added, shop, f"{seed}-{ring}", (accounts, size), difficulty=difficulty, rng=rng)
        ring += 1
    if "products" in tables:
        pushed = {added.columns["product"][row] for row, kind in enumerate(added.kinds) if kind == "ring"}
        for row, id in zip(*(tables["products"][name].to_pylist() for name in ("row_id", "id")), strict=True):
            if id in pushed:
                added.truth.add("products", row, "implied_boosted")
    return added.done()


class _Shop:
    """What real shoppers do, for rings to look like them."""

    def __init__(self, events: pa.Table) -> None:
        names = ("product", "shopper", "price", "device", "place", "time")
        self.product, shopper, self.price, self.device, self.place, times = facts(events, deliberate(events), *names)
        wanted = Counter(product for product, _ in sorted(set(zip(self.product, shopper, strict=True))))
        middle = np.median(list(wanted.values()))
        self.weak = sorted(product for product, count in wanted.items() if count <= middle)
        self.paid = {product: price for product, price in zip(self.product, self.price, strict=True) if price}
        self.first, self.last = min(times), max(times)


def _ring(
    added: Added, shop: _Shop, name: str, size: tuple[int, int], *, difficulty: Difficulty, rng: np.random.Generator
) -> None:
    targets = [shop.weak.pop(int(rng.integers(len(shop.weak)))) for _ in range(min(size[1], len(shop.weak) - 1))]
    length = min(SPREAD[difficulty] * DAY, shop.last - shop.first)
    start = shop.first + int(rng.integers(0, max(1, shop.last - shop.first - length)))
    share = CAMOUFLAGE[difficulty]
    for number in range(size[0]):
        like = int(rng.integers(len(shop.device)))
        account = {"shopper": f"N{name}-{number}", "device": shop.device[like], "place": shop.place[like]}
        mine = [target for target in targets if rng.random() < DENSITY[difficulty]]
        hide = rng.integers(0, len(shop.product), round(len(mine) * share / (1 - share)))
        bought = [("ring", target) for target in mine]
        bought += [("implied_camouflage", shop.product[place]) for place in hide.tolist()]
        for step, (kind, product) in enumerate(bought):
            moment = start + int(rng.integers(0, max(1, length)))
            about: dict[str, Any] = {**account, "product": product, "session": f"N{name}-{number}-{step}"}
            ring = kind == "ring"
            if not ring or difficulty != "easy" or rng.random() < 0.5:
                added.add(kind, type="click", time=moment, **about)
            if ring or rng.random() < 0.5:
                price = shop.paid.get(product, 20.0)
                added.add(kind, type="purchase", time=moment + 70_000, quantity=1.0, price=price, **about)
