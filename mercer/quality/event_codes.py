"""A table of events in; who did what when, as integer codes that several checks share, out."""

from __future__ import annotations

import weakref
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.records import ACTIONS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["EventCodes", "codes_of", "combined"]

Whole = NDArray[np.int64]


class EventCodes:
    """Columns of one table of events as numbers, each made when first asked for; -1 stands for null.

    Text codes are given in the order of first appearance, so the same rows have the same codes on every engine.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = weakref.ref(table)
        self.rows: int = table.num_rows

    def _column(self, name: str) -> pa.ChunkedArray:
        table = self._table()
        assert table is not None, "codes outlive their table"
        return table[name]

    @cached_property
    def row_id(self) -> Whole:
        """Shape (rows,), as are all."""
        values: Whole = self._column("row_id").to_numpy()
        return values

    @cached_property
    def time(self) -> Whole:
        """UTC milliseconds; -1 where there is none."""
        values: Whole = self._column("time").fill_null(-1).to_numpy()
        return values

    @cached_property
    def position(self) -> Whole:
        """From 1; -1 where there is none."""
        values: Whole = self._column("position").fill_null(-1).to_numpy()
        return values

    @cached_property
    def kind(self) -> NDArray[np.int8]:
        """Index into `records.ACTIONS`; -1 for none of them."""
        codes, names = self.encoded("type")
        known = np.array([*(ACTIONS.index(name) if name in ACTIONS else -1 for name in names), -1], np.int8)
        kinds: NDArray[np.int8] = known[codes]
        return kinds

    @cached_property
    def shopper(self) -> NDArray[np.int32]:
        """Code of who."""
        return self._encode("shopper")[0]

    @cached_property
    def session(self) -> NDArray[np.int32]:
        """Code of the session."""
        return self._encode("session")[0]

    @cached_property
    def product(self) -> NDArray[np.int32]:
        """Code of the product."""
        return self._encode("product")[0]

    @cached_property
    def query(self) -> NDArray[np.int32]:
        """Code of the query."""
        return self._encode("query_id")[0]

    def is_kind(self, *names: str) -> NDArray[np.bool_]:
        """Where the action is one of `names`."""
        wanted = [ACTIONS.index(name) for name in names]
        return np.isin(self.kind, wanted)

    def encoded(self, column: str) -> tuple[NDArray[np.int32], list[str]]:
        """Codes and texts of any other column of text."""
        codes, names = self._encode(column)
        return codes, names.to_pylist()

    def names(self, column: str) -> list[str]:
        """Code → text of one column."""
        return self.encoded(column)[1]

    def _encode(self, name: str) -> tuple[NDArray[np.int32], pa.Array]:
        import pyarrow as pa

        encoded = self._column(name).dictionary_encode()  # its chunks share one dictionary
        if not encoded.num_chunks:
            return np.zeros(0, np.int32), pa.array([], pa.string())
        codes = np.concatenate([chunk.indices.fill_null(-1).to_numpy() for chunk in encoded.chunks])
        return codes.astype(np.int32, copy=False), encoded.chunk(encoded.num_chunks - 1).dictionary


def combined(*columns: NDArray[np.integer[Any]]) -> Whole:
    """One code for each row of several columns of codes (-1 and above); equal rows have equal codes."""
    key = columns[0].astype(np.int64) + 1
    for column in columns[1:]:
        size = int(column.max(initial=0)) + 2
        if int(key.max(initial=0)) > 2**62 // size:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
        key = key * size + (column + 1)
    return key


_LAST: dict[str, tuple[weakref.ref[pa.Table], EventCodes]] = {}
"""The one table that the checks of a run ask about; forgotten when the table is."""


def codes_of(table: pa.Table) -> EventCodes:
    """The codes of a table, shared by all who ask while the table lives."""
    held = _LAST.get("table")
    if held is not None and held[0]() is table:
        return held[1]
    codes = EventCodes(table)
    _LAST["table"] = (weakref.ref(table, lambda _: _LAST.clear()), codes)
    return codes
