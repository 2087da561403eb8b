"""Events (and products) in; events that cannot be, or that happened to no known product, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.checks.c01_schema import missing, unreadable
from mercer.quality.finding import FILE, Found
from mercer.quality.service import service_ids
from mercer.records import ACTIONS

__all__ = ["EventRules", "event"]


@dataclass(frozen=True)
class EventRules(CheckSettings):
    """What an event may be."""

    cancelled: str = "^[Cc][0-9]+$"
    """Regular expression (RE2 and Java) of the order number (session or event_id) of a cancellation."""


@check(
    "E01",
    families=("events",),
    tier="relational",
    severity="critical",
    repairs=True,
    span="part",
    problems={
        "malformed": Problem("the row could not be parsed", "该行无法解析", "quarantine", restorable=False),
        "wrong_type": Problem("the value fits no type of its column", "值与列的类型不符", "quarantine"),
        "missing_required": Problem("a required value is missing", "缺少必填值", "quarantine", restorable=False),
        "unknown_type": Problem("no known type of event", "未知的事件类型", "quarantine"),
        "unknown_product": Problem("an event for an unknown product", "事件指向未知商品", "quarantine"),
        "not_a_product": Problem("an event for a fee or a stock note", "事件对象是费用或盘点备注", "quarantine"),
        "cancellation": Problem("a refund written as a negative quantity", "退款被记为负数量", "fix"),
        "quantity": Problem("a quantity that is not above zero", "数量不大于零", "quarantine"),
        "free": Problem("a sale or refund whose price is not above zero", "交易价格不大于零", "quarantine"),
        "not_finite": Problem("an infinite number, or none", "数值为无穷大或非数字", "quarantine"),
        "no_shopper": Problem("events without a shopper", "事件缺少用户", "warn"),
    },
    settings=EventRules,
    english="an event has a known type, a known product and possible numbers",
    chinese="事件的类型、商品已知，数值合理",
)
def event(inputs: Inputs[Any], settings: EventRules) -> Iterator[Found]:
    """Schema, enumeration, orphans and impossible numbers.

    A sale of a negative quantity whose order number marks a cancellation becomes a refund, and a refund's quantity
    counts from zero up. A negative sale without the mark is a correction of stock and waits in quarantine, as does
    what was sold or taken back at no price: in `online_retail` these are write-offs, gifts and lost parcels.
    """
    yield from unreadable(inputs, "events")
    yield from missing(inputs, "events")
    yield from _types(inputs)
    if "products" in inputs:
        yield from _products(inputs)
    yield from _numbers(inputs, settings)
    yield from _anonymous(inputs)


def _types(inputs: Inputs[Any]) -> Iterator[Found]:
    import narwhals.stable.v2 as nw

    kind = nw.col("type")
    unknown = inputs["events"].filter((kind.str.strip_chars() != "") & ~kind.is_in(list(ACTIONS)))
    yield Found(unknown.select("row_id", "type"), "events", "type", "unknown_type")


def _products(inputs: Inputs[Any]) -> Iterator[Found]:
    import narwhals.stable.v2 as nw

    named = inputs["events"].filter(nw.col("product").str.strip_chars() != "").select("row_id", "product")
    known = inputs["products"].select(product=nw.col("id")).drop_nulls().unique()
    yield Found(named.join(known, on="product", how="anti"), "events", "product", "unknown_product")
    services = named.join(service_ids(inputs["products"]), on="product", how="inner")
    yield Found(services, "events", "product", "not_a_product", 0.9)


def _numbers(inputs: Inputs[Any], settings: EventRules) -> Iterator[Found]:
    import narwhals.stable.v2 as nw

    events = inputs["events"]
    quantity, amount = nw.col("quantity"), nw.col("price")
    sale = nw.col("type") == "purchase"
    marked = nw.col("session").str.contains(settings.cancelled).fill_null(value=False)
    marked = marked | nw.col("event_id").str.contains(settings.cancelled).fill_null(value=False)
    counted = events.filter(quantity.is_finite())
    refund = (nw.col("type") == "refund") | (sale & marked)
    undone = counted.filter(refund & (quantity < 0)).with_columns(was=quantity)
    evidence = ("row_id", "session", "product", "was")
    amended = undone.select(*evidence, suggestion=-quantity)
    yield Found(amended, "events", "quantity", "cancellation")
    sold = undone.filter(sale).select(*evidence, suggestion=nw.lit("refund"))
    yield Found(sold, "events", "type", "cancellation")

    kept = counted.filter((quantity <= 0) & ~(refund & (quantity < 0)))
    yield Found(kept.select("row_id", "type", "session", "quantity", "price"), "events", "quantity", "quantity")
    traded = nw.col("type").is_in(["purchase", "refund"])
    free = events.filter(traded & (amount <= 0) & amount.is_finite())
    yield Found(free.select("row_id", "product", "quantity", "price"), "events", "price", "free")
    for name in ("quantity", "price"):
        odd = events.filter(~nw.col(name).is_finite()).select("row_id", name)
        yield Found(odd, "events", name, "not_finite")


def _anonymous(inputs: Inputs[Any]) -> Iterator[Found]:
    import narwhals.stable.v2 as nw

    absent = nw.col("shopper").is_null().cast(nw.Int64).sum().cast(nw.Int64)
    summary = inputs["events"].select(rows=nw.len().cast(nw.Int64), without=absent).filter(nw.col("without") > 0)
    shared = summary.select(
        nw.lit(FILE).cast(nw.Int64).alias("row_id"), "rows", "without", share=nw.col("without") / nw.col("rows")
    )
    yield Found(shared, "events", "shopper", "no_shopper")
