"""Events in; hours in which a source stopped sending a type of event, or sent far too many, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.event_codes import EventCodes, codes_of, combined
from mercer.quality.finding import FILE, Found
from mercer.records import ACTIONS

__all__ = ["Outage", "outage"]

Real = NDArray[np.float64]
HOUR, DAY_HOURS = 3_600_000, 24
MOST_CELLS = 50_000_000
"""Hours × series that are kept: about 400 MB."""


@dataclass(frozen=True)
class Outage(CheckSettings):
    """What silence is no accident."""

    hours: tuple[int, ...] = (3, 6, 12, 24)
    """Hours in a row that are looked at together: a busy source shows in three, a quiet one in a day."""
    days: int = 7
    """Days of a log below which its habits are not known."""
    nats: float = 16.0
    """Surprise (Poisson tail, natural logarithm) of so few: 16 is one chance in nine million, and a log of a year has
    hundreds of thousands of such windows."""
    left: float = 0.15
    """Share of what was expected, above which it is a slow day and no outage."""
    spread: float = 1.2
    """Variance by mean of counts of visits. It is measured, and this is its floor."""
    fresh: int = 24
    """Hours before the last event in which an outage is still happening, and blocks."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not self.hours or min(self.hours) < 1:
            raise SettingsError(f"hours is {self.hours}", cure="give whole numbers from 1")
        for name in ("days", "nats", "spread", "fresh"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give at least 1")
        if not 0 <= self.left < 1:
            raise SettingsError(f"left is {self.left}", cure="give a share between 0 and 1")


@check(
    "E14",
    families=("events",),
    tier="global",
    severity="critical",
    problems={
        "outage": Problem("a source sent nothing for hours", "某来源曾中断上报", "warn"),
        "outage_now": Problem("a source has stopped sending", "某来源正在中断上报", "block"),
    },
    settings=Outage,
    english="every source sends events as it always does",
    chinese="各来源持续上报事件",
)
def outage(inputs: Inputs[Any], settings: Outage) -> Iterator[Found]:
    """Visits with each type from each source (device, place) by hour, against the hour of the day and the days around.

    What was expected of a window is the source's usual share of that hour of the day times what the days around it
    brought. Where everything is silent the whole log is the source.
    """
    codes = codes_of(inputs["events"])
    known = codes.time >= 0
    if not known.any():
        return
    hour = codes.time // HOUR
    known = known & _believable(hour[known], hour)
    first, last = int(hour[known].min()), int(hour[known].max())
    first = first - first % DAY_HOURS
    length = last - first + 1
    if length < settings.days * DAY_HOURS or length > MOST_CELLS:
        return
    found: list[dict[str, Any]] = []
    visit = np.where(codes.session >= 0, codes.session.astype(np.int64) * 2, codes.shopper.astype(np.int64) * 2 + 1)
    first_of = [_first(visit, hour, known), _first(visit * len(ACTIONS) + codes.kind, hour, known)]
    for name, series in _series(codes, first_of):
        counts = np.bincount(hour[series] - first, minlength=length).astype(np.float64)
        expected = _expected(counts)
        for window in settings.hours:
            found += [{**name, **fact} for fact in _silences(counts, expected, first, window=window, settings=settings)]
    yield from _told(_widest(found), last, settings)


def _believable(sure: NDArray[np.int64], hour: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Hours near the bulk: one event with a wrong clock must not stretch the log over half a century (E03 tells it)."""
    low, high = np.quantile(sure, (0.005, 0.995))
    margin = max(DAY_HOURS, 0.05 * (high - low))
    near: NDArray[np.bool_] = (hour >= low - margin) & (hour <= high + margin)
    return near


def _first(visit: NDArray[Any], hour: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """One event of each visit and hour: visits come by chance, their events in bunches."""
    rows = np.flatnonzero(known)
    marks = np.zeros(len(known), bool)
    marks[rows[np.unique(combined(visit[rows], hour[rows]), return_index=True)[1]]] = True
    return marks


def _series(codes: EventCodes, first_of: list[NDArray[np.bool_]]) -> Iterator[tuple[dict[str, str], NDArray[np.bool_]]]:
    """The log, each type, each source, and each type of each device: visits by hour."""
    known, typed = first_of
    yield {"type": "", "source": ""}, known
    present = [kind for kind in range(len(ACTIONS)) if (codes.kind == kind).any()]
    for kind in present:
        yield {"type": ACTIONS[kind], "source": ""}, typed & (codes.kind == kind)
    for column in ("device", "place"):
        code, names = codes.encoded(column)
        for value in np.flatnonzero(np.bincount(code + 1, minlength=len(names) + 1)[1:]).tolist():
            mine = known & (code == value)
            yield {"type": "", "source": f"{column} {names[value]}"}, mine
            if column == "device":
                for kind in present:
                    yield (
                        {"type": ACTIONS[kind], "source": f"device {names[value]}"},
                        typed & (code == value) & (codes.kind == kind),
                    )


def _silences(counts: Real, expected: Real, first: int, *, window: int, settings: Outage) -> Iterator[dict[str, Any]]:
    """Windows with far fewer events than usual, joined where they touch."""
    kernel = np.ones(window)
    seen, usual = (np.convolve(values, kernel, "valid") for values in (counts, expected))
    busy = usual > 1
    if not busy.any():
        return
    spread = max(settings.spread, float(np.median(((seen - usual) ** 2 / np.maximum(usual, 1e-9))[busy]) / 0.455))
    few, normal = seen / spread, usual / spread
    nats = np.where(few > 0, few * np.log(np.maximum(few, 1e-9) / np.maximum(normal, 1e-9)), 0) - few + normal
    silent = (seen < settings.left * usual) & (nats >= settings.nats)
    for start in np.flatnonzero(silent & ~np.append(False, silent[:-1])).tolist():
        end = start + int(np.argmin(np.append(silent[start:], False))) - 1
        span = slice(start, end + window)
        worst = float(nats[start : end + 1].max())
        facts = {"start": (first + start) * HOUR, "hours": span.stop - span.start, "nats": worst}
        yield facts | {"visits": float(counts[span].sum()), "expected": float(expected[span].sum())}


def _expected(counts: Real) -> Real:
    """By hour: the usual share of its hour of the day, times the lower level of the days and of the weekdays around."""
    days = -(-len(counts) // DAY_HOURS)
    table = np.append(counts, np.full(days * DAY_HOURS - len(counts), np.nan)).reshape(days, DAY_HOURS)
    complete = table[~np.isnan(table).any(axis=1)]
    middle = slice(len(complete) // 10, len(complete) - len(complete) // 10)
    shape = np.sort(complete, axis=0)[middle].mean(axis=0)
    shape = shape / max(shape.sum(), 1e-9)
    totals = np.nansum(table, axis=1) / np.maximum(np.where(np.isnan(table), 0.0, shape).sum(axis=1), 1e-9)
    level = [min(_median(totals, day, step=1, reach=3), _median(totals, day, step=7, reach=4)) for day in range(days)]
    expected: Real = (np.array(level)[:, None] * shape).ravel()[: len(counts)]
    return expected


def _median(totals: Real, day: int, *, step: int, reach: int) -> float:
    """The median of the days (or of the same days of the week) around one, without it."""
    near = [day + step * away for away in range(-reach, reach + 1) if away]
    return float(np.median([totals[other] for other in near if 0 <= other < len(totals)] or [totals[day]]))


def _widest(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One finding an outage: of those that overlap, the one that says most."""
    kept: list[dict[str, Any]] = []
    for fact in sorted(found, key=lambda fact: (-fact["nats"], fact["start"], fact["type"], fact["source"])):
        end = fact["start"] + fact["hours"] * HOUR
        if all(end <= other["start"] or fact["start"] >= other["start"] + other["hours"] * HOUR for other in kept):
            kept.append(fact)
    return kept


def _told(found: list[dict[str, Any]], last: int, settings: Outage) -> Iterator[Found]:
    import pyarrow as pa

    for fact in sorted(found, key=lambda fact: int(fact["start"])):
        now = fact["start"] + fact["hours"] * HOUR > (last - settings.fresh) * HOUR
        columns = {name: [value] for name, value in fact.items()}
        table = pa.table({"row_id": pa.array([FILE], pa.int64()), **columns})
        yield Found(table, "events", "time", "outage_now" if now else "outage", 0.9)
