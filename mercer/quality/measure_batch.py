"""A family's table in; the numbers by which one delivery is like another out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["HISTORY", "history_table", "measure"]

HISTORY = "policy.history"
"""Name among a check's inputs of the runs so far: run (0 is the oldest), family, name, value."""
MIXES: Mapping[str, tuple[str, ...]] = {
    "products": ("category", "currency", "availability"),
    "events": ("type", "device", "place"),
}
"""Columns of few values, whose shares are measured; of a category its first level."""
MOST = 20
"""Values of such a column that are followed."""
IDENTITIES = frozenset(("id", "event_id", "query_id", "row_id", "url", "image", "time", "session", "derived"))
"""Columns whose mean says nothing."""


def measure(family: str, table: pa.Table, *, most: int | None = MOST) -> dict[str, float]:
    """Rows (as a logarithm), and by column the share of nulls, the share of distinct values, the mean or mean length.

    For columns of `MIXES` the share of each value; for pairs of columns that belong together how well they do: a column
    that was shuffled or shifted changes nothing else.

    Args:
        family: whose table it is.
        table: canonical columns.
        most: values of a column of `MIXES` whose share is told, the largest first; None: all.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    count = table.num_rows
    found = {"rows": math.log(count)} if count else {"rows": -1.0}
    for name in table.column_names if count else ():
        column = table[name]
        if name == "row_id" or column.null_count == count:
            continue
        found[f"{name}: nulls"] = column.null_count / count
        found[f"{name}: distinct"] = pc.count_distinct(column).as_py() / (count - column.null_count)
        if name not in IDENTITIES:
            text = pa.types.is_string(column.type)
            values = pc.utf8_length(column) if text else pc.log1p(pc.abs(pc.cast(column, pa.float64(), safe=False)))
            mean = pc.mean(values).as_py()
            if mean is not None and math.isfinite(mean):
                found[f"{name}: mean {'length' if text else 'logarithm'}"] = mean
    for name in MIXES.get(family, ()):
        if name in table.column_names:
            found |= _mix(name, table[name], most)
    return found | _together(family, table)


def _mix(name: str, column: pa.ChunkedArray, most: int | None) -> dict[str, float]:
    import pyarrow.compute as pc

    values = pc.list_element(pc.split_pattern(column, " > "), 0) if name == "category" else column
    counts = sorted(((row["counts"], row["values"]) for row in pc.value_counts(values).to_pylist()), key=_largest)
    total = sum(number for number, _ in counts)
    return {f"{name}: share of {value}": number / total for number, value in counts[:most] if value is not None}


def _largest(pair: tuple[int, str | None]) -> tuple[int, str]:
    return (-pair[0], pair[1] or "")


def _together(family: str, table: pa.Table) -> dict[str, float]:
    """How much of the price its group explains, and how many titles name their brand."""
    found: dict[str, float] = {}
    group = {"products": "category", "events": "product"}.get(family)
    if group and {group, "price"} <= set(table.column_names):
        explained = _explained(table[group].to_pylist(), table["price"].to_pylist())
        if explained is not None:
            found[f"price by {group}"] = explained
    if family == "events" and {"type", "price"} <= set(table.column_names):
        priced = [price is not None for kind, price in zip(table["type"].to_pylist(), table["price"].to_pylist(),
                  strict=True) if kind == "purchase"]  # fmt: skip
        if len(priced) >= 20:
            found["purchases with a price"] = sum(priced) / len(priced)
    if family == "products" and {"title", "brand"} <= set(table.column_names):
        pairs = [(title.lower(), brand.lower()) for title, brand in zip(table["title"].to_pylist(),
                 table["brand"].to_pylist(), strict=True) if title and brand]  # fmt: skip
        if len(pairs) >= 20:
            found["titles that name their brand"] = sum(brand[:4] in title for title, brand in pairs) / len(pairs)
    return found


def _explained(groups: Sequence[Any], prices: Sequence[float | None]) -> float | None:
    """Share of the variance of log prices that lies between groups."""
    rows = [
        (group, math.log(price))
        for group, price in zip(groups, prices, strict=True)
        if group and price and 0 < price < math.inf
    ]
    if len(rows) < 50:
        return None
    _, codes = np.unique([str(group) for group, _ in rows], return_inverse=True)
    values = np.array([value for _, value in rows])
    means = np.bincount(codes, values) / np.bincount(codes)
    total = float(values.var())
    return float(((means[codes] - values.mean()) ** 2).mean() / total) if total > 0 else None


def history_table(runs: Iterable[Mapping[str, Mapping[str, float]]]) -> pa.Table:
    """What `HISTORY` holds, from family → name → value of each run, oldest first."""
    import pyarrow as pa

    rows = [
        {"run": run, "family": family, "name": name, "value": value}
        for run, measured in enumerate(runs)
        for family, values in measured.items()
        for name, value in values.items()
    ]
    kinds = [("run", pa.int64()), ("family", pa.string()), ("name", pa.string()), ("value", pa.float64())]
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))
