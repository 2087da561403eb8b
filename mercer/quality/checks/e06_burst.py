"""Events in; those that come faster than a product's or a shopper's own habits allow (速刷) out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found

__all__ = ["Burst", "burst"]

MINUTE, HOUR, WEEK = 60_000, 3_600_000, 604_800_000
WINDOWS = {"minute": MINUTE, "ten minutes": 10 * MINUTE, "hour": HOUR}
EVIDENCE = ("row_id", "product", "time", "visitors", "of_week", "expected", "nats")
DELIBERATE = ("view", "click", "add_to_cart", "purchase", "like")
SINGLE = ("view", "click", "add_to_cart", "like")
"""What one person does one at a time; the lines of an order come at once."""


@dataclass(frozen=True)
class Burst(CheckSettings):
    """How fast is too fast."""

    visitors: int = 8
    """Different visits that act on one product within a window, from which they can be a burst."""
    nats: float = 30.0
    """Surprise (Poisson tail, natural logarithm) of that many, given the product's week and the shop's hour: 30 is
    one chance in ten billion, and a shop has millions of products' hours."""
    share: float = 0.4
    """Share of the product's week that comes in the window: what sells all week is only busy."""
    a_minute: int = 40
    """Products that one shopper opens, likes or puts in the cart within a minute, beyond which no hand does it."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("visitors", "nats", "a_minute"):
            if getattr(self, name) < 2:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give at least 2")
        if not 0 <= self.share <= 1:
            raise SettingsError(f"share is {self.share}", cure="give a share between 0 and 1")


@check(
    "E06",
    families=("events",),
    tier="relational",
    severity="high",
    problems={
        # All 20 real bursts that were read (a carrier's daily bookings) were honest, so it only warns.
        "product_burst": Problem("a product is acted on in a burst", "商品在短时间内被集中操作", "warn"),
        "shopper_burst": Problem("one shopper acts faster than a hand", "用户操作快于人手", "quarantine"),
    },
    settings=Burst,
    english="nobody hurries a product or a shop beyond its habits",
    chinese="商品与用户没有速刷",
)
def burst(inputs: Inputs[Any], settings: Burst) -> Iterator[Found]:
    """Windows of a minute, ten minutes and an hour in which a product has far more visits than chance gives it.

    Expected are the product's other visits of the week, spread over its hours as the shop's were: a season or a busy
    evening is none of it. A flash sale that the shop itself holds looks the same; restore it, or set `visitors`.
    """
    import narwhals.stable.v2 as nw

    events = inputs["events"].filter(~nw.col("product").is_null() & ~nw.col("time").is_null())
    acts = events.filter(nw.col("type").is_in(list(DELIBERATE))).select(
        "row_id", "product", "time", visitor=nw.coalesce(nw.col("session"), nw.col("shopper"))
    )
    acts = acts.filter(~nw.col("visitor").is_null())
    visits = inputs.hold(acts.select("product", "visitor", bin=nw.col("time") // MINUTE).unique())
    for name, window in WINDOWS.items():
        # windows begin together, so minutes are enough
        binned = visits.with_columns(bin=nw.col("bin") * MINUTE // window).unique()
        counts = binned.group_by("product", "bin").agg(visitors=nw.len().cast(nw.Int64))
        counts = inputs.hold(counts.with_columns(week=nw.col("bin") * window // WEEK))
        rows = acts.with_columns(bin=nw.col("time") // window)
        found = rows.join(_bursts(counts, window, settings), on=["product", "bin"], how="inner")
        found = found.select(*EVIDENCE, window=nw.lit(name))
        yield Found(found, "events", "product", "product_burst", 0.9)
    minute = (nw.col("time") // MINUTE).alias("bin")
    single = events.filter(nw.col("type").is_in(list(SINGLE)) & ~nw.col("shopper").is_null()).with_columns(minute)
    busy = single.group_by("shopper", "bin").agg(acts=nw.len().cast(nw.Int64))
    busy = busy.filter(nw.col("acts") > settings.a_minute)
    rows = single.join(busy, on=["shopper", "bin"], how="inner")
    yield Found(rows.select("row_id", "shopper", "time", "acts"), "events", "shopper", "shopper_burst", 0.9)


def _bursts(counts: Any, window: int, settings: Burst) -> Any:
    """Products and windows that are bursts, from the visitors of each."""
    import narwhals.stable.v2 as nw

    traffic = counts.group_by("week", "bin").agg(busy=nw.col("visitors").sum().cast(nw.Float64))
    weeks = traffic.group_by("week").agg(all_busy=nw.col("busy").sum())
    product_weeks = counts.group_by("product", "week").agg(of_week=nw.col("visitors").sum().cast(nw.Int64))
    many = counts.filter(nw.col("visitors") >= settings.visitors)
    for other, keys in ((traffic, ["week", "bin"]), (weeks, ["week"]), (product_weeks, ["product", "week"])):
        many = many.join(other, on=keys, how="inner")
    number = nw.col("visitors").cast(nw.Float64)
    flat = window / WEEK  # a window's even share of the week, for hours in which others were idle
    hour = nw.max_horizontal((nw.col("busy") - number) / nw.col("all_busy"), nw.lit(flat))
    expected = (nw.col("of_week") - number + 1.0) * hour
    many = many.with_columns(expected=expected).with_columns(
        nats=number * (number / nw.col("expected")).log() - number + nw.col("expected")
    )
    sure = (nw.col("nats") >= settings.nats) & (number > nw.col("expected"))
    sure = sure & (number >= settings.share * nw.col("of_week"))
    return many.filter(sure).select("product", "bin", "visitors", "of_week", "expected", "nats")
