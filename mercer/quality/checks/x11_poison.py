"""Events and those of the files before in; products that a few hands push up the ranks out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found

__all__ = ["Poison", "poison"]


@dataclass(frozen=True)
class Poison(CheckSettings):
    """What an update may do to one product."""

    fewest: int = 30
    """New events of a product below which nothing is said of it."""
    lift: float = 8.0
    """Times a product's new events may exceed what its share so far promises."""
    unknown: float = 0.6
    """Share of its new events (0 to 1) from shoppers never seen, beyond the share in the whole update."""
    each: float = 10.0
    """New events of one product per shopper, from which few hands did it."""
    history: int = 1000
    """Earlier events below which there is nothing to compare with."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.fewest < 1 or self.lift <= 1 or not 0 < self.unknown <= 1 or self.each <= 1:
            raise SettingsError(
                f"fewest {self.fewest}, lift {self.lift}, unknown {self.unknown}, each {self.each}",
                cure="give at least 1 event, a lift above 1, a share up to 1 and more than 1 event each",
            )


@check(
    "X11",
    families=("events",),
    tier="relational",
    span="part",
    severity="critical",
    problems={
        "pushed_by_strangers": Problem("new shoppers push this product up", "大量新用户集中推高该商品", "block"),
        "pushed_by_few": Problem("a few shoppers push this product up", "少数用户集中推高该商品", "block"),
    },
    settings=Poison,
    english="an update does not move a product's rank abnormally",
    chinese="数据更新不会异常改变商品排名",
)
def poison(inputs: Inputs[Any], settings: Poison) -> Iterator[Found]:
    """Poisoned updates: ``events.before`` are the events of the files before; what they lack is new.

    A product is pushed when its new events are `lift` times what its share of the events so far promises, and come
    from shoppers nobody has seen, or from few. A season lifts many products through many shoppers who were there.
    """
    if "events.before" not in inputs:
        return
    import narwhals.stable.v2 as nw

    named = [nw.col(name).is_null() for name in ("product", "shopper", "event_id")]
    columns = ("row_id", "event_id", "product", "shopper")
    events = inputs["events"].filter(~(named[0] | named[1] | named[2])).select(*columns)
    before = inputs["events.before"].filter(~(named[0] | named[1] | named[2])).select(*columns[1:])
    new = inputs.hold(events.join(before.select("event_id"), on="event_id", how="anti"))
    strangers = new.join(before.select("shopper").unique(), on="shopper", how="anti")

    count = nw.len().cast(nw.Int64)
    then = before.group_by("product").agg(earlier=count)
    now = new.group_by("product").agg(new=count, shoppers=nw.col("shopper").n_unique().cast(nw.Int64))
    odd = strangers.group_by("product").agg(strange=count)
    joined = now.join(then, on="product", how="left").join(odd, on="product", how="left")
    totals = [
        before.select(key=nw.lit(1), all_earlier=count).group_by("key").agg(all_earlier=nw.col("all_earlier").max()),
        now.select(key=nw.lit(1), n=nw.col("new")).group_by("key").agg(all_new=nw.col("n").sum(), listed=count),
        odd.select(key=nw.lit(1), n=nw.col("strange")).group_by("key").agg(all_strange=nw.col("n").sum()),
    ]
    for total in totals:
        joined = joined.with_columns(key=nw.lit(1)).join(total, on="key", how="left")
    filled = [nw.col(name).fill_null(0) for name in ("earlier", "strange", "all_strange")]
    # a product never seen may have as many as the mean product
    expected = nw.col("all_new") * (filled[0] + 1.0) / (nw.col("all_earlier") + nw.col("listed"))
    measured = inputs.hold(
        joined.select(
            nw.lit(FILE).cast(nw.Int64).alias("row_id"),
            "product",
            "new",
            "shoppers",
            expected=expected,
            lift=nw.col("new") / expected,
            strange=filled[1] / nw.col("new"),
            usual=filled[2] / nw.col("all_new"),
            each=nw.col("new") / nw.col("shoppers"),
            all_earlier=nw.col("all_earlier"),
        )
    )
    much = (nw.col("new") >= settings.fewest) & (nw.col("lift") >= settings.lift)
    pushed = measured.filter(much & (nw.col("all_earlier") >= settings.history))
    unknown = nw.col("strange") - nw.col("usual") >= settings.unknown
    few = nw.col("each") >= settings.each
    evidence = ("row_id", "product", "new", "expected", "lift", "shoppers", "strange", "usual")
    yield Found(pushed.filter(unknown).select(*evidence), "events", "product", "pushed_by_strangers")
    yield Found(pushed.filter(few & ~unknown).select(*evidence), "events", "product", "pushed_by_few", 0.9)
