"""Findings and what the owner lets pass in; the same findings, those let pass marked so, out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mercer.quality import finding
from mercer.quality.settings import Suppression

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SUPPRESSED", "suppressed", "suppression_table"]

SUPPRESSED = "suppressed"
"""Action of a finding that someone answers for: it is kept, and neither acts nor counts."""

KEYS = {"products": "id", "events": "event_id", "queries": "query_id", "judgments": "query_id", "reviews": "id"}


def suppressed(
    found: pa.Table, given: Sequence[Suppression], tables: Mapping[str, Any], hashes: Mapping[str, Any]
) -> pa.Table:
    """Mark the findings of one check that a suppression covers.

    Args:
        found: of `finding.schema`.
        given: those that hold now.
        tables: family → its rows, by which ids are looked up.
        hashes: family → function from row ids to hash by row_id.
    """
    ids = set(found["check_id"].to_pylist())
    mine = [one for one in given if one.check in ids]
    if not mine:
        return found
    rows = found.to_pylist()
    for one in mine:
        covered = [row for row in rows if _fits(row, one)]
        named = _named({(row["family"], row["row_id"]) for row in covered}, one, tables, hashes)
        for row in covered:
            if named is None or (row["family"], row["row_id"]) in named:
                row["action"] = SUPPRESSED
                told = {"suppressed_by": one.owner, "until": one.until, "reason": one.reason}
                row["evidence"] = json.dumps({**json.loads(row["evidence"]), **told}, ensure_ascii=False)
    return type(found).from_pylist(rows, schema=finding.schema())


def _fits(row: Mapping[str, Any], one: Suppression) -> bool:
    return (
        row["check_id"] == one.check
        and one.problem in ("", row["problem"])
        and one.family in ("", row["family"])
        and one.field in ("", row["field"])
        and row["action"] != SUPPRESSED
    )


def _named(
    rows: set[tuple[str, int]], one: Suppression, tables: Mapping[str, Any], hashes: Mapping[str, Any]
) -> set[tuple[str, int]] | None:
    """Those of `rows` that the suppression's `row` names; None where it names none, which means all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not one.row:
        return None
    named = set()
    for family in {family for family, _ in rows}:
        ids = {row_id for name, row_id in rows if name == family and row_id >= 0}
        if family in KEYS:
            table = tables[family].select(["row_id", KEYS[family]])
            kept = table.filter(pc.is_in(table["row_id"], value_set=pa.array(sorted(ids), pa.int64())))
            same = kept.filter(pc.equal(kept[KEYS[family]], one.row))
            named |= {(family, row_id) for row_id in same["row_id"].to_pylist()}
        named |= {(family, row_id) for row_id, name in hashes[family](ids).items() if name == one.row}
    return named


def suppression_table(given: Sequence[Suppression], families: Sequence[str], now: int) -> pa.Table:
    """What check Q01 sees as ``policy.suppressed``: every suppression, whether it has ended, and whose family it is."""
    import pyarrow as pa

    from mercer.quality.check import find

    rows = []
    for one in given:
        declared = [family for family in find(one.check).families if family in families]
        family = one.family or (declared[0] if declared else families[0])
        about = {"check": one.check, "about": one.problem, "row": one.row, "owner": one.owner, "until": one.until}
        rows.append({**about, "family": family, "column": one.field, "ended": one.ends() <= now})
    names = ("check", "about", "row", "owner", "until", "family", "column")
    return pa.Table.from_pylist(
        rows, schema=pa.schema([*((name, pa.string()) for name in names), ("ended", pa.bool_())])
    )
