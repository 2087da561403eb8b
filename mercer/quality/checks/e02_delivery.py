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
CONTENT = ("product", "type", "shopper", "time")
"""What two events of one id do not differ in."""
TRADES = ("purchase", "refund")
BILL, BILLS = 3, 20
"""Lines from which a bill tells whether its lines share one time, and bills from which a log does."""


@dataclass(frozen=True)
class Delivery(CheckSettings):
    """When two deliveries are one."""

    within: int = 1000
    """Milliseconds between two equal events of one shopper that no person makes."""
    order_share: float = 0.2
    """Share of rows that repeat an event_id with other content above which it is an order number, not an id."""

    billed: float = 0.5
    """Share of bills (sessions of three purchases or more) at one time from which a line's time is its bill's."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not 0 < self.billed <= 1:
            raise SettingsError(f"billed is {self.billed}", cure="give a share above 0, at most 1")
        if self.within < 0:
            raise SettingsError(f"within is {self.within} ms", cure="give 0 or more milliseconds")


@check(
    "E02",
    families=("events",),
    tier="relational",
    span="part",
    severity="high",
    problems={
        "same_event": Problem("the same event was delivered before", "同一事件重复送达", "drop"),
        "same_line": Problem(
            "the bill has an equal line, and all its lines one time", "同一账单中已有相同的行", "warn"
        ),
        "resent": Problem("the same action within a moment", "极短时间内的相同动作", "quarantine"),
        "id_reused": Problem("another event has this id", "事件编号被另一事件占用", "quarantine"),
        "order_number": Problem("event_id is shared by many events", "事件编号被大量事件共用", "warn"),
    },
    settings=Delivery,
    version=3,
    english="an event is delivered once",
    chinese="一个事件只送达一次",
)
def delivery(inputs: Inputs[Any], settings: Delivery) -> Iterator[Found]:
    """Repeats of one event; the first delivery stays.

    A row equal to an earlier one in every column, its time too, is dropped, whatever id it was given (the reader gives
    one where the file has none), if a session or a shopper says whose it is: two strangers may do the same at once.
    Where the time of a purchase is its bill's, two pieces rung up one after the other are equal too: such a line is
    only told of, unless its id is the same as well (on `online_retail` at most a quarter of equal lines are doubles).

    Where events come in many files, rows of the files before are earlier ones; "within a moment" is asked in one file.
    """
    import narwhals.stable.v2 as nw

    owned = ~nw.col("session").is_null() | ~nw.col("shopper").is_null()
    known = ~nw.col("product").is_null() & ~nw.col("time").is_null()
    mine = inputs["events"]
    events = mine.filter(known & (owned | ~nw.col("event_id").is_null())).with_columns(mine=nw.lit(value=True))
    earlier = inputs.get("events.before")
    if earlier is not None:
        then = earlier.join(events.select("time").unique(), on="time", how="semi")
        events = nw.concat([then.with_columns(mine=nw.lit(value=False)), events], how="vertical")
    order = ("time", "row_id")
    before = {f"{name}_before": nw.col(name).shift(1).over(*SAME, order_by=order) for name in (*order, "event_id")}
    repeated = events.with_columns(**before, owned=owned).filter(~nw.col("time_before").is_null())
    gap = nw.col("time") - nw.col("time_before")
    same_id = (nw.col("event_id") == nw.col("event_id_before")).fill_null(value=False)
    repeated = repeated.with_columns(gap=gap).filter((nw.col("owned") | same_id) & (gap <= settings.within))
    repeated = repeated.filter(nw.col("mine")).join(_billed(mine, settings), how="cross")
    line = nw.col("billed") & nw.col("type").is_in(list(TRADES)) & ~same_id
    at_once = nw.when(line).then(nw.lit("same_line")).otherwise(nw.lit("same_event"))
    problem = nw.when(nw.col("gap") == 0).then(at_once).otherwise(nw.lit("resent"))
    evidence = ("row_id", "product", "shopper", "session", "time", "gap", "row_id_before")
    yield Found(repeated.select(*evidence, problem=problem), "events", "time", "same_event", 0.9)
    yield from _reused(inputs, settings)
    if earlier is not None:
        yield Found(_reused_before(mine, earlier), "events", "event_id", "id_reused")


def _billed(events: Any, settings: Delivery) -> Any:
    """One row, `billed`: whether the lines of most bills share one time."""
    import narwhals.stable.v2 as nw

    whole = ~nw.col("session").is_null() & ~nw.col("time").is_null()
    trades = events.filter(nw.col("type").is_in(list(TRADES)) & whole)
    bills = trades.group_by("session").agg(lines=nw.len(), first=nw.col("time").min(), last=nw.col("time").max())
    at_once = (nw.col("first") == nw.col("last")).cast(nw.Int64)
    told = bills.filter(nw.col("lines") >= BILL).with_columns(at_once=at_once)
    share = told.select(of=nw.len().cast(nw.Int64), sum=nw.col("at_once").sum().cast(nw.Int64))
    enough = (nw.col("of") >= BILLS) & (nw.col("sum").fill_null(0) >= settings.billed * nw.col("of"))
    return share.select(billed=enough)


def _reused_before(events: Any, earlier: Any) -> Any:
    """Rows whose event_id stands for another event in a file before."""
    import narwhals.stable.v2 as nw

    named = events.filter(~nw.col("event_id").is_null()).select("row_id", "event_id", *CONTENT)
    then = earlier.select("event_id", first_row="row_id", **{f"{name}_then": nw.col(name) for name in CONTENT})
    both = named.join(then, on="event_id", how="inner")
    differ = nw.any_horizontal(*(nw.col(name) != nw.col(f"{name}_then") for name in CONTENT), ignore_nulls=True)
    return both.filter(differ).group_by("row_id", "event_id").agg(first_row=nw.col("first_row").min())


def _reused(inputs: Inputs[Any], settings: Delivery) -> Iterator[Found]:
    import narwhals.stable.v2 as nw

    every = inputs["events"].filter(~nw.col("event_id").is_null())
    often = every.group_by("event_id").agg(times=nw.len()).filter(nw.col("times") > 1)
    named = inputs.hold(every.join(often, on="event_id", how="semi").select("row_id", "event_id", *CONTENT))
    ends = {f"{name}_{end}": getattr(nw.col(name), end)() for name in CONTENT for end in ("min", "max")}
    differ = nw.any_horizontal(*(nw.col(f"{name}_min") != nw.col(f"{name}_max") for name in CONTENT), ignore_nulls=True)
    shared = named.group_by("event_id").agg(first_row=nw.col("row_id").min(), **ends).filter(differ)
    again = named.join(shared.select("event_id", "first_row"), on="event_id", how="inner")
    again = again.filter(nw.col("row_id") > nw.col("first_row"))
    again = inputs.hold(again.select("row_id", "event_id", "first_row"))
    total = every.select(rows=nw.len().cast(nw.Int64))
    count = again.select(repeated=nw.len().cast(nw.Int64)).join(total, how="cross")
    count = inputs.hold(count).with_columns(often=nw.col("repeated") > nw.col("rows") * settings.order_share)
    rows = again.join(count, how="cross").filter(~nw.col("often"))
    yield Found(rows.select("row_id", "event_id", "first_row"), "events", "event_id", "id_reused")
    told = count.filter(nw.col("often")).select(nw.lit(FILE).cast(nw.Int64).alias("row_id"), "rows", "repeated")
    yield Found(told, "events", "event_id", "order_number")
