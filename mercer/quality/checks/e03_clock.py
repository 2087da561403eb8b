"""Events and reviews in; times in the wrong unit, the future or no time at all out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found

__all__ = ["Clock", "clock"]

UNITS = {"seconds": (1000, 1), "microseconds": (1, 1000), "nanoseconds": (1, 1_000_000)}
"""Unit → (multiply, divide) that make it milliseconds."""


@dataclass(frozen=True)
class Clock(CheckSettings):
    """What time it can be."""

    earliest: int = 788_918_400_000
    """UTC milliseconds; 1995-01-01, before which no shop kept a log on the web."""
    ahead: int = 86_400_000
    """Milliseconds that a time may lie after this run: a day, for clocks and zones that are off."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.earliest <= 0:
            raise SettingsError(f"earliest is {self.earliest}", cure="give UTC milliseconds after 1970")
        if self.ahead < 0:
            raise SettingsError(f"ahead is {self.ahead} ms", cure="give 0 or more milliseconds")


@check(
    "E03",
    families=("events", "reviews"),
    tier="relational",
    severity="critical",
    repairs=True,
    span="part",
    problems={
        "unit": Problem("every time of the file is in another unit", "整个文件的时间单位不是毫秒", "fix"),
        "mixed_unit": Problem("the time is in another unit than the others", "时间单位与其他行不同", "quarantine"),
        "epoch_zero": Problem("the time is zero", "时间为零", "quarantine"),
        "future": Problem("the time is in the future", "时间在未来", "quarantine"),
        "out_of_range": Problem("no shop kept a log at that time", "时间早于合理范围", "quarantine"),
    },
    settings=Clock,
    english="a time is in UTC milliseconds, and has been",
    chinese="时间为UTC毫秒，且不在未来",
)
def clock(inputs: Inputs[Any], settings: Clock) -> Iterator[Found]:
    """Bounds and units.

    Where every time of a file fits one other unit, the file is converted; where only some do, these rows wait in
    quarantine with the value that would fit. A microsecond's fraction of a millisecond is lost by converting; the
    raw file has it.
    """
    for family in ("events", "reviews"):
        if family in inputs:
            yield from _times(inputs[family], family, earliest=settings.earliest, latest=inputs.now + settings.ahead)


def _times(table: Any, family: str, *, earliest: int, latest: int) -> Iterator[Found]:
    import narwhals.stable.v2 as nw

    time = nw.col("time")
    timed = table.filter(~time.is_null()).select("row_id", "time")
    zero = time == 0
    odd = (time < earliest) | (time > latest)
    for unit, (multiply, divide) in UNITS.items():
        fits = (time >= earliest * divide // multiply) & (time <= latest * divide // multiply)
        summary = timed.filter(~zero).select(
            times=nw.len().cast(nw.Int64), in_unit=fits.cast(nw.Int64).sum().cast(nw.Int64)
        )
        all_in_unit = (nw.col("in_unit") > 0) & (nw.col("in_unit") == nw.col("times"))
        whole = summary.filter(all_in_unit).select(
            nw.lit(FILE).cast(nw.Int64).alias("row_id"),
            "times",
            unit=nw.lit(unit),
            multiply=nw.lit(multiply),
            divide=nw.lit(divide),
            suggestion=nw.lit(f"read as {unit}"),
        )
        yield Found(whole, family, "time", "unit")
        some = timed.filter(fits).join(summary.filter(~all_in_unit), how="cross")
        fitting = (time * multiply // divide).cast(nw.String)
        rows = some.select("row_id", "time", unit=nw.lit(unit), suggestion=fitting)
        yield Found(rows, family, "time", "mixed_unit", 0.9)
        odd = odd & ~fits
    yield Found(timed.filter(zero).select("row_id", "time"), family, "time", "epoch_zero")
    yield Found(timed.filter(odd & (time > latest)).select("row_id", "time"), family, "time", "future")
    early = timed.filter(odd & (time < earliest) & ~zero)
    yield Found(early.select("row_id", "time"), family, "time", "out_of_range")
