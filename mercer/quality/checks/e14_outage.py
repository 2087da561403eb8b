"""Events in; hours in which a source stopped sending a type of event, or sent far too few, out."""

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
from mercer.quality.silence import DAY_HOURS, Doubt, Look, SilenceRules, limit_of, looks
from mercer.records import ACTIONS

__all__ = ["Outage", "outage"]

HOUR = 3_600_000
MOST_CELLS = 50_000_000
"""Hours × series that are kept: about 400 MB."""
RARE = 60
"""Visits of a series in a whole log below which no silence of it says anything."""


@dataclass(frozen=True)
class Outage(CheckSettings):
    """What silence is no accident."""

    hours: tuple[int, ...] = (1, 3, 6, 12, 24)
    """Hours in a row that are looked at together: a busy source shows in one, a quiet one in a day."""
    days: int = 7
    """Days of a log below which its habits are not known."""
    chance: float = 0.05
    """Of a log without any outage, the chance (0 to 1) of a finding: it is divided by the number of windows in which
    silence would say anything (Tarone 1990)."""
    left: float = 0.4
    """Share of what its other hours, or the other sources, let expect, above which nothing is said."""
    day_left: float = 0.15
    """The same share of what the days around let expect, above which it is a slow day and no outage."""
    spread: float = 1.2
    """Variance by mean of counts of visits. It is measured, and this is its floor."""
    fresh: int = 24
    """Hours before the last event in which an outage is still happening, and blocks."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not self.hours or min(self.hours) < 1 or max(self.hours) > DAY_HOURS:
            raise SettingsError(f"hours is {self.hours}", cure="give whole numbers from 1 to 24")
        for name in ("days", "spread", "fresh"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give at least 1")
        if not 0 < self.chance < 1:
            raise SettingsError(f"chance is {self.chance}", cure="give a chance between 0 and 1")
        for name in ("left", "day_left"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share between 0 and 1")


@check(
    "E14",
    families=("events",),
    tier="global",
    severity="critical",
    problems={
        "outage": Problem("a source sent nothing, or hardly anything, for hours", "某来源曾中断上报", "warn"),
        "outage_now": Problem("a source has stopped sending", "某来源正在中断上报", "block"),
    },
    settings=Outage,
    english="every source sends events as it always does",
    chinese="各来源持续上报事件",
    version=2,
)
def outage(inputs: Inputs[Any], settings: Outage) -> Iterator[Found]:
    """Visits with each type from each source (device, place) by hour, against three things that go on without it.

    A window is held against the days around (what a day or more of silence shows in), the other hours of its 24, and
    what the rest of the log did in the same hours: a type against its source's visits, a source against all. Each
    gives a chance of so few; the one that says most counts.

    Known limit: a series of r visits an hour shows a silence of h hours only if exp(-r·h / spread) is below chance /
    windows. `benchmarks/outage_power.py`: of three hours all are found from 20 visits usually there, none below 10; of
    70 % lost nearly all from 45. So a shop of 70 visits a day cannot show the loss of a device for three hours. A
    shop that closes hours earlier on one day looks like an outage, and is found as one.
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
    visit = np.where(codes.session >= 0, codes.session.astype(np.int64) * 2, codes.shopper.astype(np.int64) * 2 + 1)
    first_of = [_first(visit, hour, known), _first(visit * len(ACTIONS) + codes.kind, hour, known)]
    rules = SilenceRules(left=settings.left, day_left=settings.day_left, spread=settings.spread)
    seen: list[tuple[str, str, Look]] = []
    of_source: dict[str, NDArray[np.float64]] = {}
    for source, kind, series in _series(codes, first_of):
        counts = np.bincount(hour[series] - first, minlength=length).astype(np.float64)
        whole = of_source.get(source if kind else "") if kind or source else None
        if not kind:
            of_source[source] = counts
        if counts.sum() >= RARE:
            seen += [(source, kind, look) for look in looks(counts, whole, settings.hours, rules)]
    limit = limit_of(np.concatenate([look.reach for _, _, look in seen]), settings.chance) if seen else 0.0
    found = [(source, kind, doubt) for source, kind, look in seen for doubt in look.doubts(limit)]
    yield from _told(_widest(found), first, last, settings)


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


def _series(codes: EventCodes, first_of: list[NDArray[np.bool_]]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Source ("" is the whole log), type ("" is any) and rows: each type, each source, each type of each device."""
    known, typed = first_of
    present = [kind for kind in range(len(ACTIONS)) if (codes.kind == kind).any()]
    yield "", "", known
    for kind in present:
        yield "", ACTIONS[kind], typed & (codes.kind == kind)
    for column in ("device", "place"):
        code, names = codes.encoded(column)
        for value in np.flatnonzero(np.bincount(code + 1, minlength=len(names) + 1)[1:] >= RARE).tolist():
            source, mine = f"{column} {names[value]}", code == value
            yield source, "", known & mine
            for kind in present if column == "device" else ():
                yield source, ACTIONS[kind], typed & mine & (codes.kind == kind)


def _widest(found: list[tuple[str, str, Doubt]]) -> list[tuple[str, str, Doubt]]:
    """One finding an outage: of those that overlap, the one that says most."""
    kept: list[tuple[str, str, Doubt]] = []
    for source, kind, doubt in sorted(found, key=lambda one: (-one[2].nats, one[2].start, one[1], one[0])):
        end = doubt.start + doubt.hours
        if all(end <= other.start or doubt.start >= other.start + other.hours for _, _, other in kept):
            kept.append((source, kind, doubt))
    return kept


def _told(found: list[tuple[str, str, Doubt]], first: int, last: int, settings: Outage) -> Iterator[Found]:
    import pyarrow as pa

    for source, kind, doubt in sorted(found, key=lambda one: one[2].start):
        now = first + doubt.start + doubt.hours > last - settings.fresh
        facts = {"type": kind, "source": source, "start": (first + doubt.start) * HOUR, "hours": doubt.hours}
        facts |= {"visits": doubt.visits, "expected": doubt.expected, "nats": doubt.nats, "against": doubt.against}
        columns = {name: [value] for name, value in facts.items()}
        table = pa.table({"row_id": pa.array([FILE], pa.int64()), **columns})
        yield Found(table, "events", "time", "outage_now" if now else "outage", 0.9)
