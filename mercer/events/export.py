"""Events in; one Parquet file in the canonical columns of the family ``events`` out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import count, islice
from pathlib import Path

from mercer.records import Event

__all__ = ["export"]

BATCH = 50_000
"""Rows of one row group."""

TEXTS = ("shopper", "session", "query_id", "device", "place")
"""Fields that are "" in a record and null in a table where they are missing."""


def export(events: Iterable[Event], path: Path) -> int:
    """Write events in the order given, under a temporary name first; returns how many."""
    import pyarrow as pa
    from pyarrow import parquet

    from mercer.shop import disk_errors

    text, number, real = pa.string(), pa.int64(), pa.float64()
    schema = pa.schema([
        ("event_id", text), ("type", text), ("shopper", text), ("session", text), ("product", text),
        ("query_id", text), ("position", number), ("quantity", real), ("price", real), ("time", number),
        ("device", text), ("place", text), ("row_id", number),
    ])  # fmt: skip
    rows, left, written = count(), iter(events), 0
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with disk_errors(path):
        try:
            with parquet.ParquetWriter(temporary, schema) as file:
                while batch := list(islice(left, BATCH)):
                    table = [_row(event) | {"row_id": next(rows)} for event in batch]
                    file.write_table(pa.Table.from_pylist(table, schema=schema))
                    written += len(batch)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return written


def _row(event: Event) -> dict[str, object]:
    row = {name: getattr(event, name) for name in ("type", "product", "time", "position", "quantity", "price")}
    return row | {"event_id": event.id} | {name: getattr(event, name) or None for name in TEXTS}
