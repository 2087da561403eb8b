"""Clean tables in, dirt of known kind and place out: one injector a file, found by its CHECK.

A file here with ``CHECK = "E08"`` and ``inject(tables, rate, difficulty, seed) -> (tables, truth)`` is an injector.
`tables` has canonical columns with row_id by family; a result may also hold ``FAMILY.malformed`` and ``FAMILY.uncast``
(as the reader gives them). An injector without its family gives the tables back and an empty truth; nothing it is
given is changed in place. `rate` is a share of the rows of a family. The truth says which rows the check should find,
row -1 for the whole file; a kind that starts with ``implied`` may be found too, and is asked for by nobody.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "IMPLIED",
    "TRUTH",
    "Difficulty",
    "Injector",
    "Tables",
    "Truth",
    "appended",
    "changed",
    "filled",
    "injectors",
    "unfit",
    "unread",
    "victims",
]

Tables = dict[str, pa.Table]
Difficulty = Literal["easy", "medium", "adversarial"]
IMPLIED = "implied"
TRUTH = pa.schema([("family", pa.string()), ("row_id", pa.int64()), ("check", pa.string()), ("kind", pa.string())])
MALFORMED = pa.schema([("row_id", pa.int64()), ("line", pa.int64()), ("text", pa.string()), ("problem", pa.string())])
UNCAST = pa.schema([("row_id", pa.int64()), ("field", pa.string()), ("text", pa.string())])


class Injector(Protocol):
    """A module of this folder."""

    CHECK: str

    def inject(self, tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]: ...


def injectors() -> dict[str, Injector]:
    """Every injector of this folder by the id of its check."""
    found: dict[str, Injector] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded: Any = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(loaded, "CHECK"):
            found[loaded.CHECK] = loaded
    return dict(sorted(found.items()))


class Truth:
    """Collects which rows were hurt."""

    def __init__(self, check: str) -> None:
        self.check = check
        self.rows: list[tuple[str, int, str, str]] = []

    def add(self, family: str, row_id: int, kind: str) -> None:
        self.rows.append((family, int(row_id), self.check, kind))

    def table(self) -> pa.Table:
        return pa.Table.from_pylist([dict(zip(TRUTH.names, row, strict=True)) for row in self.rows], schema=TRUTH)


def victims(
    table: pa.Table, rate: float, rng: np.random.Generator, *, among: Sequence[int] | np.ndarray | None = None
) -> list[int]:
    """Positions of `rate` of the rows, at least one, of `among` where only these can be hurt."""
    rows = np.arange(len(table)) if among is None else np.asarray(among, np.int64)
    wanted = min(len(rows), max(1, int(rate * len(table) + rng.random())))
    return sorted(rng.permutation(rows)[:wanted].tolist())


def changed(table: pa.Table, field: str, values: Mapping[int, object]) -> pa.Table:
    """The table with other values at some positions of one column."""
    if not values:
        return table
    at = table.schema.get_field_index(field)
    kind = table.schema.field(at)
    mask = np.zeros(len(table), bool)
    mask[list(values)] = True
    put = pa.array([values[row] for row in sorted(values)], kind.type)
    column = pc.replace_with_mask(pa.concat_arrays(table[field].chunks), pa.array(mask), put)
    return table.set_column(at, kind, column)


def appended(
    table: pa.Table, rows: Sequence[int], changes: Mapping[str, Mapping[int, object]], *, sides: Iterable[pa.Table] = ()
) -> tuple[pa.Table, list[int]]:
    """The table with copies of some rows after its last, and the row_ids of the copies.

    Args:
        table: with row_id.
        rows: positions to copy.
        changes: column → number of the copy (0 is the first) → its value.
        sides: tables whose row_ids are taken too.
    """
    copies = table.take(pa.array(rows, pa.int64()))
    for field, values in changes.items():
        copies = changed(copies, field, values)
    taken = [pc.max(side["row_id"]).as_py() for side in (table, *sides) if len(side)]
    new = [max(taken, default=-1) + 1 + number for number in range(len(rows))]
    copies = changed(copies, "row_id", dict(enumerate(new)))
    return pa.concat_tables([table, copies]), new


def unread(tables: Tables, family: str, rows: Sequence[int], texts: Sequence[str], problem: str) -> Tables:
    """Rows that could not be parsed: they leave the table and stand in ``FAMILY.malformed``."""
    table = tables[family]
    ids = table["row_id"].take(pa.array(rows, pa.int64())).to_pylist()
    lines = [
        {"row_id": id, "line": id + 1, "text": text, "problem": problem} for id, text in zip(ids, texts, strict=True)
    ]
    before = tables.get(f"{family}.malformed", MALFORMED.empty_table())
    keep = np.ones(len(table), bool)
    keep[list(rows)] = False
    added = pa.Table.from_pylist(lines, schema=MALFORMED)
    return {**tables, family: table.filter(pa.array(keep)), f"{family}.malformed": pa.concat_tables([before, added])}


def unfit(tables: Tables, family: str, field: str, texts: Mapping[int, str]) -> Tables:
    """Values that fit no type: null in the table, their text in ``FAMILY.uncast``."""
    ids = tables[family]["row_id"].to_pylist()
    lines = [{"row_id": ids[row], "field": field, "text": text} for row, text in texts.items()]
    before = tables.get(f"{family}.uncast", UNCAST.empty_table())
    table = changed(tables[family], field, dict.fromkeys(texts))
    return {
        **tables,
        family: table,
        f"{family}.uncast": pa.concat_tables([before, pa.Table.from_pylist(lines, UNCAST)]),
    }


def filled(table: pa.Table, field: str) -> np.ndarray:
    """Positions where a column says something."""
    if field not in table.column_names:
        return np.empty(0, np.int64)
    return np.flatnonzero(table[field].is_valid().to_numpy())
