"""A shop in; what its last check took out, with reasons, and ways to put rows back or agree to lose them, out."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mercer.errors import NotFoundError, RequestError
from mercer.quality.check import find
from mercer.quality.conceal import masker
from mercer.quality.last_good import PRODUCTS, notes_of
from mercer.quality.ledger import Ledger
from mercer.shop import Shop

__all__ = [
    "TOLD",
    "approve",
    "chosen",
    "concealed",
    "forget",
    "last_checked",
    "restorable",
    "restore",
    "rows",
    "served",
]

MARKS = ("family", "row_id", "row_hash", "reasons", "served")
"""What a row has besides what came in the file."""
TOLD = 1000
"""Rows that one entry of the audit log names; it counts the others."""

Row = dict[str, Any]


def last_checked(shop: Shop) -> Path:
    """Folder of the last checked version, blocked or not.

    Raises:
        NotFoundError: there is none.
    """
    last = Ledger(shop.store).last()
    if last is None:
        raise NotFoundError(f"{shop.folder} has not been checked", cure=f"run: mercer check {shop.folder}")
    shop.card("checked", last["version"])
    return shop.path("checked", last["version"])


def rows(shop: Shop, *, check: str = "", family: str = "", numbers: Iterable[int] | None = None) -> Iterator[Row]:
    """Quarantined rows with their family and parsed reasons, as they came: personal data is in them.

    Args:
        shop: whose last check it was.
        check: only rows that this check took out.
        family: only rows of this family.
        numbers: only these row_ids.
    """
    import pyarrow.parquet as pq

    folder = last_checked(shop)
    notes = notes_of(folder)
    wanted = None if numbers is None else set(numbers)
    for path in sorted((folder / "quarantine").glob("*.parquet")):
        if family and path.stem != family:
            continue
        for batch in pq.ParquetFile(path).iter_batches(1024):
            for row in batch.to_pylist():
                if wanted is not None and row["row_id"] not in wanted:
                    continue
                row["family"], row["reasons"] = path.stem, json.loads(row["reasons"])
                if path.stem == PRODUCTS and row["row_id"] in notes:
                    row["served"] = served(notes[row["row_id"]])
                if not check or any(reason["check_id"] == check for reason in row["reasons"]):
                    yield row


def served(note: Mapping[str, Any]) -> str:
    """What serves in the place of a row."""
    if note["kind"] == "last_good":
        return f"the row of run {note['version']} goes on serving"
    return f"it serves without {', '.join(json.loads(note['fields']))}"


def concealed(found: Sequence[Row], *, salt: str) -> list[Row]:
    """Rows for people to read: what names a person is masked, as in trusted data; the Parquet file has all of it."""
    hide = {family: masker(family, salt=salt) for family in {row["family"] for row in found}}
    return [{name: one if name in MARKS else hide[row["family"]](one) for name, one in row.items()} for row in found]


def chosen(shop: Shop, names: Iterable[str]) -> list[Row]:
    """The rows of these names: a row's hash, or FAMILY:NUMBER.

    Raises:
        NotFoundError: one of them is not in quarantine.
    """
    wanted = dict.fromkeys(names)
    found: dict[str, Row] = {}
    for row in rows(shop):
        for name in (row["row_hash"], f"{row['family']}:{row['row_id']}"):
            if name in wanted:
                found.setdefault(name, row)
    for name in wanted:
        if name not in found:
            raise NotFoundError(
                f"no row {name!r:.99} is in quarantine", cure=f"list them: mercer quarantine {shop.folder} list"
            )
    return list(found.values())


def restorable(row: Row) -> bool:
    """Whether a row has what every reader of trusted data needs."""
    return all(find(reason["check_id"]).problems[reason["problem"]].restorable for reason in row["reasons"])


def restore(shop: Shop, names: Iterable[str]) -> int:
    """Put rows back, from the next check on; how many they are.

    Raises:
        NotFoundError: as `chosen`.
        RequestError: one of them cannot be used at all; nothing is put back.
    """
    found = chosen(shop, names)
    for row in found:
        for reason in row["reasons"]:
            words = find(reason["check_id"]).problems[reason["problem"]]
            if not words.restorable:
                raise RequestError(
                    f"{row['family']}:{row['row_id']} cannot be used: {words.english} ({reason['field'] or 'row'})",
                    cure="mend it in the raw file and run mercer check",
                )
    shop.audit.append("restore rows", {"rows": [row["row_hash"] for row in found][:TOLD], "count": len(found)})
    Ledger(shop.store).restore({row["row_hash"]: {"family": row["family"], "row_id": row["row_id"]} for row in found})
    return len(found)


def approve(shop: Shop, found: Sequence[Row], *, who: str = "") -> int:
    """Agree to lose rows; how many they are.

    Args:
        shop: whose rows they are.
        found: of `rows` or `chosen`.
        who: "" is the user of the machine.

    Raises:
        NotFoundError: there are none.
    """
    if not found:
        raise NotFoundError(
            "nothing is in quarantine to approve", cure=f"list it: mercer quarantine {shop.folder} list"
        )
    about = {
        row["row_hash"]: {
            "family": row["family"],
            "row_id": row["row_id"],
            "reasons": sorted({f"{reason['check_id']} {reason['problem']}" for reason in row["reasons"]}),
        }
        for row in found
    }
    shop.audit.append("approve loss of rows", {"as": who, "rows": list(about)[:TOLD], "count": len(about)})
    Ledger(shop.store).approve(about, who=who or getpass.getuser())
    return len(found)


def forget(shop: Shop, hashes: Sequence[str]) -> None:
    """Judge rows again that were put back or approved.

    Raises:
        NotFoundError: one of them was neither.
    """
    ledger = Ledger(shop.store)
    restored, approved = ledger.restored(), ledger.approved()
    for name in hashes:
        if name not in restored and name not in approved:
            known = ", ".join([*restored, *approved]) or "none"
            raise NotFoundError(f"row {name!r:.99} was neither put back nor approved", cure=f"known hashes: {known}")
    shop.audit.append("forget restored or approved rows", {"rows": list(hashes)[:TOLD], "count": len(hashes)})
    ledger.forget(hashes)
    ledger.disapprove(hashes)
