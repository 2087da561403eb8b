"""A log and a day in; three Parquet files of that day (events, answers, what stood on them) out."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mercer.events.export import export
from mercer.events.log import EventLog
from mercer.events.shown import paged

__all__ = ["Unpack", "days", "export_day"]

DAY = 86_400_000
"""Milliseconds."""
BATCH = 10_000
"""Rows written at once."""

Unpack = Callable[[bytes], tuple[float, Any] | None]


def days(log: EventLog) -> list[datetime.date]:
    """Days (UTC) of which the log has something, in order."""
    log.flush()
    queries = (f"SELECT DISTINCT time/{DAY} FROM {table}" for table in ("events", "answers", "impressions"))  # noqa: S608
    found = {row[0] for query in queries for row in log._read(query)}
    return [datetime.date(1970, 1, 1) + datetime.timedelta(days=number) for number in sorted(found)]


def export_day(
    log: EventLog, day: datetime.date, folder: Path, *, names: Sequence[str], unpack: Unpack
) -> dict[str, int]:
    """Write ``events-DAY.parquet``, ``answers-DAY.parquet``, ``impressions-DAY.parquet``; family → rows.

    Args:
        log: of a shop.
        day: in UTC.
        folder: made where it is missing.
        names: of the features, in order; they stand in the metadata of the impressions.
        unpack: bytes as logged → (hybrid score, features), or None.

    Raises:
        DiskFull, ShopError: a file cannot be written.
    """
    from mercer.shop import disk_errors

    first = (day - datetime.date(1970, 1, 1)).days * DAY
    between = (first, first + DAY)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events-{day}.parquet"
    counts = {"events": export(paged(log.since, between=between), path)}
    for family, rows in (
        ("answers", _answers(log, between)),
        ("impressions", _impressions(log, between, unpack)),
    ):
        counts[family] = _write(folder / f"{family}-{day}.parquet", rows, _schemas(names)[family])
    return counts


def _answers(log: EventLog, between: tuple[int, int]) -> Iterator[dict[str, Any]]:
    for answer in paged(log.answers, between=between):
        yield asdict(answer) | {"models": json.dumps(dict(answer.models), ensure_ascii=False, sort_keys=True)}


def _impressions(log: EventLog, between: tuple[int, int], unpack: Unpack) -> Iterator[dict[str, Any]]:
    for shown in paged(log.impressions, between=between):
        hybrid, features = unpack(shown.features) or (None, None)
        yield asdict(shown) | {"hybrid": hybrid, "features": features}


def _schemas(names: Sequence[str]) -> dict[str, Any]:
    import pyarrow as pa

    text, number, real = pa.string(), pa.int64(), pa.float64()
    answers = pa.schema([
        ("query_id", text), ("time", number), ("scene", text), ("query", text), ("total", number), ("offset", number),
        ("shopper", text), ("session", text), ("device", text), ("version", text), ("models", text), ("arm", text),
        ("degraded", text),
    ])  # fmt: skip
    shown = pa.schema([
        ("query_id", text), ("product", text), ("position", number), ("time", number), ("score", real),
        ("version", text), ("shopper", text), ("session", text), ("scene", text), ("propensity", real),
        ("hybrid", real), ("features", pa.list_(pa.float32())),
    ])  # fmt: skip
    return {"answers": answers, "impressions": shown.with_metadata({"features": json.dumps(list(names))})}


def _write(path: Path, rows: Iterator[dict[str, Any]], schema: Any) -> int:
    from itertools import islice

    import pyarrow as pa
    from pyarrow import parquet

    from mercer.shop import disk_errors

    written, temporary = 0, path.with_name(f".{path.name}.{os.getpid()}")
    with disk_errors(path):
        try:
            with parquet.ParquetWriter(temporary, schema, compression="zstd") as file:
                while batch := list(islice(rows, BATCH)):
                    file.write_table(pa.Table.from_pylist(batch, schema=schema))
                    written += len(batch)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return written
