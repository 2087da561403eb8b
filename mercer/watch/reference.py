"""A shop in; what its live index was built from, and what there is now, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercer.shop import Shop
from mercer.watch.decide import News
from mercer.watch.traffic import columns, events, from_checked

if TYPE_CHECKING:
    from mercer.events.log import EventLog

__all__ = ["Reference"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """Of one live index."""

    version: str
    """ "" where none is live."""
    made: int
    """When it was built, UTC ms."""
    products: list[Row]
    """It was built from these, as the checked version has them."""
    now: list[Row]
    """The newest checked version, with what was changed since over HTTP."""
    queries: list[str]
    """That shoppers asked before, as often as they did; or those of queries.parquet, once each."""
    news: News

    @classmethod
    def of(cls, shop: Shop, log: EventLog) -> Reference:
        """Read it from the shop."""
        live = shop.live("index")
        card: Mapping[str, Any] = shop.card("index", live.version) if live else {}
        checked, newest = str(card.get("checked", "")), shop.live("checked")
        newer = newest.version if newest and checked and newest.version != checked else ""
        before = _products(shop, checked)
        now = _changed(_products(shop, newer) if newer else before, log, int(card.get("changes", 0)))
        traffic = from_checked(shop.path("checked", checked)) if checked else columns(())
        made = int(card.get("made", 0))
        news = News(_clicks(log, made), _learnt(shop, checked), _differ(before, now), len(before), newer)
        queries = [query for query in traffic.query if query] or _texts(shop, checked)
        return cls(live.version if live else "", made, before, now, queries, news)


def _products(shop: Shop, version: str) -> list[Row]:
    import pyarrow.parquet as pq

    path = shop.path("checked", version) / "products.parquet" if version else None
    rows: list[Row] = pq.read_table(path).to_pylist() if path and path.exists() else []
    return rows


def _changed(rows: list[Row], log: EventLog, since: int) -> list[Row]:
    """Rows with the changes of the log after number `since`."""
    held = {str(row["id"]): row for row in rows}
    for change in log.changes(since):
        held.pop(change.id, None)
        if change.product is not None:
            held[change.id] = change.product.to_row()
    return list(held.values())


def _differ(before: list[Row], now: list[Row]) -> int:
    """Products that are new, gone, or have another title, price or category."""
    theirs, ours = (
        {str(row["id"]): (row["title"], row["price"], row["category"] or "") for row in rows} for rows in (before, now)
    )
    return sum(theirs.get(id) != ours.get(id) for id in theirs.keys() | ours.keys())


def _clicks(log: EventLog, since: int) -> int:
    return sum(event.type == "click" for event in events(log, since=since))


def _learnt(shop: Shop, version: str) -> int:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = shop.path("checked", version) / "events.parquet" if version else None
    if not path or not path.exists():
        return 0
    return int(pc.sum(pc.equal(pq.read_table(path, columns=["type"])["type"], "click")).as_py() or 0)


def _texts(shop: Shop, version: str) -> list[str]:
    import pyarrow.parquet as pq

    path = shop.path("checked", version) / "queries.parquet" if version else None
    return (
        [text for text in pq.read_table(path, columns=["text"])["text"].to_pylist() if text]
        if path and path.exists()
        else []
    )
