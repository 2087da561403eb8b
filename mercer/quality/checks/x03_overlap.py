"""Queries and judgments in; what would stand on both sides of a split out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.checks.c03_duplicate import normalise
from mercer.quality.finding import Found
from mercer.quality.near import families
from mercer.quality.overlap import both_sides
from mercer.quality.roles import TRAINING, TrainingInputs

__all__ = ["overlap"]


@check(
    "X03",
    families=("queries", "judgments", TRAINING),
    tier="global",
    severity="critical",
    problems={
        "same_query": Problem("another query has the same words", "与另一查询文字相同", "warn"),
        "near_query": Problem("another query differs only in order, marks or a word", "与另一查询近似", "warn"),
        "query_id_reused": Problem("another query has this id", "查询编号被另一查询占用", "quarantine"),
        "judged_again": Problem("the same judgment stands here twice", "同一评判重复出现", "drop"),
        "judged_otherwise": Problem("judged before with another grade", "此前的评判等级不同", "warn"),
        "row_held_out_too": Problem("a held-out row has the same inputs", "与测试行输入相同", "quarantine"),
        "near_held_out": Problem("a held-out row says nearly the same", "与测试行文字近似", "quarantine"),
        "group_held_out_too": Problem("its group is held out too", "同组数据也在测试集中", "quarantine"),
    },
    english="a query and its judgments are on one side of a split",
    chinese="同一查询及其评判只在训练或测试的一侧",
)
def overlap(inputs: Inputs[Any], _settings: CheckSettings) -> Iterator[Found]:
    """Query families that leak across a split, as far as one shop's files show them.

    A split by query id leaks where two ids have the same words (NFKC, case, blanks), or where a query's judgments of
    a product stand twice, also under the other id of the same words. Words are said, with the first row's id as the
    group to split by; equal judgments are dropped; differing grades are L03's to settle, and only said here. An id
    that stands for two texts makes its judgments meaningless: the second text goes to quarantine.

    Of a training table: rows to learn from that are held out too, by inputs, by nearly the same text, or by group.
    """
    groups: dict[str, str] = {}
    if isinstance(inputs, TrainingInputs):
        yield from both_sides(inputs)
        return
    if "queries" in inputs:
        yield from _queries(inputs["queries"].to_pylist(), groups)
    if "judgments" in inputs:
        yield from _judgments(inputs["judgments"], groups)


def _queries(rows: list[dict[str, Any]], groups: dict[str, str]) -> Iterator[Found]:
    """Repeated texts and ids; fills `groups` with query_id → first query_id of the same words."""
    first: dict[str, dict[str, Any]] = {}
    texts: dict[str, str] = {}
    same, reused = [], []
    for row in rows:
        id, text = row["query_id"], normalise(row["text"])
        if id is None or not text:
            continue
        if texts.setdefault(id, text) != text:
            reused.append({"row_id": row["row_id"], "query_id": id, "text": row["text"], "first_text": texts[id]})
            continue
        found = first.setdefault(text, row)
        groups.setdefault(id, found["query_id"])
        if found is not row:
            line = {"row_id": row["row_id"], "query_id": id, "text": row["text"], "first_row": found["row_id"]}
            same.append(line | {"suggestion": f"group: {found['query_id']}"})
    text_columns = ("query_id", "text")
    yield Found(_near(rows, first, (*text_columns, "suggestion")), "queries", "text", "near_query", 0.7)
    yield Found(_table(same, (*text_columns, "suggestion"), ("first_row",)), "queries", "text", "same_query")
    yield Found(_table(reused, (*text_columns, "first_text")), "queries", "query_id", "query_id_reused")


def _near(rows: list[dict[str, Any]], first: dict[str, dict[str, Any]], columns: tuple[str, ...]) -> Any:
    """Queries of the family of an earlier one whose words are not the same as any earlier one's."""
    found = []
    for row, place in zip(rows, families([row["text"] for row in rows]), strict=True):
        known = rows[place] if place is not None else row
        if known is not row and first.get(normalise(row["text"])) is row and known["query_id"] != row["query_id"]:
            line = {"row_id": row["row_id"], "query_id": row["query_id"], "text": row["text"]}
            line |= {"first_row": known["row_id"], "suggestion": f"group: {known['query_id']}"}
            found.append(line)
    return _table(found, columns, ("first_row",))


def _judgments(table: Any, groups: dict[str, str]) -> Iterator[Found]:
    first: dict[tuple[str, str], dict[str, Any]] = {}
    again, otherwise = [], []
    for row in table.to_pylist():
        if row["query_id"] is None or row["product"] is None or row["grade"] is None:
            continue
        found = first.setdefault((groups.get(row["query_id"], row["query_id"]), row["product"]), row)
        if found is row:
            continue
        line = {"row_id": row["row_id"], "query_id": row["query_id"], "product": row["product"]}
        line |= {"first_query": found["query_id"], "first_row": found["row_id"]}
        if found["grade"] != row["grade"]:
            otherwise.append(line | {"grade": row["grade"], "first_grade": found["grade"]})
        elif found["query_id"] == row["query_id"]:
            again.append(line)
    texts = ("query_id", "product", "first_query")
    yield Found(_table(again, texts, ("first_row",)), "judgments", "product", "judged_again")
    graded = _table(otherwise, texts, ("first_row",), ("grade", "first_grade"))
    yield Found(graded, "judgments", "grade", "judged_otherwise")


def _table(
    rows: list[dict[str, Any]],
    texts: tuple[str, ...],
    numbers: tuple[str, ...] = (),
    grades: tuple[str, ...] = (),
) -> Any:
    import pyarrow as pa

    columns = [("row_id", pa.int64()), *((name, pa.string()) for name in texts)]
    columns += [*((name, pa.int64()) for name in numbers), *((name, pa.float64()) for name in grades)]
    return pa.Table.from_pylist(rows, schema=pa.schema(columns))
