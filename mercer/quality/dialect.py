"""The first lines of a delimited file in; its delimiter, header and column names out."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mercer.errors import FormatError
from mercer.quality.names import is_known, normalised

__all__ = ["ALONE", "Dialect", "sniff"]

DELIMITERS = (",", "\t", ";", "|")
ALONE = "\x1f"
"""Delimiter of a file with one column: the unit separator, which text does not hold."""
QREL = re.compile(r"\s*\S+[ \t]+\S+[ \t]+\S+[ \t]+-?\d+(\.\d+)?\s*")
NUMBER = re.compile(r"\s*[-+]?[\d.,]+\s*")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the lines of one file split."""

    delimiter: str
    columns: tuple[str, ...]
    header_lines: int
    """Physical lines before the first data row."""
    trec: bool = False


def sniff(sample: str, family: str, *, whole: bool) -> Dialect:
    """Tell delimiter, header and column names from the first lines of a file.

    Without a header columns are named ``column_1``, ``column_2``, …; a name that comes twice gets ``name (2)``.
    """
    lines = list(io.StringIO(sample, newline=""))
    if not whole and len(lines) > 1:
        lines.pop()
    lines = lines[:300]
    text = [line for line in lines if line.strip()]
    if family == "judgments" and sum(bool(QREL.fullmatch(line)) for line in text) >= 0.8 * len(text) > 0:
        return Dialect("\t", _numbered(4), 0, trec=True)
    delimiter = _delimiter(text)
    reader = csv.reader(lines, delimiter=delimiter)
    rows: list[list[str]] = []
    header_lines = 0
    for row in reader:
        header_lines = header_lines if rows else reader.line_num
        if row and any(cell.strip() for cell in row):
            rows.append(row)
    if not rows:
        raise FormatError("the file has only blank lines", cure="export it again")
    if _has_header(rows, family):
        return Dialect(delimiter, _unique(rows[0]), header_lines)
    return Dialect(delimiter, _numbered(len(rows[0])), 0)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"column_{position}" for position in range(1, count + 1))


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    result = []
    for position, name in enumerate(names, start=1):
        plain = name.strip() or f"column_{position}"
        seen[plain] += 1
        result.append(plain if seen[plain] == 1 else f"{plain} ({seen[plain]})")
    return tuple(result)


def _delimiter(lines: Sequence[str]) -> str:
    """The one that gives most rows as many columns as the first row has."""
    best, delimiter = (0.5, 1), ALONE
    for candidate in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=candidate) if row]
        agree = sum(width == widths[0] for width in widths) / max(len(widths), 1)
        if widths and widths[0] > 1 and (round(agree, 1), widths[0]) > best:
            best, delimiter = (round(agree, 1), widths[0]), candidate
    return delimiter


def _has_header(rows: Sequence[Sequence[str]], family: str) -> bool:
    first, rest = rows[0], rows[1:]
    if any(is_known(family, cell) for cell in first):
        return True
    if any(NUMBER.fullmatch(cell) for cell in first):
        return False
    for position, cell in enumerate(first):
        below = [row[position] for row in rest if len(row) > position and row[position].strip()]
        if below and sum(bool(NUMBER.fullmatch(value)) for value in below) >= 0.8 * len(below):
            return True
        if any(map(str.isdigit, cell)) and below and sum(_shape(v) == _shape(cell) for v in below) > 0.5 * len(below):
            return False
    return family not in ("queries", "judgments", "faq") and all(normalised(cell) for cell in first)


def _shape(value: str) -> str:
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d]+", "a", value))
