"""Line-aligned blocks of delimited text in; raw columns of strings, and the rows that did not parse, out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.quality.dialect import ALONE, Dialect
from mercer.quality.encoding import MARK, shown
from mercer.quality.rows import Bad, Batch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["batches"]

TALLEST_ROW = 500
"""Lines that one quoted row may span; beyond it the quote is taken for a stray one (a guess)."""

NO_TEXT = "bytes that are no text in the file's encoding"

csv.field_size_limit(1 << 28)


def batches(blocks: Iterator[bytes], dialect: Dialect, bad: Bad, *, marked: bool) -> Iterator[Batch]:
    """Raw columns block by block; rows that do not parse go to `bad` with their line."""
    row = line = 0
    skip, carry = dialect.header_lines, b""
    for block, final in _with_last(blocks):
        block = carry + (_single_tabs(block) if dialect.trec else block)  # noqa: PLW2901  # the same lump, made whole
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10) + 1
        if skip:
            passed = min(skip, len(ends))
            block, ends = block[ends[passed - 1] :], ends[passed:] - ends[passed - 1]  # noqa: PLW2901
            skip, line = skip - passed, line + passed
        if not block:
            continue
        parsed = _parse(block, ends, dialect) or _parse_slowly(block, dialect, final=final)
        carry = parsed.rest
        for number, at, text, problem in parsed.faults:
            bad.add(row + number, line + at + 1, shown(text.rstrip("\r\n")), problem)
        batch = Batch(row + parsed.rows, dict(zip(dialect.columns, parsed.table.columns, strict=True)), parsed.count)
        yield _without_marked(batch, line + parsed.lines + 1, bad) if marked else batch
        row, line = row + parsed.count, line + len(ends) - carry.count(b"\n")


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each block, and whether it is the last."""
    before = next(blocks, None)
    for block in blocks:
        yield before or b"", False
        before = block
    if before is not None:
        yield before, True


Fault = tuple[int, int, str, str]
"""Row in the block, line in the block, text, problem."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One block: its good rows, where in the block each one is, and its faults."""

    table: pa.Table
    rows: Any
    lines: Any
    faults: list[Fault]
    count: int
    rest: bytes = b""
    """Lines at the end that may go on in the next block."""


def _single_tabs(block: bytes) -> bytes:
    return re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", block))


def _parse(block: bytes, ends: Any, dialect: Dialect) -> Parsed | None:
    """Arrow's parser over a block in which every row is one line; None where quotes say otherwise."""
    data = np.frombuffer(block, np.uint8)
    if _quotes(dialect):
        quotes = np.flatnonzero(data == 34)
        if len(quotes) and (np.bincount(np.searchsorted(ends, quotes, side="right")) & 1).any():
            return None
        if len(quotes) and _closed(block[ends[-2] if len(ends) > 1 else 0 :].decode().rstrip("\r\n"), dialect) is None:
            return None
    starts = np.concatenate([[0], ends[:-1]])
    length = ends - starts
    blank = (length == 1) | ((length == 2) & (data[starts] == 13))
    lines = np.flatnonzero(~blank)
    if blank.any():
        block = b"".join(block[starts[i] : ends[i]] for i in lines)
    faults: list[Fault] = []

    def fault(number: int, width: int, text: str) -> None:
        faults.append((number, int(lines[number]) if number < len(lines) else -1, text, _width_problem(width, dialect)))

    table = _arrow(block, dialect, fault)
    if table.num_rows + len(faults) != len(lines):
        return None
    good = np.delete(np.arange(len(lines)), [number for number, *_ in faults])
    return Parsed(table, good, lines[good], faults, len(lines))


def _quotes(dialect: Dialect) -> bool:
    return not dialect.trec and dialect.delimiter != ALONE


def _width_problem(width: int, dialect: Dialect) -> str:
    return f"{width} columns where {len(dialect.columns)} are expected"


