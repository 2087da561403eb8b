"""Events in, the same with some that cannot be out (E01)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, unfit, unread, victims

CHECK = "E01"
KINDS = {
    "easy": ("type", "product"),
    "medium": ("type", "product", "no_product", "no_time", "malformed", "quantity", "infinite", "free"),
    "adversarial": ("type_case", "product_near"),
}
TYPES = ("heartbeat", "null", "debug_event", "scroll")


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Unknown types and products, nothing where something must be, cut lines, impossible numbers; near misses."""
    truth = Truth(CHECK)
    table = tables.get("events")
    if table is None:
        return tables, truth.table()
    rng = np.random.default_rng(seed)
    types, ids = table["type"].to_pylist(), table["row_id"].to_pylist()
    products, numbers = table["product"].to_pylist(), table["quantity"].to_pylist()
    prices = table["price"].to_pylist()
    values: dict[str, dict[int, object]] = {name: {} for name in ("type", "product", "quantity", "price")}
    times, cut = {}, []
    for number, row in enumerate(victims(table, rate, rng)):
        kind = KINDS[difficulty][number % len(KINDS[difficulty])]
        if kind in ("quantity", "infinite") and not (numbers[row] or 0) > 0:
            kind = "type"
        if kind == "free" and not (types[row] == "purchase" and (prices[row] or 0) > 0):
            kind = "product"
        if kind == "malformed":
            cut.append(row)
        elif kind == "no_time":
            times[row] = ("yesterday", "0000-00-00", "--")[number % 3]
        else:
            field, value = _value(kind, number, str(types[row]), str(products[row]))
            values[field][row] = value
        truth.add("events", ids[row], kind)
    for field, changes in values.items():
        table = changed(table, field, changes)
    tables = {**tables, "events": table}
    if times:
        tables = unfit(tables, "events", "time", times)
    return unread(
        tables, "events", cut, [f"{ids[row]},cut" for row in cut], "2 fields"
    ) if cut else tables, truth.table()


def _value(kind: str, number: int, type_: str, product: str) -> tuple[str, object]:
    made: dict[str, tuple[str, object]] = {
        "type": ("type", TYPES[number % len(TYPES)]),
        "type_case": ("type", (type_.upper(), f"{type_}s", f" {type_}")[number % 3]),
        "product": ("product", f"X{90_000 + number}"),
        "product_near": ("product", (f"{product} ", f"{product}0", product.swapcase() + "'")[number % 3]),
        "no_product": ("product", (None, " ")[number % 2]),
        "quantity": ("quantity", (0.0, -3.0)[number % 2]),
        "infinite": ("quantity", (float("inf"), float("nan"))[number % 2]),
        "free": ("price", 0.0),
    }
    return made[kind]
