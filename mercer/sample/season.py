"""Days and leaf categories in, how much more or less is wanted on each day out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from mercer.sample.settings import SampleSettings
from mercer.sample.taxonomy import Taxonomy

__all__ = ["demand", "traffic"]

SWING = 0.9
"""Log of how much more a seasonal category sells at its peak than on average."""
FESTIVALS = ((6, 18), (11, 11), (12, 12))
"""Month and day of the shopping festivals; the two days around them share the rush."""


def traffic(settings: SampleSettings) -> NDArray[np.float64]:
    """Share of sessions on each day, summing to 1: growth, weekends and festivals."""
    days = _days(settings)
    weight = 1 + 0.35 * np.arange(len(days)) / len(days)
    weight *= np.array([1.25 if day.weekday() >= 5 else 1.0 for day in days])
    weight *= np.array(
        [
            1.9 if any(abs((day - day.replace(month=month, day=date)).days) <= 1 for month, date in FESTIVALS) else 1.0
            for day in days
        ]
    )
    share: NDArray[np.float64] = weight / weight.sum()
    return share


def demand(settings: SampleSettings, world: Taxonomy) -> NDArray[np.float64]:
    """(leaves, days): how much each leaf is wanted relative to its own average."""
    date = np.array([day.timetuple().tm_yday for day in _days(settings)])
    peak = np.array([leaf.season for leaf in world.leaves])
    wave = np.exp(SWING * np.cos(2 * np.pi * (date[None, :] - peak[:, None]) / 365.25))
    return np.where(peak[:, None] > 0, wave, 1.0)


def _days(settings: SampleSettings) -> list[datetime]:
    first = datetime.fromisoformat(settings.start).replace(tzinfo=UTC)
    return [first + timedelta(days=number) for number in range(settings.days)]
