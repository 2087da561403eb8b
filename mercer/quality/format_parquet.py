"""A Parquet file in; raw columns as it holds them, nested ones as JSON text, out."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import FormatError
from mercer.quality.encoding import chunks
from mercer.quality.rows import Batch

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

__all__ = ["MAGIC", "batches", "columns", "opened"]

MAGIC = b"PAR1"
ROWS = 1 << 18
"""Rows a batch."""


def opened(path: Path) -> ParquetFile:
    """The file, unpacked in memory where it is compressed as a whole.

    Raises:
        FormatError: it is damaged or cut off.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with open(path, "rb") as handle:
        plain = handle.read(4) == MAGIC
    try:
        return parquet.ParquetFile(path if plain else io.BytesIO(b"".join(chunks(path))))
    except (pa.ArrowInvalid, OSError) as error:
        raise FormatError(f"{path} is damaged Parquet: {error}", cure="copy or export it again") from error


def columns(file: ParquetFile) -> tuple[str, ...]:
    """Names of columns, fields of structs with dots."""
    import pyarrow as pa

    found: list[str] = []

    def walk(field: Any, name: str) -> None:
        found.append(name)
        if pa.types.is_struct(field.type):
            for place in range(field.type.num_fields):
                walk(field.type.field(place), f"{name}.{field.type.field(place).name}")

    for field in file.schema_arrow:
        walk(field, field.name)
    return tuple(found)


def batches(file: ParquetFile, wanted: Sequence[str]) -> Iterator[Batch]:
    """The `wanted` columns, batch by batch."""
    import pyarrow as pa

    row = 0
    top = file.schema_arrow.names
    needed = [name for name in top if any(want == name or want.startswith(f"{name}.") for want in wanted)]
    try:
        for piece in file.iter_batches(batch_size=ROWS, columns=needed):
            found = {name: _column(piece, name, top) for name in wanted}
            yield Batch(np.arange(row, row + piece.num_rows), found, piece.num_rows)
            row += piece.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise FormatError(
            f"the Parquet file is damaged after row {row}: {error}", cure="copy or export it again"
        ) from error


def _column(piece: pa.RecordBatch, name: str, top: Sequence[str]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if name in top:
        array = piece.column(name)
    else:
        first = next(field for field in top if name.startswith(f"{field}."))
        array = pc.struct_field(piece.column(first), name[len(first) + 1 :].split("."))
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return _json(array) if pa.types.is_nested(array.type) else array


def _json(array: pa.Array) -> pa.Array:
    import duckdb
    import pyarrow as pa

    with duckdb.connect() as connection:
        connection.register("nested", pa.table({"value": array}))
        sql = "select case when value is not null then to_json(value)::varchar end as value from nested"
        return connection.sql(sql).to_arrow_table()["value"].combine_chunks()
