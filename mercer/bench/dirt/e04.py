"""Events in, the same with some whose step before is gone or comes after them out (E04)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed
from mercer.bench.dirt.added import DAY, Added

CHECK = "E04"
KINDS = {
    "easy": ("no_price", "refund_unknown", "bought_unopened"),
    "medium": ("no_price", "refund_unknown", "refund_above", "bought_unopened", "clicked_unshown"),
    "adversarial": ("refund_above", "bought_early", "clicked_early"),
}


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Prices taken from sales; events of products that were never shown, opened or bought, or only seconds later."""
    events = tables.get("events")
    if events is None or not any(events["time"].to_pylist()):
        return tables, Truth(CHECK).table()
    rng = np.random.default_rng([seed, 4])
    rows = {name: events[name].to_pylist() for name in ("type", "shopper", "session", "product", "time", "quantity")}
    by_kind = {
        kind: [row for row, type_ in enumerate(rows["type"]) if type_ == kind and _whole(rows, row)]
        for kind in ("impression", "click", "purchase")
    }
    late = max(time for time in rows["time"] if time) - 30 * DAY
    goods = sorted({product for product in rows["product"] if product})
    added = Added(tables, CHECK)
    unpriced: dict[int, None] = {}
    for number in range(max(1, round(rate * len(events)))):
        kind = KINDS[difficulty][number % len(KINDS[difficulty])]
        needs = {"clicked_early": "click", "clicked_unshown": "click"}.get(kind, "purchase")
        lacks = kind.startswith(("clicked", "bought")) and not by_kind["click"]
        if not by_kind[needs] or lacks or (kind.startswith("clicked") and not by_kind["impression"]):
            continue
        row = by_kind[needs][int(rng.integers(len(by_kind[needs])))]
        about = {name: rows[name][row] for name in ("shopper", "session", "product", "time")}
        other = goods[int(rng.integers(len(goods)))]
        if kind == "no_price":
            if row not in unpriced:
                unpriced[row] = None
        elif kind.startswith("refund"):
            amount = (rows["quantity"][row] or 1.0) * (1000.0 if kind == "refund_above" else 1.0)
            if kind == "refund_unknown":
                about["product"], about["shopper"] = other, f"R{seed}-{number}"
            about["time"] = max(about["time"] + 5 * DAY, late + int(rng.integers(DAY)))
            added.add(kind, type="refund", quantity=amount, price=9.0, **about | {"session": f"R{seed}-{number}"})
        elif kind.endswith("early"):
            step = {"clicked_early": "impression", "bought_early": "click"}[kind]
            act = {"clicked_early": "click", "bought_early": "purchase"}[kind]
            about["session"] = f"F{seed}-{number}"
            added.add(kind, type=act, price=9.0 if act == "purchase" else None, **about)
            if act == "purchase":
                added.add("implied_shown", **about | {"type": "impression", "time": about["time"] + 1000})
            added.add("implied_step", **about | {"type": step, "time": about["time"] + 5000})
        else:
            act = "click" if kind == "clicked_unshown" else "purchase"
            about |= {"product": other, "session": f"F{seed}-{number}"}
            added.add(kind, type=act, price=9.0 if act == "purchase" else None, **about)
    if unpriced:
        added.events = changed(events, "price", unpriced)
        ids = events["row_id"].to_pylist()
        for row in unpriced:
            added.truth.add("events", ids[row], "no_price")
    return added.done()


def _whole(rows: dict[str, list[object]], row: int) -> bool:
    return all(rows[name][row] is not None for name in ("shopper", "session", "product", "time"))