def _arrow(block: bytes, dialect: Dialect, fault: Any) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    def skip(row: Any) -> str:
        fault(row.number - 1, row.actual_columns, row.text)
        return "skip"

    types = {name: pa.string() for name in dialect.columns}
    if not block:
        return pa.schema(types.items()).empty_table()
    return arrow_csv.read_csv(
        io.BytesIO(block),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, column_names=list(dialect.columns), block_size=max(len(block) + 1, 1 << 16)
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char='"' if _quotes(dialect) else False,
            newlines_in_values=True,
            invalid_row_handler=skip,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types, strings_can_be_null=False, check_utf8=False, include_columns=list(dialect.columns)
        ),
    ).combine_chunks()


def _parse_slowly(block: bytes, dialect: Dialect, *, final: bool) -> Parsed:
    """Python's parser, line by line, for a block with rows over several lines or quotes that never close."""
    import pyarrow as pa

    lines = block.decode().split("\n")[:-1]
    rows: list[list[str]] = []
    good: list[tuple[int, int]] = []
    faults: list[Fault] = []
    at = count = 0
    while at < len(lines):
        if not lines[at].strip("\r"):
            at += 1
            continue
        taken, cells = _one_row(lines, at, dialect) if _quotes(dialect) else (1, lines[at].split(dialect.delimiter))
        if not taken and not final:
            break
        if cells is None:
            faults.append((count, at, lines[at].rstrip("\r"), "a quote that is never closed"))
        elif len(cells) != len(dialect.columns):
            faults.append((count, at, "\n".join(lines[at : at + taken]), _width_problem(len(cells), dialect)))
        else:
            rows.append(cells)
            good.append((count, at))
        at += max(taken, 1)
        count += 1
    columns = list(zip(*rows, strict=True)) or [()] * len(dialect.columns)
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=list(dialect.columns))
    where = np.array(good, np.int64).reshape(-1, 2)
    rest = "".join(f"{line}\n" for line in lines[at:]).encode()
    return Parsed(table, where[:, 0], where[:, 1], faults, count, rest)


def _one_row(lines: Sequence[str], at: int, dialect: Dialect) -> tuple[int, list[str] | None]:
    """How many lines the row at `at` takes, and its cells; None where its quote never closes, 0 lines where it may yet.

    A row over several lines counts as one only if it is written by the rules (RFC 4180), then has the right number of
    columns, and the lines in it are no rows of their own: so a stray quote costs its own line and not the good rows
    after it.
    """
    width = len(dialect.columns)
    ahead = [f"{line}\n" for line in lines[at : at + TALLEST_ROW]]
    reader = csv.reader(ahead, delimiter=dialect.delimiter)
    try:
        cells = next(reader)
    except csv.Error:  # a carriage return inside the row
        return 1, None
    taken = reader.line_num
    if taken == len(ahead) and _closed("".join(ahead)[:-1], dialect) is None:
        return (0 if len(ahead) < TALLEST_ROW else 1), None
    if taken == 1:
        return 1, cells
    inner = [_closed(line, dialect) for line in lines[at + 1 : at + taken]]
    lawful = _closed("".join(ahead[:taken])[:-1], dialect, strict=True) is not None
    if not lawful or len(cells) != width or all(row is not None and len(row) == width for row in inner):
        return 1, None
    return taken, cells


def _closed(text: str, dialect: Dialect, *, strict: bool = False) -> list[str] | None:
    """The cells of one row, None where a quote is still open at the end."""
    try:
        rows = list(csv.reader(io.StringIO(f"{text}\n\x1e\n", newline=""), delimiter=dialect.delimiter, strict=strict))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 2 else None


def _without_marked(batch: Batch, lines: Any, bad: Bad) -> Batch:
    """Move rows that hold bytes which are no text to `bad`."""
    import pyarrow.compute as pc

    hit = np.zeros(len(batch.rows), bool)
    for column in batch.columns.values():
        hit |= pc.match_substring(column, MARK).to_numpy(zero_copy_only=False)
    for position in np.flatnonzero(hit):
        cells = [shown(column[position].as_py()) for column in batch.columns.values()]
        bad.add(int(batch.rows[position]), int(lines[position]), "\t".join(cells), NO_TEXT)
    return batch.keep(~hit)
