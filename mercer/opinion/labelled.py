"""One or two files with texts and labels in; texts with their label, and what was left out and why, out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mercer.errors import DataError, NotFoundError, RequestError
from mercer.opinion.columns import Columns, of
from mercer.quality import format_csv
from mercer.quality.dialect import ALONE, Dialect, sniff
from mercer.quality.encoding import CHUNK, blocks, chunks, detect, head
from mercer.quality.rows import Bad
from mercer.quality.table_file import TableFile

__all__ = ["Labelled", "read_labelled", "read_rows"]

MISSING = frozenset(("", "nan", "none", "null", "n/a", "na", "nil", "-", "无", "空"))
WHOLE = re.compile(r"[-+]?\d+\.0+")
TAIL = re.compile(r"^(.*\S)\s*@\s*([^\s@]{2,24})$")
"""``text@label``, as the Financial PhraseBank has it."""
MOST_CLASSES = 500

Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts and their labels, in the order of the file."""

    texts: list[str]
    labels: list[str]
    columns: Columns
    left_out: Mapping[str, int]
    """Why → rows."""
    notes: tuple[str, ...] = ()


def read_labelled(
    documents: Path, labels: Path | None = None, *, text: str = "", label: str = "", id: str = ""
) -> Labelled:
    """Read labelled texts of any file that the shop's reader knows, plus JSON arrays and ``text@label`` lines.

    Args:
        documents: CSV, TSV, JSON lines, a JSON array or Parquet; plain, .gz or .zst; UTF-8, UTF-16 or GB18030.
        labels: a second file, where the labels are not in the first; the same path is the same as None.
        text: name of the column of texts; guessed where "".
        label: name of the column of labels; guessed where "".
        id: name of the column by which both files belong together; guessed where "".

    Raises:
        DataError: no column that can be the text or the label; the columns seen are named.
        NotFoundError, FormatError, EncodingError: as `mercer.quality.read`.
    """
    rows, malformed = read_rows(documents)
    notes: list[str] = []
    if labels is not None and labels.resolve() != documents.resolve():
        found, bad = read_rows(labels)
        malformed += bad
        rows, chosen, note = _joined(rows, found, documents, labels, (text, label, id))
        notes.append(note)
    else:
        chosen = of(rows, documents, text=text, label=label)
    kept: list[tuple[str, str]] = []
    left = {"no text": 0, "no label": 0}
    for row in rows:
        said, given = row.get(chosen.text, "").strip(), _label(row.get(chosen.label, ""))
        if not said:
            left["no text"] += 1
        elif given.casefold() in MISSING:
            left["no label"] += 1
        else:
            kept.append((said, given))
    classes = {given for _, given in kept}
    if not kept or len(classes) < 2 or len(classes) > MOST_CLASSES:
        raise DataError(
            f"column {chosen.label!r} gives {len(classes)} classes for {len(kept)} texts; "
            f"columns: {', '.join(chosen.seen)}",
            cure=f"name another: --label COLUMN (2 to {MOST_CLASSES} classes)",
        )
    left["a row that does not parse"] = malformed
    return Labelled(
        [said for said, _ in kept], [given for _, given in kept], chosen,
        {why: number for why, number in left.items() if number}, tuple(notes),
    )  # fmt: skip


def _label(value: str) -> str:
    """A label as people write it: 1.0 is 1, blanks at the ends are nothing."""
    value = " ".join(value.split())
    return value.split(".")[0] if WHOLE.fullmatch(value) else value


def _joined(
    rows: Rows, found: Rows, documents: Path, labels: Path, named: tuple[str, str, str]
) -> tuple[Rows, Columns, str]:
    """Documents with the label of the second file, by id where both have one, else line by line."""
    text, label, id = named
    ours, theirs = list(rows[0]), list(found[0])
    key = id or next((name for name in ours if name in theirs and name not in (text, label)), "")
    if id and (id not in ours or id not in theirs):
        raise RequestError(
            f"column {id!r} is not in both files", cure=f"{documents.name}: {ours}; {labels.name}: {theirs}"
        )
    if not key and len(rows) != len(found):
        raise DataError(
            f"{documents.name} has {len(rows)} rows ({', '.join(ours)}), "
            f"{labels.name} {len(found)} ({', '.join(theirs)}), and no column is in both",
            cure="give both files a column of the same name, as id, or name it: --id COLUMN",
        )
    rest = [name for name in theirs if name != key]
    wanted = of(
        [{name: row.get(name, "") for name in rest} for row in found], labels, label=label, text="", only="label"
    )
    mine = of(
        [{name: row.get(name, "") for name in ours if name != key} for row in rows], documents, text=text, only="text"
    )
    if key:
        given = {row.get(key, ""): row.get(wanted.label, "") for row in found}
        column = [given.get(row.get(key, ""), "") for row in rows]
        note = f"labels joined by {key!r}"
        if not any(column):
            raise DataError(f"no {key!r} of {documents.name} is in {labels.name}", cure="check the ids of both files")
    else:
        column = [row.get(wanted.label, "") for row in found]
        note = "labels joined line by line: the files share no column"
    name = "label of the second file"
    both = [row | {name: value} for row, value in zip(rows, column, strict=True)]
    return both, replace(mine, label=name, seen=(*mine.seen, *wanted.seen)), note


