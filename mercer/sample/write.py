"""Tables in, the raw files a shop would hand over out, the same bytes every time."""

from __future__ import annotations

import errno
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import DiskFull, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["csv_lines", "json_lines", "qrels", "save", "zipped"]

NESTED = ("attributes",)
"""Columns that hold JSON and are written as what they hold."""


def json_lines(table: pa.Table) -> list[str]:
    """One JSON object a row, without the fields that are null."""
    return [json.dumps(_row(row), ensure_ascii=False) for row in table.to_pylist()]


def csv_lines(table: pa.Table, *, separator: str = ",") -> list[str]:
    """Header and rows, nothing quoted.

    Raises:
        pyarrow.ArrowInvalid: a text holds a separator, a quote or a line feed (the sample's own words never do).
    """
    import pyarrow.csv

    stream = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none", delimiter=separator)
    pyarrow.csv.write_csv(table, stream, options)
    return [separator.join(table.column_names), *stream.getvalue().decode().splitlines()]


def qrels(table: pa.Table) -> list[str]:
    """TREC: query, 0, product, grade."""
    columns = [table[name].to_pylist() for name in ("query_id", "product", "grade")]
    return [f"{query} 0 {product} {grade:g}" for query, product, grade in zip(*columns, strict=True)]


def save(path: Path, content: Sequence[str] | bytes) -> None:
    """Write lines (each ended by a line feed) or bytes.

    Raises:
        DiskFull: there is no room for it.
        UsageError: the place cannot be written to.
    """
    data = content if isinstance(content, bytes) else ("\n".join(content) + "\n").encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"no space left for {path.name} ({len(data)} bytes)", cure="free some space") from error
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", cure="give a folder you may write to"
        ) from error


def zipped(lines: Sequence[str]) -> bytes:
    """gzip without a time or a name inside, so that the bytes do not change from run to run."""
    return gzip.compress(("\n".join(lines) + "\n").encode(), compresslevel=6, mtime=0)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: json.loads(value) if name in NESTED else value for name, value in row.items() if value is not None}
