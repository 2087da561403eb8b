"""A shop's event log in; its events as files to check, and its changed products merged into the file's, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.shop import Shop

if TYPE_CHECKING:
    from mercer.events.log import Change, EventLog
    from mercer.quality.part import PartFile
    from mercer.quality.read import Raw

__all__ = ["Live", "live"]

CHUNK = 200_000
"""Events of one file: a full one never changes again, so it is checked once."""


@dataclass(frozen=True, slots=True)
class Live:
    """What came in through the API and stands in no raw file."""

    events: tuple[PartFile, ...] = ()
    last_event: int = 0
    """Number of the last event in `events`."""
    changes: tuple[Change, ...] = ()
    """Products put since the product file was written; deletions are the index's to follow, as events of the past
    would else be about unknown products."""
    last_change: int = 0

    def merged(self, raws: dict[str, Raw]) -> dict[str, Raw]:
        """`raws` with the changed products in place of the file's, and the new ones after them."""
        if "products" not in raws or not self.changes:
            return raws
        return {**raws, "products": _with(raws["products"], self.changes)}

    def told(self) -> str:
        """What distinguishes it from the log at another time."""
        return f"{self.last_event}/{[change.seq for change in self.changes]}"


def live(shop: Shop, *, since: int) -> Live:
    """What the log has that the raw files lack.

    Args:
        shop: whose events.db may be there.
        since: when the product file was written, UTC milliseconds.
    """
    if not shop.events.exists():
        return Live()
    from mercer.events.log import EventLog

    with EventLog(shop.events) as log:
        found = list(_chunks(shop, log))
        changes = log.changes()
        newer = tuple(change for change in changes if change.time > since and change.product is not None)
        last = found[-1][0] if found else 0
        return Live(tuple(file for _, file in found), last, newer, changes[-1].seq if changes else 0)


def _chunks(shop: Shop, log: EventLog) -> Iterator[tuple[int, PartFile]]:
    """(last seq, file) of each `CHUNK` of numbers; only the last one is written anew."""
    from mercer.events.export import export
    from mercer.quality.part import PartFile
    from mercer.quality.schema import COLUMNS

    folder = shop.cache / "live"
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {name: name for name in COLUMNS["events"]}
    kept = {path.name for path in folder.glob("*.parquet")}
    seq, used = 0, set()
    while rows := log.since(seq, limit=CHUNK):
        number = (rows[0][0] - 1) // CHUNK
        mine = [(at, event) for at, event in rows if (at - 1) // CHUNK == number]
        seq = mine[-1][0]
        path = folder / f"live-{number:06d}-{seq}.parquet"
        if path.name not in kept:
            export((event for _, event in mine), path)
        used.add(path.name)
        yield seq, PartFile(path, mapping, live=True)
    for name in kept - used:
        (folder / name).unlink(missing_ok=True)


def _with(raw: Raw, changes: tuple[Change, ...]) -> Raw:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows: dict[str, Mapping[str, Any]] = {c.id: c.product.to_row() for c in changes if c.product is not None}
    table = raw.table
    first = 1 + max(pc.max(one["row_id"]).as_py() or 0 for one in (table, raw.malformed) if one.num_rows)
    place: dict[str, int] = {}
    for row_id, id in zip(table["row_id"].to_pylist(), table["id"].to_pylist(), strict=True):
        if id in rows:
            place.setdefault(id, row_id)
    fresh = (id for id in rows if id not in place)
    numbers = place | {id: first + index for index, id in enumerate(fresh)}
    put = pa.Table.from_pylist([{**row, "row_id": numbers[id]} for id, row in rows.items()], schema=table.schema)
    stay = table.filter(pc.invert(pc.is_in(table["id"], value_set=pa.array(list(rows), pa.string()))).fill_null(True))
    return dataclasses.replace(
        raw, table=pa.concat_tables([stay, put]).sort_by("row_id"), rows=raw.rows + len(numbers) - len(place)
    )
