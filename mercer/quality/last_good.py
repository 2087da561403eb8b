"""Products that leave and the version accepted before in; rows that serve in their place out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.quality import schema
from mercer.quality.check import find
from mercer.quality.engine import DuckEngine
from mercer.quality.profile import name_of
from mercer.quality.quarantine import REMOVING, hold
from mercer.quality.stored import Stored

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from mercer.quality.ask import Asked
    from mercer.quality.settings import QualitySettings

__all__ = ["PRODUCTS", "Before", "Served", "expired", "notes_of", "read_before", "serve"]

PRODUCTS = "products"
DAY = 86_400_000
LAST_GOOD, PARTLY = "last_good", "partly"
LEAVABLE = frozenset(
    ("price", "list_price", "currency", "stock", "availability", "image", "url", "rating", "rating_count")
)
"""What a product can be shown without. Not its texts: on `esci150`, 20 % mixed dirt (development seed 1, first load),
leaving out wrong texts, too, takes recovery of nDCG from 40 % down to 32 %."""
GONE = ("out_of_stock", "discontinued")
FILE_NAME = "served.parquet"
_Offer = tuple[dict[str, Any], dict[str, Any]]
SEPARATORS = re.compile(r"[\s,;|\"'{}\[\]:=<>]+")


@dataclass(frozen=True, slots=True)
class Before:
    """The products that were accepted last."""

    version: str
    products: pa.Table | Stored
    """`SCHEMAS["products"]`."""
    served: pa.Table | None = None
    """`Served.notes` of that version: which of its rows were themselves there in place of others."""


@dataclass(frozen=True, slots=True)
class Served:
    """Rows in place of quarantined ones, in the order of the file."""

    rows: pa.Table
    """`SCHEMAS["products"]`, with the row_id of the row in quarantine."""
    notes: pa.Table
    """row_id i64, id str, kind str (last_good: an earlier row; partly: today's, without what is wrong), version str
    (the checked version that the row came in with, "" for today's), since i64 (UTC ms of the first check that put a
    row in this place), fields str (JSON: names of fields left out, or taken from today's row)."""

    def entry(self) -> dict[str, Any]:
        """What the manifest says of it."""
        kinds = self.notes["kind"].to_pylist()
        told = self.notes.select(["row_id", "id", "kind", "version", "fields"]).to_pylist()
        counts = {LAST_GOOD: kinds.count(LAST_GOOD), PARTLY: kinds.count(PARTLY)}
        return {**counts, "hash": name_of(json.dumps(told, ensure_ascii=False)) if told else ""}


@dataclass(frozen=True, slots=True)
class _Lost:
    """A product in quarantine."""

    row_id: int
    row: Mapping[str, Any]
    """As repaired; of a row that could not be parsed, its id alone."""
    reasons: list[dict[str, str]]

    @property
    def blamed(self) -> set[str]:
        return {reason["field"] for reason in self.reasons}

    @property
    def shown(self) -> bool:
        """Whether it can be shown without what is wrong."""
        return bool(self.row.get("title")) and self.blamed <= LEAVABLE


def _notes() -> pa.Schema:
    import pyarrow as pa

    names = {"row_id": pa.int64(), "id": pa.string(), "kind": pa.string(), "version": pa.string()}
    return pa.schema([*names.items(), ("since", pa.int64()), ("fields", pa.string())])


def read_before(folder: Path, version: str) -> Before | None:
    """A checked version on disk; None where it has no products."""
    import pyarrow.parquet as pq

    path, notes = folder / f"{PRODUCTS}.parquet", folder / FILE_NAME
    if not path.exists():
        return None
    products = Stored((path,), schema.SCHEMAS[PRODUCTS])
    return Before(version, products, pq.read_table(notes) if notes.exists() else None)


def notes_of(folder: Path) -> dict[int, dict[str, Any]]:
    """row_id of a product in quarantine → what serves in its place (`Served.notes`), of a checked version on disk."""
    import pyarrow.parquet as pq

    path = folder / FILE_NAME
    return {note["row_id"]: note for note in pq.read_table(path).to_pylist()} if path.exists() else {}


def expired(before: Before | None, settings: QualitySettings, now: int) -> list[str]:
    """Ids of products whose last good row has served long enough: a check of the same data would now drop them."""
    notes = before.served.to_pylist() if before and before.served else []
    return [note["id"] for note in notes if note["kind"] == LAST_GOOD and _old(note, settings, now)]


def serve(
    asked: Asked,
    out: Mapping[str, set[int]],
    findings: pa.Table,
    *,
    before: Before | None = None,
    agreed: Collection[int] = (),
) -> Served:
    """Rows to serve in place of products that leave.

    The whole row of the version before, where it differs from today's and today's checks find nothing in it, too; else
    today's row without its price or another fact that is wrong, where its texts are not. Never a product that another
    row of the file stands for, that a copy was dropped of, or whose loss a person has approved.

    Args:
        asked: the run, after `run`.
        out: family → row_ids that leave.
        findings: all of them.
        before: what was accepted last.
        agreed: row_ids of products that a person agrees to lose.
    """
    gone = out.get(PRODUCTS, set()) - set(agreed)
    if not gone or not (asked.settings.keep_last_good or asked.settings.keep_partly):
        return _served([])
    lost = list(_lost(asked, out[PRODUCTS], gone, findings, before))
    notes = {note["id"]: note for note in before.served.to_pylist()} if before and before.served else {}
    known = _known(before, [one.row["id"] for one in lost])
    past = _Past(before.version if before else "", known, notes, asked.settings, asked.now)
    taken: dict[int, _Offer] = {}
    for kind, wanted in ((LAST_GOOD, asked.settings.keep_last_good), (PARTLY, asked.settings.keep_partly)):
        left = [one for one in lost if one.row_id not in taken] if wanted else []
        offers = {one.row_id: offer for one in left if (offer := past.offer(kind, one)) is not None}
        for row in _sound(asked, [row for row, _ in offers.values()]):
            taken[row["row_id"]] = row, offers[row["row_id"]][1]
    return _served([taken[row_id] for row_id in sorted(taken)])


def _served(offers: list[_Offer]) -> Served:
    import pyarrow as pa

    rows = pa.Table.from_pylist([row for row, _ in offers], schema=schema.SCHEMAS[PRODUCTS])
    return Served(rows, pa.Table.from_pylist([note for _, note in offers], schema=_notes()))


def _lost(asked: Asked, out: set[int], gone: set[int], findings: pa.Table, before: Before | None) -> Iterator[_Lost]:
    """Products of which no row stays, once each, in the order of the file."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table, reasons = asked.tables[PRODUCTS], _reasons(findings, gone)
    leaving = pc.is_in(table["row_id"], value_set=pa.array(sorted(out), pa.int64()))
    seen = set(table["id"].filter(pc.invert(leaving)).to_pylist()) | {None}
    rows = {row["row_id"]: row for row in table.filter(leaving).to_pylist() if row["row_id"] in gone}
    rows |= _unread(asked, gone, set(table["id"].to_pylist()), before)
    for row_id in sorted(rows):
        row = rows[row_id]
        if row["id"] not in seen and any(one["action"] != "drop" for one in reasons[row_id]):
            seen.add(row["id"])
            yield _Lost(row_id, row, reasons[row_id])


def _reasons(findings: pa.Table, gone: set[int]) -> dict[int, list[dict[str, str]]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    mine = pc.and_(pc.equal(findings["family"], PRODUCTS), pc.is_in(findings["action"], pa.array(REMOVING)))
    reasons: dict[int, list[dict[str, str]]] = {row_id: [] for row_id in gone}
    for row in findings.filter(mine).select(["row_id", "check_id", "problem", "field", "action"]).to_pylist():
        if row["row_id"] in reasons:
            reasons[row["row_id"]].append(row)
    return reasons


def _unread(asked: Asked, gone: set[int], here: set[str], before: Before | None) -> dict[int, dict[str, Any]]:
    """Of rows that could not be parsed: the one product of the version before that is missing and named in the text."""
    malformed = [row for row in asked.raws[PRODUCTS].malformed.to_pylist() if row["row_id"] in gone]
    if before is None or not malformed:
        return {}
    missing = set(before.products.select(["id"])["id"].to_pylist()) - here
    named = {row["row_id"]: missing & set(SEPARATORS.split(row["text"] or "")) for row in malformed}
    return {row_id: {"row_id": row_id, "id": ids.pop()} for row_id, ids in named.items() if len(ids) == 1}


def _known(before: Before | None, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Id → the row that was accepted last."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if before is None or not ids:
        return {}
    keys = before.products.select(["row_id", "id"])
    wanted = keys.filter(pc.is_in(keys["id"], value_set=pa.array(sorted(ids), pa.string())))
    return {row["id"]: row for row in hold(before.products, wanted["row_id"].to_pylist()).to_pylist()}


@dataclass(frozen=True, slots=True)
class _Past:
    """What may be offered in the place of a row that is lost, before the checks have looked at it: (row, note)."""

    version: str
    known: Mapping[str, dict[str, Any]]
    """Id → the row that was accepted last."""
    notes: Mapping[str, dict[str, Any]]
    """Id → its note, where that row was itself in the place of another."""
    settings: QualitySettings
    now: int

    def offer(self, kind: str, lost: _Lost) -> _Offer | None:
        """An offer of one kind, or None."""
        return self.partly(lost) if kind == PARTLY else self.last_good(lost)

    def last_good(self, lost: _Lost) -> _Offer | None:
        """The whole earlier row, sold out where today's says so."""
        id = lost.row["id"]
        earlier, note = self.known.get(id), self.notes.get(id)
        if earlier is None or (note and _old(note, self.settings, self.now)) or _same(lost, earlier):
            return None
        if note and note["kind"] == PARTLY and lost.shown and self.settings.keep_partly:
            return None
        version = note["version"] if note and note["kind"] == LAST_GOOD else self.version
        today = _unsold(lost)
        return {**earlier, **today, "row_id": lost.row_id}, self._note(LAST_GOOD, lost, version, today)

    def partly(self, lost: _Lost) -> _Offer | None:
        """Today's row without the fields that are wrong; a list price says nothing without the price."""
        if not lost.shown:
            return None
        fields = lost.blamed | ({"list_price"} if {"price"} <= lost.blamed and lost.row["list_price"] else set())
        return {**lost.row, **dict.fromkeys(fields)}, self._note(PARTLY, lost, "", fields)

    def _note(self, kind: str, lost: _Lost, version: str, fields: Collection[str]) -> dict[str, Any]:
        note = self.notes.get(lost.row["id"])
        told = {"row_id": lost.row_id, "id": lost.row["id"], "kind": kind, "version": version}
        return {**told, "since": note["since"] if note else self.now, "fields": json.dumps(sorted(fields))}


def _old(note: Mapping[str, Any], settings: QualitySettings, now: int) -> bool:
    return note["kind"] == LAST_GOOD and now - int(note["since"]) > settings.last_good_days * DAY


def _same(lost: _Lost, earlier: Mapping[str, Any]) -> bool:
    """Today's row is the earlier one, or what it is blamed for beside other rows it had then: not the update is bad."""
    same = {name for name, value in earlier.items() if repr(lost.row.get(name)) == repr(value)}  # NaN is NaN
    beside = {one["field"] for one in lost.reasons if find(one["check_id"]).tier == "global"}
    return earlier.keys() - {"row_id"} <= same or bool(beside & same & lost.row.keys())


def _unsold(lost: _Lost) -> dict[str, Any]:
    """Stock and availability of today's row where it says that the product cannot be bought: that much is believed."""
    told = {"stock": lost.row.get("stock") == 0, "availability": lost.row.get("availability") in GONE}
    return {name: lost.row[name] for name, gone in told.items() if gone and name not in lost.blamed}


def _sound(asked: Asked, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of some rows that the checks of today leave where they are, repaired as they would be today."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not rows:
        return []
    raw = asked.raws[PRODUCTS]
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: row["row_id"]), schema=schema.SCHEMAS[PRODUCTS])
    nothing = {"malformed": raw.malformed.slice(0, 0), "uncast": raw.uncast.slice(0, 0)}
    alone = dataclasses.replace(raw, table=table, rows=table.num_rows, **nothing)
    with contextlib.closing(DuckEngine(memory=asked.settings.memory)) as engine:  # a handful of rows, whatever runs
        again = type(asked)({PRODUCTS: alone}, asked.settings, now=asked.now, engine=engine)
        found = again.run()
    bad = found.filter(pc.is_in(found["action"], pa.array(REMOVING)))
    return list(
        hold(again.tables[PRODUCTS], set(table["row_id"].to_pylist()) - set(bad["row_id"].to_pylist())).to_pylist()
    )
