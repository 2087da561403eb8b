"""Counts hour by hour of many series in; how surprising the last hours of each are, all looked at together, out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.opinion.season import HOURS, SeasonSettings, usual

__all__ = ["SurgeSettings", "Surprise", "surprise"]

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SurgeSettings:
    """Section ``[opinion.surge]``: what is a surge."""

    windows: tuple[int, ...] = (1, 3, 6, 12, 24)
    """Hours that are summed up and compared with what is usual in them."""
    false_alarms: float = 1.0
    """Alarms a week, over all series together, that chance alone may raise."""
    ratio: float = 1.3
    """Least times what is usual: more documents make ever smaller changes sure, and nobody wants to hear of those."""
    least: int = 4
    """Fewest documents in a window."""
    quiet: int = 3
    """Hours without surprise after which an alarm is over."""
    season: SeasonSettings = field(default_factory=SeasonSettings)
    """How the usual is learned."""

    def __post_init__(self) -> None:
        if not self.windows or any(not 1 <= one <= HOURS for one in self.windows):
            raise SettingsError(f"[opinion.surge] windows is {self.windows}", cure="give hours from 1 to 168")
        for name, low, high in (("false_alarms", 1e-6, 100), ("ratio", 1, 100), ("least", 1, 10**6), ("quiet", 1, 168)):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"[opinion.surge] {name} is {getattr(self, name)}", cure=f"give {low} to {high}")

    @property
    def raise_at(self) -> float:
        """Surprise from which an alarm is raised: −log10 of the share of hours that may have a false one."""
        return float(-np.log10(min(0.5, self.false_alarms / HOURS)))


@dataclass(frozen=True, slots=True)
class Surprise:
    """Of every hour and series; hours without a baseline say nothing."""

    value: Counts
    """(hours, series) −log10 of the p value, corrected for windows and series (Benjamini and Hochberg 1995)."""
    window: NDArray[np.int64]
    """(hours, series) hours of the window that surprises most."""
    seen: Counts
    """(hours, series) documents in that window."""
    expected: Counts
    """(hours, series) what is usual in it."""


def surprise(counts: Counts, settings: SurgeSettings | None = None) -> Surprise:
    """Compare every window's sum with a negative binomial around what is usual.

    Its spread is what sums of that length had around the usual in the weeks before, so that it holds what the season
    misses and how hours hang together.
    """
    settings = settings or SurgeSettings()
    found = usual(counts, settings.season)
    shape = (len(settings.windows), *counts.shape)
    p, sums, means = np.ones(shape), np.zeros(shape), np.zeros(shape)
    for place, hours in enumerate(settings.windows):
        seen, told, clipped = (_rolling(one, hours) for one in (counts, found.expected, found.clipped))
        spread = _spread(clipped, told, settings.season.weeks * HOURS)
        p[place] = _tail(seen, told, spread)
        small = (seen < settings.least) | (seen < settings.ratio * told)
        p[place][small | np.isnan(told)] = 1.0
        sums[place], means[place] = seen, told
    best = p.argmin(0)
    at = (best, *np.indices(counts.shape))
    corrected = _adjusted(np.minimum(1.0, p[at] * _looks(len(settings.windows))))
    value = -np.log10(np.maximum(corrected, 1e-300))
    return Surprise(value, np.asarray(settings.windows)[best], sums[at], np.nan_to_num(means[at]))


def _looks(windows: int) -> float:
    """Windows overlap, so they are fewer looks than they are windows. The half is a guess that the benchmark holds."""
    return 1 + (windows - 1) / 2


def _rolling(values: Counts, hours: int) -> Counts:
    """Sum of the last hours, NaN where one is missing."""
    missing = np.isnan(values)
    total = np.cumsum(np.where(missing, 0, values), 0)
    gaps = np.cumsum(missing, 0)
    total[hours:], gaps[hours:] = total[hours:] - total[:-hours].copy(), gaps[hours:] - gaps[:-hours].copy()
    found = np.where(gaps > 0, np.nan, total)
    found[: hours - 1] = np.nan
    return found


def _spread(seen: Counts, told: Counts, back: int) -> Counts:
    """(hours, series) variance by mean of earlier sums around the usual, at least 1; smoothed towards 1.5."""
    error = np.where(np.isnan(told), 0, (seen - told) ** 2 / np.maximum(told, 0.05))
    known = (~np.isnan(told)).astype(float)
    total, count = np.cumsum(np.nan_to_num(error), 0), np.cumsum(known, 0)
    before, number = np.zeros_like(total), np.zeros_like(count)
    before[1:], number[1:] = total[:-1], count[:-1]
    before[back + 1 :] -= total[: -back - 1]
    number[back + 1 :] -= count[: -back - 1]
    return np.maximum(1.05, (before + 1.5 * PRIOR) / (number + PRIOR)) * UNSEEN


PRIOR = 48.0
"""Hours that the first guess of the spread counts for."""
UNSEEN = 1.1
"""Spread that clipping takes away from what is seen, in clean simulated series."""


def _tail(seen: Counts, told: Counts, spread: Counts) -> Counts:
    """Chance of so many or more, by a negative binomial with mean `told` and variance `spread` times that."""
    from scipy.stats import nbinom

    safe = np.nan_to_num(np.maximum(told, 0.05), nan=1.0)
    found: Counts = nbinom.sf(np.nan_to_num(seen) - 1, safe / (spread - 1), 1 / spread)
    return found


def _adjusted(p: Counts) -> Counts:
    """Benjamini and Hochberg's adjusted p values, row by row."""
    count = p.shape[1]
    order = np.argsort(p, 1)
    ranked = np.take_along_axis(p, order, 1) * count / np.arange(1, count + 1)
    stepped = np.minimum(1.0, np.minimum.accumulate(ranked[:, ::-1], 1)[:, ::-1])
    found = np.empty_like(p)
    np.put_along_axis(found, order, stepped, 1)
    return found