def read_rows(path: Path) -> tuple[Rows, int]:
    """Rows as strings by column, and how many did not parse.

    Raises:
        DataError: not one row.
    """
    if not path.exists():
        raise NotFoundError(f"{path} is not there", cure="check the path")
    array = _array(path)
    if array is not None:
        return array, 0
    file, bad = TableFile(path, "reviews"), Bad()
    if file.format in ("parquet", "jsonl"):
        rows = [row for batch in file.batches(file.columns, bad) for row in _rows(batch.columns)]
    else:
        rows = _delimited(path, bad)
    if not rows:
        shown = bad.rows[0][3] if bad.rows else "it has no rows"
        raise DataError(f"{path}: no row parses ({shown})", cure="export it again as CSV, JSON lines or Parquet")
    return rows, len(bad.rows)


def _delimited(path: Path, bad: Bad) -> Rows:
    """A delimited file; a header that is a text, and lines with too many commas, are taken for what they are."""
    text = detect(path)
    start = head(path)
    sample = start[text.skip :].decode(text.codec, "replace").lstrip("\ufeff")
    dialect = _without_header(sniff(sample, "reviews", whole=len(start) < CHUNK))
    rows = [
        row
        for batch in format_csv.batches(blocks(path, text), dialect, bad, marked=text.marked)
        for row in _rows(batch.columns)
    ]
    if len(dialect.columns) == 1:
        return _tailed(rows, dialect)
    rescued = [row for _, _, line, _ in bad.rows if (row := _rescued(line, dialect, rows)) is not None]
    if rescued:
        bad.rows[:] = bad.rows[len(rescued) :]
    return rows + rescued


def _without_header(dialect: Dialect) -> Dialect:
    """A first row with a sentence in it is no header."""
    if dialect.header_lines and any(len(name) > 40 or name.count(" ") > 4 for name in dialect.columns):
        return replace(dialect, header_lines=0, columns=tuple(f"column_{at + 1}" for at in range(len(dialect.columns))))
    return dialect


def _tailed(rows: Rows, dialect: Dialect) -> Rows:
    """Lines ``text@label`` as two columns, where most lines are such."""
    name = dialect.columns[0]
    lines = ([name] if dialect.header_lines else []) + [row[name] for row in rows]
    found = [TAIL.fullmatch(line.strip()) for line in lines]
    if sum(match is not None for match in found) < 0.9 * len(lines):
        return rows
    return [{"text": match[1], "label": match[2]} for match in found if match]


def _rescued(line: str, dialect: Dialect, rows: Rows) -> dict[str, str] | None:
    """A line of two columns whose text has delimiters in it but no quotes: the short column tells where to cut."""
    if len(dialect.columns) != 2 or not rows or dialect.delimiter == ALONE or line.count(dialect.delimiter) < 2:
        return None
    first, last = dialect.columns
    kinds = [{row[name] for row in rows[:2000]} for name in (first, last)]
    for cells in (line.split(dialect.delimiter, 1), line.rsplit(dialect.delimiter, 1)):
        at = 0 if len(kinds[0]) < len(kinds[1]) else 1
        if cells[at].strip() in kinds[at]:
            return {first: cells[0].strip().strip('"'), last: cells[1].strip().strip('"')}
    return None


def _rows(columns: Mapping[str, Any]) -> Rows:
    names = list(columns)
    cells = [[_cell(value) for value in column.to_pylist()] for column in columns.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return (
        "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    )


def _array(path: Path) -> Rows | None:
    """A file that is one JSON array of objects, which the shop's reader refuses."""
    text = b"".join(chunks(path)) if head(path).lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"[" else b""
    if not text:
        return None
    try:
        found = json.loads(text.decode("utf-8-sig"))
    except ValueError:
        return None
    if not isinstance(found, Sequence) or not found or not all(isinstance(row, dict) for row in found):
        raise DataError(
            f"{path} is a JSON array of {type(found[0]).__name__ if found else 'nothing'}", cure="give objects"
        )
    return [{str(name): _cell(value) for name, value in row.items()} for row in found]
