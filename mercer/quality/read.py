"""A file of any supported format and encoding in; one family's canonical columns and every row that did not fit out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Raw", "read"]


@dataclass(frozen=True, slots=True)
class Raw:
    """One file as read: nothing judged yet, nothing lost."""

    family: str
    path: Path
    encoding: str
    """As found: "UTF-8", "UTF-8 with BOM", "UTF-16", "GB18030", "Latin-1"; "" for Parquet."""
    format: str
    """csv, jsonl, parquet or trec."""
    table: pa.Table
    """`SCHEMAS[family]`: row_id and every canonical column; what the file lacks is null; NaN and infinities stay."""
    malformed: pa.Table
    """Rows that could not be parsed at all: row_id i64, line i64 (1-based), text str, problem str."""
    uncast: pa.Table
    """Values that are present but fit no type: row_id i64, field str, text str."""
    unmapped: tuple[str, ...]
    """Raw columns that no canonical column uses."""
    mapping: Mapping[str, str]
    """Canonical column → raw column or "=constant", as used."""
    rows: int
    """Data rows in the file, malformed ones included."""


def read(
    family: str,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    tick: Callable[[int], None] | None = None,
) -> Raw:
    """Read one file of `family`.

    Args:
        family: products, events, queries, judgments, reviews or faq.
        path: CSV (any delimiter), JSONL, Parquet or TREC qrels; plain, .gz or .zst.
        mapping: canonical column → raw column, or "=constant"; guessed where None.
        timezone: IANA name that times without an offset are in.
        tick: called with the number of rows read, as they are read.

    Raises:
        NotFoundError: no such file.
        FormatError: empty, a folder, or no table.
        EncodingError: bytes that are no text.
    """
    raise NotImplementedError
