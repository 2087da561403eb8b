"""Events in; those that cannot follow from what came before them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found

__all__ = ["Funnel", "funnel"]

DAY = 86_400_000
LOOKS = ("view", "click")
WANTS = ("add_to_cart", "purchase")


@dataclass(frozen=True)
class Funnel(CheckSettings):
    """What a log that records every step does not lack."""

    usual: float = 0.8
    """Share of a kind of event that has its step before, from which one without it is a fault: below, the shop does
    not log that step everywhere."""
    least: int = 50
    """Events of a kind from which that share says something."""
    returns: int = 60
    """Days from the start of the log in which what was bought before may come back."""
    beyond: float = 5.0
    """Times the largest single purchase of the product by anybody, above which nothing bought before explains it."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not 0.5 <= self.usual <= 1:
            raise SettingsError(f"usual is {self.usual}", cure="give a share between .5 and 1")
        for name in ("least", "returns", "beyond"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give 0 or more")


@check(
    "E04",
    families=("events",),
    tier="relational",
    severity="high",
    version=2,
    problems={
        "no_price": Problem("a sale without a price, where sales have one", "交易缺少价格", "quarantine"),
        "unopened": Problem("bought or put in the cart before it was opened", "未浏览先加购或购买", "quarantine"),
        "unshown": Problem("clicked before it was shown", "未曝光先点击", "quarantine"),
        "refund_unknown": Problem("a refund of what was not bought", "退款对应的购买不存在", "warn"),
        "refund_above": Problem("more is taken back than was bought", "退款数量超过购买数量", "quarantine"),
    },
    settings=Funnel,
    english="an event follows from the one it needs",
    chinese="行为符合先后顺序",
)
def funnel(inputs: Inputs[Any], settings: Funnel) -> Iterator[Found]:
    """Steps that are missing or come too late: shown, clicked, put in the cart, bought, taken back.

    A step is asked for only where nearly all events of the kind have it, so a log without impressions, or of orders
    alone, is no fault. A refund in the first weeks of a log may be of what was bought before it, unless it is of more
    than anybody buys.

    Known limit: a refund of a little too much in the first `returns` days is not told from an old purchase's.
    """
    import narwhals.stable.v2 as nw

    events = inputs["events"]
    sale = events.filter(nw.col("type") == "purchase").with_columns(good=~nw.col("price").is_null())
    named = ("row_id", "shopper", "session", "product", "time")
    yield Found(_odd(sale, settings).select(*named, "usual"), "events", "price", "no_price")
    for problem, before, after in (("unopened", LOOKS, WANTS), ("unshown", ("impression",), ("click",))):
        steps = inputs.hold(_steps(events, before, after))
        yield Found(_odd(steps, settings).select(*named, "first", "usual"), "events", "time", problem, 0.9)
    yield from _refunds(inputs, settings)


def _odd(events: Any, settings: Funnel) -> Any:
    """Events that are not `good`, where nearly all of their kind are."""
    import narwhals.stable.v2 as nw

    rows, good = nw.len().cast(nw.Int64), nw.col("good").cast(nw.Int64).sum().cast(nw.Int64)
    share = events.select(of=rows, good_rows=good).with_columns(usual=nw.col("good_rows") / nw.col("of"))
    share = share.filter((nw.col("of") >= settings.least) & (nw.col("usual") >= settings.usual))
    return events.filter(~nw.col("good")).join(share, how="cross")


def _steps(events: Any, before: tuple[str, ...], after: tuple[str, ...]) -> Any:
    """Events of `after` in a session, and whether one of `before` for the same product came first in it."""
    import narwhals.stable.v2 as nw

    keys = ("session", "product")
    known = events.filter(~nw.any_horizontal(*(nw.col(name).is_null() for name in (*keys, "time")), ignore_nulls=True))
    first = known.filter(nw.col("type").is_in(list(before))).group_by(*keys).agg(first=nw.col("time").min())
    steps = known.filter(nw.col("type").is_in(list(after))).join(first, on=list(keys), how="left")
    return steps.with_columns(good=(nw.col("first") <= nw.col("time")).fill_null(value=False))


def _refunds(inputs: Inputs[Any], settings: Funnel) -> Iterator[Found]:
    """Refunds against what the shopper had bought of the product, in order of time."""
    import narwhals.stable.v2 as nw

    keys, order, events = ("shopper", "product"), ("time", "row_id"), inputs["events"]
    known = events.filter(~nw.any_horizontal(*(nw.col(name).is_null() for name in (*keys, "time")), ignore_nulls=True))
    start = known.select(start=nw.col("time").min())
    trades = known.filter(nw.col("type").is_in(["purchase", "refund"])).with_columns(
        amount=nw.col("quantity").fill_null(1.0).abs(), back=nw.col("type") == "refund"
    )
    gone = nw.when(nw.col("back")).then(nw.col("amount")).otherwise(0.0)
    got = nw.when(nw.col("back")).then(0.0).otherwise(nw.col("amount"))
    running = trades.with_columns(gone=gone, got=got).with_columns(
        taken_back=nw.col("gone").cum_sum().over(*keys, order_by=order),
        bought=nw.col("got").cum_sum().over(*keys, order_by=order),
    )
    refunds = running.filter(nw.col("back")).join(start, how="cross")
    columns = ("row_id", "shopper", "product", "time", "taken_back", "bought")
    largest = trades.filter(~nw.col("back")).group_by("product").agg(largest=nw.col("amount").max())
    refunds = inputs.hold(refunds.join(largest, on="product", how="left"))
    unknown = refunds.filter(nw.col("bought") <= 0)
    yield Found(unknown.select(*columns), "events", "product", "refund_unknown", 0.5)
    above = refunds.filter((nw.col("bought") > 0) & (nw.col("taken_back") > nw.col("bought") + 1e-6))
    known_time = nw.col("time") - nw.col("start") > settings.returns * DAY
    above = above.filter(known_time | (nw.col("taken_back") - nw.col("bought") > settings.beyond * nw.col("largest")))
    yield Found(above.select(*columns), "events", "quantity", "refund_above", 0.8)
