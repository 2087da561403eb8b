"""An events table and invented rows in; the table with them at its end, and the truth about them, out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mercer.bench.dirt import Tables, Truth

__all__ = ["DAY", "Added", "deliberate", "facts"]

DAY = 86_400_000
DELIBERATE = ("view", "click", "add_to_cart", "purchase", "like")


class Added:
    """Collects columns of invented events and says, of each, what kind of fault it is."""

    def __init__(self, tables: Tables, check: str) -> None:
        self.tables, self.events, self.truth = tables, tables["events"], Truth(check)
        self.columns: dict[str, list[Any]] = {name: [] for name in self.events.column_names}
        self.kinds: list[str] = []

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, kind: str, **values: Any) -> None:
        """One event; columns that are not given are null."""
        for name, column in self.columns.items():
            column.append(values.get(name))
        self.kinds.append(kind)

    def done(self) -> tuple[Tables, pa.Table]:
        """All tables with the longer events, and the truth."""
        sides = [self.events, *(side for name, side in self.tables.items() if name == "events.malformed")]
        first = 1 + max((pc.max(side["row_id"]).as_py() for side in sides if len(side)), default=-1)
        numbers = list(range(first, first + len(self.kinds)))
        self.columns |= {"row_id": numbers, "event_id": [f"X{number}" for number in numbers]}
        schema = self.events.schema
        added = pa.table(
            [pa.array(self.columns[name], schema.field(name).type) for name in schema.names], schema=schema
        )
        for number, kind in zip(numbers, self.kinds, strict=True):
            self.truth.add("events", number, kind)
        return {**self.tables, "events": pa.concat_tables([self.events, added])}, self.truth.table()


def deliberate(events: pa.Table) -> NDArray[np.int64]:
    """Positions of the events that a known shopper chose to make."""
    mask = pc.is_in(events["type"], pa.array(DELIBERATE))
    for name in ("product", "shopper", "time"):
        mask = pc.and_(mask, pc.is_valid(events[name]))
    places: NDArray[np.int64] = np.flatnonzero(mask.to_numpy().astype(bool))
    return places


def facts(events: pa.Table, places: NDArray[np.int64], *names: str) -> list[list[Any]]:
    """Columns of some events as lists."""
    some = events.select(list(names)).take(pa.array(places))
    return [some[name].to_pylist() for name in names]
