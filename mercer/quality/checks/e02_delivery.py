"""Events in; events that were delivered twice out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found

__all__ = ["Delivery", "delivery"]

SAME = ("shopper", "session", "product", "type", "query_id", "position", "quantity", "price", "device", "place")
"""What a repeated delivery repeats, besides the time."""


@dataclass(frozen=True)
class Delivery(CheckSettings):
    """When two deliveries are one."""

    within: int = 1000
    """Milliseconds between two equal events of one shopper that no person makes."""
    order_share: float = 0.2
    """Share of rows that repeat an event_id with other content above which it is an order number, not an id."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.within < 0:
            raise SettingsError(f"within is {self.within} ms", cure="give 0 or more milliseconds")


@check(
    "E02",
    families=("events",),
    tier="relational",
    severity="high",
    problems={
        "same_event": Problem("the same event was delivered before", "同一事件重复送达", "drop"),
        "resent": Problem("the same action within a moment", "极短时间内的相同动作", "quarantine"),
        "id_reused": Problem("another event has this id", "事件编号被另一事件占用", "quarantine"),
        "order_number": Problem("event_id is shared by many events", "事件编号被大量事件共用", "warn"),
    },
    settings=Delivery,
    english="an event is delivered once",
    chinese="一个事件只送达一次",
)
def delivery(inputs: Inputs[Any], settings: Delivery) -> Iterator[Found]:
    """Repeats of one event; the first delivery stays.

    A row equal to an earlier one in every column, its time too, is dropped, whatever id it was given (the reader gives
    one where the file has none), if a session or a shopper says whose it is: two strangers may do the same at once.
    """
    import narwhals.stable.v2 as nw

    events = inputs["events"].filter(~nw.col("product").is_null() & ~nw.col("time").is_null())
    marked = events.with_columns(
        first_row=nw.col("row_id").min().over(*SAME, "time"),
        first_id=nw.col("row_id").min().over(*SAME, "time", "event_id"),
    )
    owned = ~nw.col("session").is_null() | ~nw.col("shopper").is_null()
    named = ~nw.col("event_id").is_null() & (nw.col("row_id") > nw.col("first_id"))
    again = (owned & (nw.col("row_id") > nw.col("first_row"))) | named
    evidence = ("row_id", "product", "shopper", "session", "time", "first_row")
    yield Found(marked.filter(again).select(*evidence), "events", "event_id", "same_event")
    single = marked.filter(~again).drop("first_row", "first_id")
    yield from _resent(single, settings)
    yield from _reused(single, settings)


def _resent(events: Any, settings: Delivery) -> Iterator[Found]:
    """Equal but for time and id, a moment apart."""
    import narwhals.stable.v2 as nw

    owned = events.filter(~nw.col("shopper").is_null() | ~nw.col("session").is_null())
    before = owned.with_columns(before=nw.col("time").shift(1).over(*SAME, order_by=("time", "row_id")))
    gap = nw.col("time") - nw.col("before")
    rows = before.filter(gap <= settings.within).select("row_id", "product", "shopper", "type", "time", gap=gap)
    yield Found(rows, "events", "time", "resent", 0.8)


def _reused(events: Any, settings: Delivery) -> Iterator[Found]:
    import narwhals.stable.v2 as nw

    named = events.filter(~nw.col("event_id").is_null())
    marked = named.with_columns(first_row=nw.col("row_id").min().over("event_id"))
    again = marked.filter(nw.col("row_id") > nw.col("first_row"))
    total = named.select(rows=nw.len().cast(nw.Int64))
    count = again.select(repeated=nw.len().cast(nw.Int64)).join(total, how="cross")
    count = count.with_columns(often=nw.col("repeated") > nw.col("rows") * settings.order_share)
    rows = again.join(count, how="cross").filter(~nw.col("often"))
    yield Found(rows.select("row_id", "event_id", "first_row"), "events", "event_id", "id_reused")
    shared = count.filter(nw.col("often"))
    told = shared.select(nw.lit(FILE).cast(nw.Int64).alias("row_id"), "rows", "repeated")
    yield Found(told, "events", "event_id", "order_number")
