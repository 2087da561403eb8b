"""What checks found in; one sorted Arrow table of findings out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mercer.quality.check import Check, CheckSettings

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pyarrow as pa

__all__ = ["FILE", "Found", "batch_schema", "found_batch", "schema", "to_rows", "to_table"]

FILE = -1
"""row_id of a finding about a whole file."""
TAKEN = ("row_id", "field", "problem", "score", "suggestion")
"""Columns of a `Found` that are no evidence."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one family that have one problem.

    `rows` has ``row_id``; ``field``, ``problem``, ``score`` (0 to 1) and ``suggestion`` are taken from it where they
    are columns; every other column is evidence. A LazyFrame of any engine, or an Arrow table.
    """

    rows: nw.LazyFrame[Any] | pa.Table
    family: str
    field: str
    problem: str
    score: float = 1.0


@cache
def schema() -> pa.Schema:
    """Columns of ``findings.parquet``."""
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        [
            ("run_id", text),
            ("dataset_hash", text),
            ("check_id", text),
            ("check_version", pa.int32()),
            ("family", text),
            ("row_id", pa.int64()),  # -1: the whole file
            ("field", text),
            ("problem", text),
            ("score", pa.float64()),
            ("severity", text),
            ("action", text),
            ("evidence", text),  # JSON object
            ("suggestion", text),
            ("engine", text),
        ]
    )


@cache
def batch_schema() -> pa.Schema:
    """What a batch check returns."""
    import pyarrow as pa

    text = pa.string()
    names = [("row_id", pa.int64()), ("field", text), ("problem", text), ("score", pa.float64())]
    return pa.schema([*names, ("evidence", text), ("suggestion", text)])


def found_batch(rows: Iterable[tuple[int, str, str, float, Mapping[str, Any], str]]) -> pa.RecordBatch:
    """(row_id, field, problem, score, evidence, suggestion) rows as a RecordBatch of `batch_schema`."""
    import pyarrow as pa

    names = batch_schema().names
    values = [dict(zip(names, (*row[:4], to_json(row[4]), row[5]), strict=True)) for row in rows]
    return pa.RecordBatch.from_pylist(values, schema=batch_schema())


def to_json(evidence: Mapping[str, Any]) -> str:
    """Evidence as JSON that every reader takes: NaN and infinities become strings."""
    return json.dumps({name: _plain(value) for name, value in evidence.items()}, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return rounded(value)
    return value


def rounded(value: float) -> float:
    """Six decimals and twelve digits: engines add floats up in another order, and may differ in the last bits.

    >>> rounded(0.1 + 0.2), rounded(123456789012345.6)
    (0.3, 123456789012000.0)
    """
    return float(f"{round(value, 6):.12g}")


def to_rows(check: Check, found: Found, table: pa.Table, *, settings: CheckSettings) -> pa.Table:
    """One collected `Found` as rows of `schema` (run_id, dataset_hash and engine still empty)."""
    import pyarrow as pa

    count = table.num_rows
    evidence = [name for name in table.column_names if name not in TAKEN]
    texts = [to_json(row) for row in table.select(evidence).to_pylist()] if evidence else ["{}"] * count
    columns = set(table.column_names)
    return _rows(
        check,
        found.family,
        row_id=table["row_id"],
        field=table["field"] if "field" in columns else pa.array([found.field] * count, pa.string()),
        problem=table["problem"] if "problem" in columns else pa.array([found.problem] * count, pa.string()),
        score=table["score"] if "score" in columns else pa.array([found.score] * count, pa.float64()),
        evidence=pa.array(texts, pa.string()),
        suggestion=_texts(table["suggestion"]) if "suggestion" in columns else pa.array([""] * count, pa.string()),
        settings=settings,
    )


def _texts(column: Any) -> Any:
    """Suggestions as text; numbers as Python writes them, as engines differ from 1e7 on."""
    import pyarrow as pa

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())


def batch_rows(check: Check, family: str, table: pa.Table, *, settings: CheckSettings) -> pa.Table:
    """Rows that a batch check returned as rows of `schema`."""
    names = ("row_id", "field", "problem", "score", "evidence", "suggestion")
    return _rows(check, family, **{name: table[name] for name in names}, settings=settings)


def _rows(check: Check, family: str, *, settings: CheckSettings, **columns: Any) -> pa.Table:
    import pyarrow as pa

    count = len(columns["row_id"])
    columns["score"] = pa.array([rounded(value) for value in columns["score"].to_pylist()], pa.float64())
    actions = {problem: check.action(problem, settings) for problem in check.problems}
    columns["action"] = pa.array([actions[problem] for problem in columns["problem"].to_pylist()], pa.string())
    constant: dict[str, Any] = {
        "run_id": "",
        "dataset_hash": "",
        "check_id": check.id,
        "check_version": check.version,
        "family": family,
        "severity": check.severity,
        "engine": "",
    }
    for name, value in constant.items():
        columns[name] = pa.array([value] * count, schema().field(name).type)
    arrays = [_cast(columns[name], schema().field(name).type) for name in schema().names]
    return pa.table(arrays, schema=schema())


def _cast(column: Any, kind: pa.DataType) -> Any:
    return column if column.type == kind else column.cast(kind)


def to_table(pieces: Iterable[pa.Table]) -> pa.Table:
    """All findings as one table, sorted by check, row, field and problem."""
    import pyarrow as pa

    table = pa.concat_tables([schema().empty_table(), *pieces])
    order = [("check_id", "ascending"), ("family", "ascending"), ("row_id", "ascending"), ("field", "ascending")]
    rest = [(name, "ascending") for name in ("problem", "suggestion", "evidence")]
    return table.sort_by([*order, *rest]).combine_chunks()
