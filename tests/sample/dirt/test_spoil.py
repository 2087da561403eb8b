"""Dirt is where the truth says, and nowhere else."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mercer.sample import FILES, SampleSettings, Summary, truth
from mercer.sample.dirt.ledger import COLUMNS
from mercer.sample.dirt.spoil import LINES, ROWS, spoil

Shop = tuple[Path, Summary]


def lines(folder: Path, family: str) -> list[str]:
    data = (folder / FILES[family]).read_bytes()
    found = (gzip.decompress(data) if FILES[family].endswith(".gz") else data).decode().split("\n")[:-1]
    return found[1:] if family in ("events", "queries") else found


@pytest.mark.parametrize("family", list(FILES))
def test_rows_that_differ_are_those_of_the_truth(clean: Shop, dirty: Shop, family: str) -> None:
    was, became = lines(clean[0], family), lines(dirty[0], family)
    rows = {row["row_id"]: row for row in truth.load(dirty[0]).dirt.to_pylist() if row["family"] == family}
    added = {number for number, row in rows.items() if row["twin"] >= 0}
    assert len(became) == len(was) + len(added)
    kept = [number for number in range(len(became)) if number not in added]
    differ = {number for number, before in zip(kept, was, strict=True) if became[number] != before}
    assert differ == set(rows) - added
    assert all(row["twin"] < number for number, row in rows.items() if number in added)


def test_originals_restore_the_file(clean: Shop, dirty: Shop) -> None:
    was, became = lines(clean[0], "products"), lines(dirty[0], "products")
    rows = {row["row_id"]: row for row in truth.load(dirty[0]).dirt.to_pylist() if row["family"] == "products"}
    mended = []
    for number, line in enumerate(became):
        row: dict[str, Any] = rows.get(number, {})
        if row.get("twin", -1) >= 0:
            continue
        if row.get("kind") == "half_line":
            mended.append(json.loads(row["original"]))
        else:
            product = json.loads(line)
            if row:
                product[row["field"]] = float(row["original"]) if row["field"] == "price" else row["original"]
            mended.append(product)
    assert mended == [json.loads(line) for line in was]


def test_every_check_has_its_dirt_at_about_the_rate(dirty: Shop, small: SampleSettings) -> None:
    known = truth.load(dirty[0])
    assert tuple(known.dirt.column_names) == COLUMNS
    assert set(dirty[1].dirt) == {"C01", "C02", "C03", "C06", "C07", "C13", "E01", "E02", "E03", "X03"}
    count = Counter(known.dirt["family"].to_pylist())
    assert abs(count["events"] / small.events - 0.06) < 0.005
    assert abs(count["products"] / small.products - 0.06) < 0.03


@pytest.mark.parametrize("difficulty", ["easy", "medium", "hard"])
def test_every_injector_keeps_the_shape_of_its_frame(clean: Shop, difficulty: Any) -> None:
    rows = [{"image": None} | json.loads(line) for line in lines(clean[0], "products")]
    frame = pa.Table.from_pylist(rows).drop_columns(["attributes"])
    for inject in ROWS["products"]:
        hurt, known = inject(frame, 0.1, difficulty, 5)
        again, _ = inject(frame, 0.1, difficulty, 5)
        assert hurt.schema == frame.schema
        assert str(again.to_pylist()) == str(hurt.to_pylist())
        assert known.num_rows > 0
        assert inject(frame, 0.0, difficulty, 5)[1].num_rows in (0, 1)


def test_no_dirt_leaves_the_table_alone() -> None:
    table = pa.table({"line": ["a", "b"]})
    assert spoil("faq", table, 0.2, 1).table.equals(table)
    assert spoil("events", table, 0.0, 1).table is table
    assert set(LINES) <= set(ROWS)
