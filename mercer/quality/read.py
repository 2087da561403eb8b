"""A file of any supported format and encoding in; one family's canonical columns and every row that did not fit out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import FormatError, SettingsError
from mercer.quality import schema
from mercer.quality.cast import Cast
from mercer.quality.conceal import masker
from mercer.quality.expression import parse
from mercer.quality.mapping import guess, unused
from mercer.quality.rows import Bad
from mercer.quality.schema import FAMILIES
from mercer.quality.stored import Stored, spool
from mercer.quality.table_file import TableFile

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.erased import Erased
    from mercer.quality.part import Part

__all__ = ["Raw", "read"]


@dataclass(frozen=True, slots=True)
class Raw:
    """One file as read: nothing judged yet, nothing lost."""

    family: str
    path: Path
    encoding: str
    """As found: "UTF-8", "UTF-8 with BOM", "UTF-16", "GB18030", "Latin-1"; "" for Parquet."""
    format: str
    """csv, jsonl, parquet or trec; "derived" for a catalogue worked out from events."""
    table: pa.Table | Stored
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
    parts: tuple[Part, ...] = ()
    """The files of a family that is kept file by file; empty where `table` is in memory."""


def read(
    family: str,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    first: int = 0,
    kept: Path | None = None,
    erased: Erased | None = None,
    tick: Callable[[int], None] | None = None,
) -> Raw:
    """Read one file of `family`.

    Args:
        family: products, events, queries, judgments, reviews or faq.
        path: CSV (any delimiter), JSONL, Parquet or TREC qrels; plain, .gz or .zst.
        mapping: canonical column → raw column, or "=constant"; guessed where None.
        timezone: IANA name that times without an offset are in.
        first: row_id of the file's first row, where other files come before it.
        kept: a Parquet file to write the table to while it is read; `Raw.table` is `Stored` then.
        erased: whose rows are passed over, as if the file had not had them.
        tick: called with the number of rows read, as they are read.

    Raises:
        NotFoundError: no such file.
        FormatError: empty, a folder, a header alone, or not one row that parses.
        EncodingError: bytes that are no text.
        SettingsError: an unknown family, timezone or column in `mapping`.
    """
    if family not in FAMILIES:
        raise SettingsError(f"family {family!r} is unknown", cure=f"give one of {', '.join(FAMILIES)}")
    path = Path(path)
    file = TableFile(path, family)
    used = dict(mapping) if mapping is not None else guess(family, path, file=file).mapping
    expressions = parse(family, used, file.columns, closed=file.closed)
    wanted = tuple(dict.fromkeys(name for expression in expressions.values() for name in expression.columns))
    cast, bad = Cast(family, expressions, timezone), Bad()
    counted = [0]

    def tables() -> Iterator[pa.Table]:
        for batch in file.batches(wanted, bad):
            if len(batch.rows):
                made = cast(replace(batch, rows=batch.rows + first) if first else batch)
                yield erased.keep(made) if erased else made
            counted[0] += batch.read
            if tick:
                tick(batch.read)

    table = _table(family, path, tables(), bad, kept, lost=bool(erased))
    malformed = bad.table()
    if erased:
        stay = [row for row in malformed.to_pylist() if not erased.names(row["text"])]
        malformed = malformed.from_pylist(stay, schema=malformed.schema)
    return Raw(
        family=family,
        path=path,
        encoding=file.encoding,
        format=file.format,
        table=table,
        malformed=_later(malformed, first) if first else malformed,
        uncast=_uncast(cast),
        unmapped=() if file.format == "trec" else unused(tuple(dict.fromkeys([*file.columns, *file.seen])), wanted),
        mapping=used,
        rows=counted[0],
    )


def _table(
    family: str, path: Path, tables: Iterator[pa.Table], bad: Bad, kept: Path | None, *, lost: bool
) -> pa.Table | Stored:
    import pyarrow as pa

    if kept is not None:
        found: Any = spool(tables, kept, schema.SCHEMAS[family])
    else:
        pieces = list(tables)
        found = pa.concat_tables(pieces) if pieces else schema.SCHEMAS[family].empty_table()
    if found.num_rows or (lost and not bad.rows):  # all of them may be of shoppers who were erased
        return found
    if bad.rows:
        _, line, text, problem = bad.rows[0]
        shown = masker("", salt="")(text[:500])[:60]
        raise FormatError(
            f"{path}: none of {len(bad.rows)} rows parses; line {line} {shown!r}: {problem}",
            cure=f"export {family} again as CSV, JSON lines or Parquet",
        )
    raise FormatError(f"{path} has a header and no rows", cure="export the rows too, or take it out of [data]")


def _later(malformed: pa.Table, first: int) -> pa.Table:
    """The same rows, their row_ids counted from `first`."""
    import pyarrow.compute as pc

    return malformed.set_column(0, "row_id", pc.add(malformed["row_id"], first))


def _uncast(cast: Cast) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([("row_id", pa.int64()), ("field", pa.string()), ("text", pa.string())])
    columns = list(zip(*sorted(cast.uncast), strict=True)) or [(), (), ()]
    return pa.table([pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)], schema)
