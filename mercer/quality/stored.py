"""Parquet files in; a table that is read column by column or block by block, and never whole unless asked, out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BLOCK", "Stored", "spool"]

BLOCK = 1 << 18
"""Rows of one row group, and of one block: 30 MB of events."""


class Stored:
    """Rows of one family in Parquet files that follow each other; asked like an Arrow table.

    What is not here (`filter`, `to_pylist`, ...) is asked of `table()`, which holds all rows in memory.
    """

    def __init__(self, paths: Sequence[Path], schema: pa.Schema) -> None:
        """Look at the files' footers.

        Args:
            paths: of the files, in the order of their row_ids.
            schema: that all of them have.
        """
        import pyarrow.parquet as pq

        self.paths = tuple(paths)
        self.schema = schema
        self.num_rows: int = sum(pq.read_metadata(path).num_rows for path in self.paths)

    @property
    def column_names(self) -> list[str]:
        return list(self.schema.names)

    def __len__(self) -> int:
        return self.num_rows

    def select(self, names: Sequence[str]) -> pa.Table:
        """Some columns, in memory."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([self.schema.field(name) for name in names])
        pieces = [pq.ParquetFile(path).read(columns=list(names)).select(list(names)) for path in self.paths]
        return pa.concat_tables([schema.empty_table(), *(piece.cast(schema) for piece in pieces)])

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        return self.select([name])[name]

    def table(self) -> pa.Table:
        """All rows, in memory."""
        return self.select(self.column_names)

    def blocks(self, size: int = BLOCK) -> Iterator[pa.Table]:
        """The rows in tables of at most `size` rows; each file begins a new one."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path in self.paths:
            for batch in pq.ParquetFile(path).iter_batches(size):
                yield pa.Table.from_batches([batch]).select(self.column_names).cast(self.schema)

    def rows(self, ids: Iterable[int]) -> pa.Table:
        """The rows with these row_ids."""
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array(sorted(ids), pa.int64())
        pieces = [self.schema.empty_table()]
        if len(wanted):
            pieces += (block.filter(pc.is_in(block["row_id"], value_set=wanted)) for block in self.blocks())
        return pa.concat_tables(pieces)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.table(), name)


def spool(tables: Iterable[pa.Table], path: Path, schema: pa.Schema) -> Stored:
    """Write tables one after another into one file, in row groups of `BLOCK` rows, under a temporary name first."""
    import pyarrow.parquet as pq

    from mercer.shop import disk_errors

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with disk_errors(path):
        try:
            with pq.ParquetWriter(temporary, schema, compression="zstd", compression_level=1) as file:
                for block in _even(tables, schema):
                    file.write_table(block, row_group_size=BLOCK)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return Stored((path,), schema)


def _even(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in tables of `BLOCK` rows, the last one shorter."""
    import pyarrow as pa

    held: list[pa.Table] = []
    count = 0
    for table in tables:
        held.append(table)
        count += table.num_rows
        if count >= BLOCK:
            whole = pa.concat_tables(held)
            full = count - count % BLOCK
            for at in range(0, full, BLOCK):
                yield whole.slice(at, BLOCK)
            held, count = [whole.slice(full)], count - full
    if count:
        yield pa.concat_tables([schema.empty_table(), *held])
