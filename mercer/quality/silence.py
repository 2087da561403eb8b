"""Visits by hour in; windows in which far fewer came than their surroundings let expect, with the odds of that, out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY_HOURS", "Doubt", "Look", "SilenceRules", "limit_of", "looks"]

Real = NDArray[np.float64]

DAY_HOURS = 24
MEDIAN_OF_CHI_SQUARE = 0.455
"""With one degree of freedom: the median of squared deviations by it is a spread that outages do not raise."""
BACK = 7
"""Days before a window that tell the share of a source in the whole."""
LONG = 12
"""Hours from which a window leaves too little of its day to be judged by the rest."""
MOST_TRUST = 50.0
"""Visits that the days around are worth at most."""
LEAST = 4.0
"""Nats below which no window is worth keeping, whatever the limit."""


@dataclass(frozen=True, slots=True)
class SilenceRules:
    """How far is too far."""

    left: float = 0.4
    """Share of what is expected (0 to 1) above which nothing is said."""
    day_left: float = 0.15
    """The same of what the days around let expect."""
    spread: float = 1.2
    """Least variance by mean."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A run of windows that chance does not empty."""

    start: int
    """Hour of the log."""
    hours: int
    nats: float
    visits: float
    """In the window that says most, as is `expected`."""
    expected: float
    against: str
    """days, hours or others: what it was held against."""


@dataclass(frozen=True, slots=True)
class Look:
    """All windows of one length of one series against one thing."""

    window: int
    against: str
    nats: Real
    """By the hour in which the window starts; 0 where too much is left to speak of."""
    reach: Real
    """What `nats` would be without a visit, where that is worth keeping; shape (windows worth it,)."""
    seen: Real
    expected: Real

    def doubts(self, limit: float) -> Iterator[Doubt]:
        """Runs of windows at or above a limit."""
        sure = self.nats >= limit
        for start in np.flatnonzero(sure & ~np.append(False, sure[:-1])).tolist():
            end = start + int(np.argmin(np.append(sure[start:], False)))
            best = start + int(np.argmax(self.nats[start:end]))
            length = end - 1 - start + self.window
            facts = float(self.nats[best]), float(self.seen[best]), float(self.expected[best])
            yield Doubt(start, length, *facts, self.against)


def limit_of(reach: Real, chance: float) -> float:
    """Nats from which silence is no accident, so that a log without outages has a finding with `chance`.

    Only windows that could reach the limit at all count as tests (Tarone, Biometrics 1990).

    >>> round(limit_of(np.array([30.0, 20.0, 3.0]), 0.01), 2)  # two tests: log(2 / .01)
    5.3
    """
    ordered = np.sort(reach)[::-1]
    limits = np.log(np.arange(1, len(ordered) + 1) / chance)
    below = np.append(ordered[1:], 0.0) < limits
    return float(limits[int(np.argmax(below))]) if len(ordered) else math.inf


def looks(counts: Real, whole: Real | None, hours: tuple[int, ...], rules: SilenceRules) -> Iterator[Look]:
    """Every window of a series against the days around, its other hours, and the rest of the whole.

    Args:
        counts: visits of the series by hour from a midnight, shape (hours of the log,).
        whole: the same of what the series is a part of, if it is a part.
        hours: lengths of windows, 24 at most.
        rules: limits.
    """
    levels = _levels(counts)
    usual = (levels[:, None] * _shape(counts)).ravel()[: len(counts)]
    share = None if whole is None else _share(counts, whole)
    for window in hours:
        seen, by_days = _sums(counts, window), _sums(usual, window)
        slow = seen < rules.left * by_days  # a burst of all else is no silence of this
        if window >= LONG:
            days = _Expected("days", by_days, np.zeros(len(seen)), by_days > 0)
            yield _look(window, seen, days, seen < rules.day_left * by_days, rules)
        if window < DAY_HOURS:
            yield _look(window, seen, _around(counts, levels, window), slow & (by_days > 0), rules)
        if whole is not None and share is not None:
            total, expected = _sums(whole, window), _sums(whole * share, window)
            others = _Expected("others", expected, expected / np.maximum(total, 1.0), by_days > 0)
            yield _look(window, seen, others, slow, rules)


@dataclass(frozen=True, slots=True)
class _Expected:
    """Visits that a window should have, by its start."""

    against: str
    visits: Real
    part: Real
    """Of the total that they are a part of; 0 where there is none (then the count is a Poisson one)."""
    tells: NDArray[np.bool_]
    """Windows of which it says something."""


def _look(window: int, seen: Real, usual: _Expected, low: NDArray[np.bool_], rules: SilenceRules) -> Look:
    """Chernoff bounds, Poisson or binomial, by the spread that the windows have."""
    expected, part = usual.visits, np.clip(usual.part, 0.0, 0.995)
    variance = expected * (1 - part)
    some = usual.tells & (variance > 0.5)
    deviation = (seen - expected)[some] ** 2 / variance[some]
    spread = max(rules.spread, float(np.median(deviation)) / MEDIAN_OF_CHI_SQUARE) if some.any() else rules.spread
    rest = part > 0
    total = np.where(rest, expected / np.where(rest, part, 1.0), 0.0)
    gone, left = np.maximum(total - seen, 0.0), total - expected
    nats = _tail(seen, expected) + np.where(rest, _tail(gone, left), expected - seen)
    reach = np.where(usual.tells, np.where(rest, -total * np.log1p(-part), expected), 0.0) / spread
    low = low & usual.tells & (seen < rules.left * expected)
    return Look(window, usual.against, np.where(low, nats / spread, 0.0), reach[reach >= LEAST], seen, expected)


