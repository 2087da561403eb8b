"""A problem that a check found in; one page of the rows that have it, as they came but masked, out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercer.errors import NotFoundError
from mercer.quality import held
from mercer.quality.check import find
from mercer.quality.ledger import Ledger
from mercer.quality.secret import shop_salt
from mercer.shop import Shop

__all__ = ["Chosen", "Seen", "listed"]

PAGE = 25
"""Rows of one page."""
HIDDEN = (*held.MARKS, "raw")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which findings: one problem of one check in one family."""

    check: str
    family: str
    problem: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One page of rows."""

    english: str
    chinese: str
    action: str
    count: int
    page: int
    last: int
    rows: list[dict[str, Any]]
    """finding (evidence as a dictionary), content (name → text), raw, hash ("" where the row was not taken out),
    state ("", restored or approved), restorable, served."""
    out: int
    """Of `count`, rows that were taken out."""

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE


def listed(shop: Shop, chosen: Chosen, page: int) -> Seen:
    """One page of a problem's rows.

    Raises:
        NotFoundError: there is no such check, problem or finding.
    """
    import pyarrow.parquet as pq

    folder = held.last_checked(shop)
    words = find(chosen.check).problems.get(chosen.problem)
    if words is None:
        raise NotFoundError(f"check {chosen.check} knows no problem {chosen.problem!r:.60}", cure="open /console/data")
    wanted = [("check_id", "=", chosen.check), ("family", "=", chosen.family), ("problem", "=", chosen.problem)]
    findings = pq.read_table(folder / "findings.parquet", filters=wanted)
    if not findings.num_rows:
        raise NotFoundError(
            f"{chosen.check} found no {chosen.problem} in {chosen.family[:40]!r}", cure="open /console/data"
        )
    last = -(-findings.num_rows // PAGE)
    page = min(max(1, page), last)
    here = findings.slice((page - 1) * PAGE, PAGE).to_pylist()
    rows = _contents(shop, folder, chosen.family, {one["row_id"] for one in here})
    ledger = Ledger(shop.store)
    states = dict.fromkeys(ledger.restored(), "restored") | dict.fromkeys(ledger.approved(), "approved")
    out = sum(one in ("quarantine", "drop") for one in findings["action"].to_pylist())
    return Seen(
        words.english, words.chinese, here[0]["action"], findings.num_rows, page, last,
        [_row(one, rows.get(one["row_id"]), states) for one in here], out,
    )  # fmt: skip


def _row(finding: dict[str, Any], row: dict[str, Any] | None, states: dict[str, str]) -> dict[str, Any]:
    given = row or {}
    name = given.get("row_hash", "")
    evidence = {key: value for key, value in json.loads(finding["evidence"]).items() if value is not None}
    return {
        "finding": {**finding, "evidence": evidence},
        "content": {key: value for key, value in given.items() if value is not None and key not in HIDDEN},
        "raw": given.get("raw") or "",
        "hash": name,
        "state": states.get(name, ""),
        "restorable": bool(name) and held.restorable(given),
        "served": given.get("served", ""),
    }


def _contents(shop: Shop, folder: Path, family: str, numbers: set[int]) -> dict[int, dict[str, Any]]:
    """row_id → the row as it came, from quarantine, or as it is trusted; masked."""
    import pyarrow.parquet as pq

    found = {row["row_id"]: row for row in held.rows(shop, family=family, numbers=numbers)}
    path = folder / f"{family}.parquet"
    if path.exists() and (rest := numbers - set(found)):
        for row in pq.read_table(path, filters=[("row_id", "in", rest)]).to_pylist():
            found[row["row_id"]] = {**row, "family": family}
    shown = held.concealed(list(found.values()), salt=shop_salt(shop.store))
    return {row["row_id"]: row for row in shown}
