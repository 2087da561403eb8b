"""Findings and tables in; which rows leave, why, and which of them a person has put back, out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mercer.quality.check import find
from mercer.quality.profile import name_of
from mercer.quality.stored import Stored

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.read import Raw

__all__ = ["REMOVING", "decide", "hashes", "hold", "row_hash", "taken", "without"]

REMOVING = ("quarantine", "drop")
"""Actions that take a row out of trusted data."""

MALFORMED = "malformed"
"""Problem of a row that could not be parsed, so that only its text is there."""


def row_hash(family: str, row: Mapping[str, Any]) -> str:
    """Sixteen hex digits of a row's content; the same row of the next delivery has the same, wherever it stands.

    >>> row_hash("queries", {"row_id": 1, "text": "cup"}) == row_hash("queries", {"row_id": 7, "text": "cup"})
    True
    """
    content = {name: value for name, value in row.items() if name != "row_id" and value is not None}
    return name_of(family, json.dumps(content, sort_keys=True, ensure_ascii=False, default=str))


def _hash(raw: Raw, row: Mapping[str, Any]) -> str:
    """`row_hash` without an event_id that the reader worked out, as it changes with the row's place."""
    given = {name: value for name, value in row.items() if name != "event_id" or name in raw.mapping}
    return row_hash(raw.family, given)


def decide(
    findings: pa.Table, raws: Mapping[str, Raw], *, restored: frozenset[str]
) -> tuple[pa.Table, dict[str, set[int]]]:
    """Findings with the owner's restorations, and the row_ids of each family that leave trusted data."""
    import pyarrow as pa
    import pyarrow.compute as pc

    removing = findings.filter(pc.is_in(findings["action"], pa.array(REMOVING)))
    out: dict[str, set[int]] = {family: set() for family in raws}
    for family, row_id in zip(removing["family"].to_pylist(), removing["row_id"].to_pylist(), strict=True):
        if row_id >= 0:
            out[family].add(row_id)
    if not restored:
        return findings, out
    back = {family: _restored(raw, out[family], removing, restored) for family, raw in raws.items()}
    return _forgive(findings, back), {family: out[family] - back[family] for family in raws}


def _restored(raw: Raw, out: set[int], removing: pa.Table, restored: frozenset[str]) -> set[int]:
    """Rows that a person has put back, save those that cannot be used at all."""
    import pyarrow.compute as pc

    mine = removing.filter(pc.equal(removing["family"], raw.family)).select(["row_id", "check_id", "problem"])
    lost = {row["row_id"] for row in mine.to_pylist() if not find(row["check_id"]).problems[row["problem"]].restorable}
    return {row["row_id"] for row in hold(raw.table, out - lost).to_pylist() if _hash(raw, row) in restored}


def _forgive(findings: pa.Table, back: Mapping[str, set[int]]) -> pa.Table:
    """Findings of restored rows become warnings that say so."""
    rows = findings.to_pylist()
    for row in rows:
        if row["action"] in REMOVING and row["row_id"] in back.get(row["family"], ()):
            row["action"] = "warn"
            row["evidence"] = json.dumps({**json.loads(row["evidence"]), "restored": True}, ensure_ascii=False)
    return type(findings).from_pylist(rows, schema=findings.schema)


def without(table: pa.Table, out: Iterable[int]) -> pa.Table:
    """The rows that stay."""
    import pyarrow as pa
    import pyarrow.compute as pc

    gone = pa.array(sorted(out), pa.int64())
    return table.filter(pc.invert(pc.is_in(table["row_id"], value_set=gone))).combine_chunks()


def hold(table: pa.Table | Stored, ids: Iterable[int]) -> pa.Table:
    """The rows with these row_ids."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(table, Stored):
        return table.rows(ids)
    return table.filter(pc.is_in(table["row_id"], value_set=pa.array(sorted(ids), pa.int64())))


def hashes(raw: Raw, ids: Iterable[int]) -> dict[int, str]:
    """row_id → `row_hash` of some rows of a family."""
    return {row["row_id"]: _hash(raw, row) for row in hold(raw.table, ids).to_pylist()}


def taken(raw: Raw, out: set[int], findings: pa.Table) -> pa.Table:
    """The rows of one family that leave: as they came, with raw text, reasons (JSON) and row_hash."""
    import pyarrow as pa

    table, malformed = raw.table, hold(raw.malformed, out)
    rows = hold(table, out).to_pylist()
    texts = _uncast_texts(raw.uncast, out)
    for row in rows:
        row["row_hash"] = _hash(raw, row)
        row["raw"] = json.dumps(texts[row["row_id"]], ensure_ascii=False) if row["row_id"] in texts else None
    for row in malformed.to_pylist():
        rows.append(
            {"row_id": row["row_id"], "raw": row["text"], "row_hash": row_hash(raw.family, {"raw": row["text"]})}
        )
    reasons = _reasons(raw.family, out, findings)
    for row in rows:
        row["reasons"] = json.dumps(reasons[row["row_id"]], ensure_ascii=False)
    extra = [pa.field(name, pa.string()) for name in ("raw", "reasons", "row_hash")]
    schema = pa.schema([*table.schema, *extra])
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["row_id"]), schema=schema)


def _uncast_texts(uncast: pa.Table, out: set[int]) -> dict[int, dict[str, str]]:
    texts: dict[int, dict[str, str]] = {}
    for row in hold(uncast, out).to_pylist():
        texts.setdefault(row["row_id"], {})[row["field"]] = row["text"]
    return texts


def _reasons(family: str, out: set[int], findings: pa.Table) -> dict[int, list[dict[str, str]]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    mine = findings.filter(
        pc.and_(pc.equal(findings["family"], family), pc.is_in(findings["action"], pa.array(REMOVING)))
    )
    reasons: dict[int, list[dict[str, str]]] = {row_id: [] for row_id in out}
    for row in mine.select(["row_id", "check_id", "problem", "field", "action"]).to_pylist():
        row_id = row.pop("row_id")
        if row_id in reasons:
            reasons[row_id].append(row)
    return reasons
