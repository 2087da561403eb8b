"""Two checked versions on disk in; what one found and the other did not, check by check, out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.quality.finding import FILE

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Change", "diff"]

KEYS = {
    "products": ("id",),
    "events": ("event_id",),
    "queries": ("query_id",),
    "judgments": ("query_id", "product"),
    "reviews": ("id",),
    "faq": ("question",),
    "policies": ("id", "title"),
    "dialogues": ("conversation", "text"),
}
SAMPLES = 5
"""Names of rows given of each kind of change."""


@dataclass(frozen=True, slots=True)
class Change:
    """One problem of one check in one family, in both runs."""

    check: str
    family: str
    problem: str
    before: int
    """Rows with it in the first run; a whole file counts as one."""
    after: int
    new: int
    gone: int
    acted: int
    """Rows that have it in both, with another action."""
    new_rows: tuple[str, ...]
    gone_rows: tuple[str, ...]


def diff(one: Path, other: Path) -> list[Change]:
    """Problems whose rows differ, most changes first.

    A row is known by its id where it has one (so a file in another order, or with rows put in, changes nothing), and by
    its number where it has none.

    Args:
        one: folder of the earlier checked version.
        other: folder of the later one.
    """
    before, after = _named(one), _named(other)
    changes = []
    for key in sorted({*before, *after}):
        was, now = before.get(key, {}), after.get(key, {})
        new, gone = sorted(now.keys() - was.keys()), sorted(was.keys() - now.keys())
        acted = sum(now[name] != was[name] for name in now.keys() & was.keys())
        if new or gone or acted:
            samples = tuple(new[:SAMPLES]), tuple(gone[:SAMPLES])
            changes.append(Change(*key, len(was), len(now), len(new), len(gone), acted, *samples))
    return sorted(changes, key=lambda change: (-change.new - change.gone - change.acted, change.check, change.problem))


def _named(folder: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    """(check, family, problem) → name of a row and its field → action."""
    import pyarrow.parquet as pq

    findings = pq.read_table(folder / "findings.parquet")
    names = {family: _names(folder, family, findings) for family in set(findings["family"].to_pylist())}
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    columns = ("check_id", "family", "problem", "row_id", "field", "action")
    for id, family, problem, row_id, field, action in zip(
        *(findings[name].to_pylist() for name in columns), strict=True
    ):
        row = "file" if row_id == FILE else names[family].get(row_id, f"row {row_id}")
        found.setdefault((id, family, problem), {})[f"{row} {field}".strip()] = action
    return found


def _names(folder: Path, family: str, findings: pa.Table) -> dict[int, str]:
    """row_id → its id, of rows with findings; looked up in trusted data and in quarantine."""
    import duckdb

    keys = KEYS.get(family)
    files = [folder / f"{family}.parquet", folder / "quarantine" / f"{family}.parquet"]
    there = [str(path) for path in files if path.exists()]
    if keys is None or not there:
        return {}
    with duckdb.connect() as connection:
        connection.register("findings", findings.select(["family", "row_id"]))
        name = " || ' ' || ".join(keys)
        rows = connection.execute(
            f"SELECT DISTINCT row_id, {name} FROM read_parquet($files, union_by_name = true) "  # noqa: S608  # our own names
            f"SEMI JOIN (SELECT DISTINCT row_id FROM findings WHERE family = $family) USING (row_id) "
            f"WHERE {name} IS NOT NULL",
            {"files": there, "family": family},
        ).fetchall()
    repeated: Mapping[str, int] = _counts(name for _, name in rows)
    # rows of one id need their number, too
    return {row_id: name if repeated[name] == 1 else f"{name} (row {row_id})" for row_id, name in rows}


def _counts(names: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def gates(one: Path, other: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the gate said of each."""
    first, second = (json.loads((folder / "gate.json").read_text("utf-8")) for folder in (one, other))
    return first, second
