"""Traffic in; how good search was in each window of time and for whom, with intervals, out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.quality.position_bias import Shown, fit
from mercer.watch.alarm import Measured
from mercer.watch.settings import WatchSettings
from mercer.watch.share import Estimate, against, median, ratio, share
from mercer.watch.slices import normal, slices
from mercer.watch.traffic import Traffic

__all__ = ["MEASURES", "Health", "Point", "health", "looks"]

MEASURES = ("ctr", "ctr_ratio", "abandonment", "reformulation", "zero_results", "first_click", "degraded")
"""Clicks a look; the same by that of the windows before; answers with products and no click; questions asked anew
without a click; questions without an answer; median seconds to the first click; answers that left something out."""
CLICKS = 200
"""Clicks below which no curve of positions is drawn: check E12 asks for as many."""
AGAIN = 300_000
"""Milliseconds within which another query of the same visitor is the same wish in other words. A guess."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measure of one window and slice."""

    measure: str
    slice: str
    window: int
    """End, UTC milliseconds."""
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that was measured."""

    points: tuple[Point, ...]
    corrected: bool
    """Whether clicks are by looks; where there are too few for a curve, by impressions."""
    propensity: tuple[float, ...]
    """Chance that each place is looked at, the first 1."""
    answers: int
    left: int
    """Windows that were left out, as they have too few answers."""

    def measured(self) -> list[Measured]:
        """As alarms count them: ``quality.ctr``, and ``quality.ctr[device phone]`` of slices."""
        found = []
        for point in self.points:
            tail = "" if point.slice == "all" else f"[{point.slice}]"
            one = point.estimate
            if not math.isnan(one.value):
                evidence = {"answers": one.n}
                name = f"quality.{point.measure}{tail}"
                found.append(Measured(name, one.value, one.low, one.high, point.window, evidence))
        return found

    def row(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "points": [{**asdict(point)} for point in self.points]}


def looks(traffic: Traffic) -> NDArray[np.float64] | None:
    """Chance that each place is looked at, by what was clicked where; None where clicks are too few.

    The position-based model of `quality.position_bias`, a thing being a product for a query.
    """
    if int((traffic.clicked >= 0).sum()) < CLICKS:
        return None
    things = [
        f"{normal(traffic.query[at])}\t{product}" for at, product in zip(traffic.answer, traffic.product, strict=True)
    ]
    _, codes = np.unique(np.array(things), return_inverse=True)
    data = Shown(codes.astype(np.int64), traffic.position - 1, traffic.clicked >= 0)
    return fit(data, int(traffic.position.max())).propensity


def health(traffic: Traffic, settings: WatchSettings, *, now: int) -> Health:
    """Measure the whole windows before `now` (UTC ms) that have enough answers; a visit under way is no part of it."""
    over = traffic.time < now - int(settings.visit_minutes * 60_000)
    asked = traffic.kept(over & (traffic.scene == "search") & (traffic.offset == 0) & (traffic.query != ""))
    curve = looks(asked)
    chances = np.ones(int(asked.position.max(initial=1))) if curve is None else curve
    window = asked.time // settings.window
    whole = (window + 1) * settings.window <= now
    facts = _Facts.of(asked, chances)
    points: list[Point] = []
    left = 0
    for name, held in slices(asked).items():
        before = np.zeros(len(asked), bool)
        for number in np.unique(window[whole]).tolist():
            here = held & (window == number)
            if here.sum() < settings.least:
                left += name == "all"
                continue
            end = (number + 1) * settings.window
            points += [Point(measure, name, end, found) for measure, found in facts.measures(here, before)]
            before = before | here
    return Health(tuple(points), curve is not None, tuple(chances.tolist()), len(asked), left)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is true of each answer; shape (answers,)."""

    who: NDArray[np.int64]
    clicks: NDArray[np.float64]
    looks: NDArray[np.float64]
    found: NDArray[np.bool_]
    again: NDArray[np.bool_]
    degraded: NDArray[np.bool_]
    seconds: NDArray[np.float64]

    @classmethod
    def of(cls, traffic: Traffic, chances: NDArray[np.float64]) -> _Facts:
        names = [shopper or f"\t{session}" for shopper, session in zip(traffic.shopper, traffic.session, strict=True)]
        _, who = np.unique(np.array(names, dtype=str), return_inverse=True)
        clicked = (traffic.clicked >= 0).astype(np.float64)
        clicks = np.bincount(traffic.answer, clicked, len(traffic)).astype(np.float64)
        looked = np.bincount(traffic.answer, chances[traffic.position - 1], len(traffic)).astype(np.float64)
        filled = np.bincount(traffic.answer, minlength=len(traffic)) > 0
        found = np.where(traffic.total >= 0, traffic.total > 0, filled)
        first = traffic.first_click
        again = asked_again(traffic, who) & (clicks == 0)
        seconds = np.where(first >= 0, first / 1000, np.nan)
        return cls(who, clicks, looked, found, again, traffic.degraded != "", seconds)

    def measures(self, here: NDArray[np.bool_], before: NDArray[np.bool_]) -> Iterator[tuple[str, Estimate]]:
        full = here & self.found
        ctr = ratio(self.clicks[here], self.looks[here], self.who[here])
        yield "ctr", ctr
        if before.any():
            yield "ctr_ratio", against(ctr, ratio(self.clicks[before], self.looks[before], self.who[before]))
        yield "abandonment", share(self.clicks[full] == 0, self.who[full])
        yield "reformulation", share(self.again[here], self.who[here])
        yield "zero_results", share(~self.found[here], self.who[here])
        yield "first_click", median(self.seconds[here & ~np.isnan(self.seconds)])
        yield "degraded", share(self.degraded[here], self.who[here])


def asked_again(traffic: Traffic, who: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the same visitor asked something else soon after; shape (answers,)."""
    again = np.zeros(len(traffic), bool)
    last: dict[int, int] = {}
    for place, visitor in enumerate(who.tolist()):
        earlier = last.get(visitor)
        if earlier is not None and traffic.time[place] - traffic.time[earlier] <= AGAIN:
            again[earlier] = normal(traffic.query[earlier]) != normal(traffic.query[place])
        last[visitor] = place
    return again