def _tail(seen: Real, expected: Real) -> Real:
    some = seen > 0
    term = seen * np.log(np.where(some, seen, 1.0) / np.maximum(expected, 1e-9))
    result: Real = np.where(some, term, 0.0)
    return result


def _sums(values: Real, window: int) -> Real:
    """By start of the window; shape (hours - window + 1,)."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    sums: Real = total[window:] - total[:-window]
    return sums


def _shape(counts: Real) -> Real:
    """The share of each hour of the day; a visit is added to each, as an hour that had none may have one yet."""
    by_hour = np.bincount(np.arange(len(counts)) % DAY_HOURS, weights=counts, minlength=DAY_HOURS) + 1
    share: Real = by_hour / by_hour.sum()
    return share


def _levels(counts: Real) -> Real:
    """By day: the lower of the medians of the days and of the same weekdays around, for a whole day."""
    days = -(-len(counts) // DAY_HOURS)
    table = np.append(counts, np.full(days * DAY_HOURS - len(counts), np.nan)).reshape(days, DAY_HOURS)
    totals = np.nansum(table, axis=1) / np.maximum(np.where(np.isnan(table), 0.0, _shape(counts)).sum(axis=1), 1e-9)
    level = np.fmin(_medians(totals, step=1, reach=3), _medians(totals, step=7, reach=4))
    return np.where(np.isnan(level), totals, level)


def _trust(counts: Real, levels: Real) -> float:
    """Visits that the days around are worth as evidence of a day's: the shape of a gamma distribution of its level."""
    totals = np.bincount(np.arange(len(counts)) // DAY_HOURS, weights=counts)
    some = levels > 0
    if not some.any():
        return 0.0
    excess = ((totals - levels)[some] ** 2 - levels[some]) / levels[some] ** 2
    return 1 / max(float(np.median(excess)) / MEDIAN_OF_CHI_SQUARE, 1 / MOST_TRUST)


def _medians(totals: Real, *, step: int, reach: int) -> Real:
    """By day: the median of the days `step` apart on either side, without itself; NaN where there are none."""
    padded = np.concatenate([np.full(step * reach, np.nan), totals, np.full(step * reach, np.nan)])
    moved = [padded[step * reach + step * away :][: len(totals)] for away in range(-reach, reach + 1) if away]
    table = np.sort(np.stack(moved), axis=0)
    known = np.count_nonzero(~np.isnan(table), axis=0)
    low, high = ((np.maximum(known, 1) - 1) // 2, np.maximum(known, 1) // 2)
    column = np.arange(len(totals))
    medians: Real = (table[low, column] + table[np.minimum(high, len(table) - 1), column]) / 2
    return np.where(known > 0, medians, np.nan)


def _around(counts: Real, levels: Real, window: int) -> _Expected:
    """From the days around and the 24 hours about the window, where both sides of it have their usual part of them.

    The days give a gamma distribution of the day's level, the other hours sharpen it; what they leave to the window is
    negative binomial, which has the form of a binomial one with the days' visits added to the hours'. A shop that
    closes an hour early is silent until the next morning, and what lies beyond an outage is not.
    """
    shape, trust = _shape(counts), _trust(counts, levels)
    before = (DAY_HOURS - window) // 2
    after = DAY_HOURS - window - before
    starts = np.arange(len(counts) - window + 1)
    total = np.concatenate([[0.0], np.cumsum(counts)])
    usual = np.concatenate([[0.0], np.cumsum(np.tile(shape, 3))])
    inside = (starts >= before) & (starts + window + after <= len(counts))
    begin, end = np.maximum(starts - before, 0), np.minimum(starts + window + after, len(counts))
    sides = total[starts] - total[begin], total[end] - total[starts + window]
    place = DAY_HOURS + starts % DAY_HOURS
    parts = usual[place] - usual[place - before], usual[place + window + after] - usual[place + window]
    rest = np.maximum(parts[0] + parts[1], 1e-9)
    alive = inside
    for side, part in zip(sides, parts, strict=True):
        alive = alive & (side >= 0.5 * (sides[0] + sides[1]) * part / rest)
    level = levels[np.minimum((starts + window // 2) // DAY_HOURS, len(levels) - 1)]
    alive &= level > 0
    part = (usual[place + window] - usual[place]) / (1 + trust / np.maximum(level, 1e-9))
    return _Expected("hours", (total[end] - total[begin] + trust) * part, part, alive)


def _share(counts: Real, whole: Real) -> Real:
    """By hour: the series' part of the whole in the days before, as it is at that hour of the day."""
    hour, day = np.arange(len(counts)) % DAY_HOURS, np.arange(len(counts)) // DAY_HOURS
    overall = float(counts.sum()) / max(float(whole.sum()), 1.0)
    mine, total = (np.bincount(hour, weights=values, minlength=DAY_HOURS) for values in (counts, whole))
    by_hour = (mine + 20 * overall) / (total + 20) / max(overall, 1e-9)
    before, total_before = (_back(np.bincount(day, weights=values).astype(np.float64)) for values in (counts, whole))
    by_day = (before + 5 * overall) / (total_before + 5)
    share: Real = np.clip(by_hour[hour] * by_day[day], 0.0, 0.995)
    return share


def _back(by_day: Real) -> Real:
    """The sum of the days before each, the first's own."""
    total = np.concatenate([[0.0], np.cumsum(by_day)])
    days = np.arange(len(by_day))
    before: Real = total[days] - total[np.maximum(days - BACK, 0)]
    before[0] = by_day[0]
    return before
