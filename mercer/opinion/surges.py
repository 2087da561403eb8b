"""How surprising each hour of each series is in; alarms that are raised, last and end, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mercer.opinion.surprise import SurgeSettings, Surprise

__all__ = ["Surge", "surges"]

CALM = 1.0
"""Surprise below which an hour is calm (corrected p above .1): lower than what raises, so that an alarm does not come
and go."""


@dataclass(frozen=True, slots=True)
class Surge:
    """One alarm; hours are places in the counts."""

    series: int
    started: int
    """First hour of the window that raised it."""
    raised: int
    """The hour at whose end it was raised."""
    ended: int
    """The hour at whose end it was over; the last one there is where it still stands."""
    stands: bool
    seen: float
    """Documents in the window that surprised most."""
    expected: float
    """What is usual in it."""
    window: int
    """Hours of it."""
    peak: int
    """The hour at whose end it surprised most."""
    surprise: float


def surges(found: Surprise, settings: SurgeSettings | None = None) -> list[Surge]:
    """Alarms in the order in which they were raised; one a series at a time."""
    settings = settings or SurgeSettings()
    made: list[Surge] = []
    hours = len(found.value)
    for series in np.flatnonzero((found.value >= settings.raise_at).any(0)):
        values = found.value[:, series]
        hour = 0
        while hour < hours:
            if values[hour] < settings.raise_at:
                hour += 1
                continue
            calm, end = 0, hour
            while end + 1 < hours and calm < settings.quiet:
                end += 1
                calm = calm + 1 if values[end] < CALM else 0
            peak = hour + int(values[hour : end + 1].argmax())
            made.append(
                Surge(
                    int(series), max(0, hour - int(found.window[hour, series]) + 1), hour, end, calm < settings.quiet,
                    float(found.seen[peak, series]), float(found.expected[peak, series]),
                    int(found.window[peak, series]), peak, float(values[peak]),
                )
            )  # fmt: skip
            hour = end + 1
    return sorted(made, key=lambda one: (one.raised, one.series))
