"""Events in; devices and days whose impressions were not logged, so that no negatives are known, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found

__all__ = ["Exposure", "exposure"]

DAY = 86_400_000


@dataclass(frozen=True)
class Exposure(CheckSettings):
    """How complete a log of impressions must be."""

    complete: float = 0.95
    """Share of clicks whose product was shown in the session before, below which training must not take what was not
    clicked for passed over."""
    least: int = 300
    """Clicks from which the share of a log says something."""
    slot: int = 20
    """Clicks of one device on one day from which their share says something."""
    lost: float = 0.7
    """Share of a slot, in a log that is otherwise complete, below which its impressions were lost."""
    fresh: int = 2
    """Days before the last click in which a loss is still happening, and blocks."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name in ("complete", "lost"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share between 0 and 1")
        for name in ("least", "slot", "fresh"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give at least 1")


@check(
    "E11",
    families=("events",),
    tier="relational",
    severity="critical",
    problems={
        "exposure_missing": Problem("clicks on what was never shown, throughout", "大量点击没有对应曝光", "warn"),
        "exposure_lost": Problem("impressions of a device were lost for days", "某来源某日的曝光丢失", "warn"),
        "exposure_lost_now": Problem("impressions are being lost", "曝光日志正在丢失", "block"),
    },
    settings=Exposure,
    english="what was clicked was logged as shown",
    chinese="点击都有曝光记录",
)
def exposure(inputs: Inputs[Any], settings: Exposure) -> Iterator[Found]:
    """The share of clicks whose product was shown in the session before, of the log and by day and device.

    A log without impressions asks for none. A log that never has them all is told so: ``manifest.json`` has the share
    under ``exposure``, and training on clicks must not use it. A log that has them, save for a device on some days, has
    lost them; where that is still so on its last days, the batch is blocked, as tomorrow's will be no better.
    """
    import narwhals.stable.v2 as nw

    keys = ("session", "product")
    known = inputs["events"].filter(
        ~nw.any_horizontal(*(nw.col(name).is_null() for name in (*keys, "time")), ignore_nulls=True)
    )
    shown = known.filter(nw.col("type") == "impression")
    first = shown.group_by(*keys).agg(first=nw.col("time").min())
    clicks = known.filter(nw.col("type") == "click").join(first, on=list(keys), how="left")
    clicks = clicks.with_columns(
        joined=(nw.col("first") <= nw.col("time")).fill_null(value=False).cast(nw.Int64),
        device=nw.col("device").fill_null(""),
        day=nw.col("time") // DAY,
    )
    count = {"clicks": nw.len().cast(nw.Int64), "joined": nw.col("joined").sum().cast(nw.Int64)}
    slots = clicks.group_by("device", "day").agg(**count)
    slots = inputs.hold(slots.with_columns(share=nw.col("joined") / nw.col("clicks")))
    total = slots.select(nw.col("clicks", "joined").sum().fill_null(0).cast(nw.Int64))
    whole = total.join(inputs.hold(shown.select(impressions=nw.len().cast(nw.Int64))), how="cross")
    whole = whole.with_columns(share=nw.col("joined") / nw.col("clicks"))
    whole = whole.filter((nw.col("clicks") >= settings.least) & (nw.col("impressions") >= settings.least))
    file = nw.lit(FILE).cast(nw.Int64).alias("row_id")
    short = whole.filter(nw.col("share") < settings.complete)
    yield Found(short.select(file, "clicks", "joined", "impressions", "share"), "events", "type", "exposure_missing")
    yield from _lost(slots, whole, settings)


def _lost(slots: Any, whole: Any, settings: Exposure) -> Iterator[Found]:
    """Slots far below what is usual: the median share of all slots."""
    import narwhals.stable.v2 as nw

    judged = slots.filter(nw.col("clicks") >= settings.slot)
    usual = judged.select(usual=nw.col("share").median()).filter(nw.col("usual") >= settings.complete)
    last = slots.select(last=nw.col("day").max())
    bad = judged.filter(nw.col("share") < settings.lost).join(usual, how="cross").join(last, how="cross")
    bad = bad.join(whole.select(all_clicks="clicks"), how="cross")
    file = nw.lit(FILE).cast(nw.Int64).alias("row_id")
    columns = (file, "device", "day", "clicks", "share", "usual")
    fresh = nw.col("day") > nw.col("last") - settings.fresh
    yield Found(bad.filter(~fresh).select(*columns), "events", "type", "exposure_lost", 0.9)
    yield Found(bad.filter(fresh).select(*columns), "events", "type", "exposure_lost_now", 0.9)
