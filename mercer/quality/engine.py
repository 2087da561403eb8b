"""Arrow tables in; frames that a relational check can ask, and their answers as Arrow tables, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pyarrow as pa

__all__ = ["DuckEngine", "Engine"]

BATCH_ROWS = 65_536
"""Rows of one RecordBatch given to a batch check: some 10 to 100 MB of catalogue text."""


class Engine(Protocol):
    """Where checks run. Every engine finds the same rows; a parity test holds them to it."""

    name: str

    def frames(self, tables: Mapping[str, pa.Table]) -> dict[str, nw.LazyFrame[Any]]:
        """The tables as lazy frames of this engine."""

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """The answer to a question."""

    def map_batches(self, function: Callable[[pa.RecordBatch], pa.RecordBatch], table: pa.Table) -> pa.Table:
        """`function` over every RecordBatch of a table."""

    def close(self) -> None:
        """Give back what the engine holds."""


class DuckEngine:
    """DuckDB in this process, over Arrow memory: nothing to start, nothing to install."""

    name = "duckdb"

    def __init__(self) -> None:
        import duckdb

        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._count = 0

    def frames(self, tables: Mapping[str, pa.Table]) -> dict[str, nw.LazyFrame[Any]]:
        import narwhals.stable.v2 as nw

        frames = {}
        for name, table in tables.items():
            self._count += 1
            view = f"t{self._count}"
            self._connection.register(view, table)
            frames[name] = nw.from_native(self._connection.table(view))
        return frames

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        import pyarrow as pa

        table = frame.collect("pyarrow").to_native()
        assert isinstance(table, pa.Table)
        return table

    def map_batches(self, function: Callable[[pa.RecordBatch], pa.RecordBatch], table: pa.Table) -> pa.Table:
        import pyarrow as pa

        from mercer.quality.finding import batch_schema

        pieces = [function(batch) for batch in table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS)]
        return pa.Table.from_batches(pieces, schema=batch_schema())

    def close(self) -> None:
        self._connection.close()
