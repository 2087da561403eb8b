"""X12 asks of every row of a training table where it comes from."""

import pyarrow as pa

from mercer.quality.training import check_training

WHOLE = {"source": "from", "time": "time", "hash": "row_hash"}


def found(table, lineage, trusted=None):
    told = {"label": "rating", "inputs": ["category", "price"], "lineage": lineage, "trusted": trusted}
    rows = check_training(table, **told).findings.to_pylist()
    return [(row["row_id"], row["field"], row["problem"]) for row in rows if row["check_id"] == "X12"]


def traced(table, sources=None, hashes=None):
    count = len(table)
    table = table.append_column("from", pa.array(sources or ["events.csv"] * count))
    return table.append_column("row_hash", pa.array(hashes or [f"h{row}" for row in range(count)]))


def test_a_table_with_lineage_and_one_that_is_not_asked(recommended):
    assert found(traced(recommended), WHOLE) == []
    assert found(recommended, {}) == []


def test_rows_without_a_source(recommended):
    sources = ["events.csv"] * len(recommended)
    sources[7], sources[9] = "", None
    assert found(traced(recommended, sources), WHOLE) == [(7, "from", "origin_missing"), (9, "from", "origin_missing")]


def test_lineage_that_is_not_whole(recommended):
    assert found(traced(recommended), {"source": "from"}) == [(-1, "", "no_lineage")]


def test_a_row_that_is_not_trusted(recommended):
    trusted = [f"h{row}" for row in range(len(recommended)) if row != 3]
    assert found(traced(recommended), WHOLE, trusted) == [(3, "row_hash", "not_trusted")]
