"""Counts hour by hour of many series in; what is usual in every hour, and how surely, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError

__all__ = ["HOURS", "SeasonSettings", "Usual", "usual"]

HOURS = 168
"""Of a week."""
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SeasonSettings:
    """How the usual is learned."""

    weeks: int = 6
    """Weeks back that an hour of the week is compared with."""
    warm: int = 2
    """Weeks before anything is said."""
    level_hours: int = 48
    """Hours back by which the level of the moment is told from the level of those weeks."""
    clip: float = 3.0
    """Standard deviations above the usual from which an hour counts as no more than that: a surge is not to become
    usual while it lasts."""

    def __post_init__(self) -> None:
        for name, low, high in (("weeks", 2, 52), ("warm", 1, 52), ("level_hours", 6, 1000), ("clip", 1, 100)):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"[opinion.season] {name} is {getattr(self, name)}", cure=f"give {low} to {high}")
        if self.warm > self.weeks:
            raise SettingsError(f"[opinion.season] warm is {self.warm}", cure=f"give at most weeks ({self.weeks})")


@dataclass(frozen=True, slots=True)
class Usual:
    """Of every hour and series."""

    expected: Counts
    """(hours, series) counts that are usual; NaN before there was enough to learn from."""
    clipped: Counts
    """(hours, series) counts with surges cut off, as the hours after them learn from them."""


def usual(counts: Counts, settings: SeasonSettings | None = None) -> Usual:
    """Walk through the hours; what is usual in an hour is told by the hours before it alone.

    Half is the trimmed mean of the same hour in the weeks before, half a product of hour of day and day of week over
    all of them (which has more to learn from and less to tell); both at the level of the last two days.
    """
    settings = settings or SeasonSettings()
    hours, series = counts.shape
    expected, clipped = np.full((hours, series), np.nan), counts.astype(np.float64)
    for hour in range(hours):
        if hour < settings.warm * HOURS:
            continue
        past = min(settings.weeks, hour // HOURS)
        block = clipped[hour - past * HOURS : hour]
        mean = _season(block, past)
        recent = slice(max(0, hour - settings.level_hours), hour)
        told = np.where(np.isnan(expected[recent]), block.mean(0), expected[recent]).sum(0)
        seen = clipped[recent].sum(0)
        weight = told / (told + LEVEL)  # a quiet series says little of its level
        level = np.clip(1 + weight * ((seen + 1) / (told + 1) - 1), 0.5, 2.0)
        expected[hour] = np.maximum(mean * level, FLOOR)
        spread = np.sqrt(expected[hour] * 1.5)
        clipped[hour] = np.minimum(clipped[hour], expected[hour] + settings.clip * spread)
    return Usual(expected, clipped)


FLOOR = 0.05
"""Documents an hour that are usual at least: nothing is impossible."""
LEVEL = 60.0
"""Documents of two days from which they say as much of the level as the weeks before."""


def _season(block: Counts, weeks: int) -> Counts:
    """(series,) the next hour's mean by the last whole weeks, (weeks × 168, series)."""
    cube = block.reshape(weeks, HOURS, -1)
    same = np.sort(cube[:, 0], axis=0)  # the next hour is the first of the oldest week again
    trimmed = same[:-1] if weeks > 2 else same
    own = (trimmed.sum(0) + cube[:, [1, HOURS - 1]].mean((0, 1))) / (len(trimmed) + 1)
    days = cube.reshape(weeks, 7, 24, -1)
    whole = np.maximum(days.mean((0, 1, 2)), 1e-9)
    product: Counts = days[:, :, 0].mean((0, 1)) * days[:, 0].mean((0, 1)) / whole
    found: Counts = (own + product) / 2
    return found
