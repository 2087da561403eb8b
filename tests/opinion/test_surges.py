"""Surges are found on a season, and chance raises hardly any alarm."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.errors import SettingsError
from mercer.opinion.season import HOURS, usual
from mercer.opinion.surges import surges
from mercer.opinion.surprise import SurgeSettings, surprise


def shop(seed: int, series: int = 8, weeks: int = 8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hours = np.arange(weeks * HOURS)[:, None]
    mean = 20 * (1 + 0.6 * np.cos((hours % 24 - 14) * np.pi / 12)) * np.where(hours // 24 % 7 >= 5, 1.5, 1.0)
    mean = mean * np.ones((1, series))
    return rng.negative_binomial(mean / 0.5, 1 / 1.5).astype(float)


def test_the_usual_follows_the_hours_of_the_week() -> None:
    counts = shop(1)
    expected = usual(counts).expected[-HOURS:]
    assert np.isnan(usual(counts).expected[: 2 * HOURS]).all()
    truth = np.mean([shop(seed)[-HOURS:] for seed in range(2, 22)], (0, 2))
    assert np.corrcoef(expected.mean(1), truth)[0, 1] > 0.95


def test_a_surge_is_found_while_it_lasts_and_is_over_afterwards() -> None:
    counts = shop(3)
    counts[-60:-48, 2] *= 3
    found = [one for one in surges(surprise(counts)) if one.series == 2]
    start = len(counts) - 60
    assert len(found) == 1
    assert start <= found[0].raised < start + 3
    assert not found[0].stands
    assert found[0].seen > 2 * found[0].expected


def test_chance_raises_hardly_any_alarm() -> None:
    found = [one for seed in range(4) for one in surges(surprise(shop(seed, weeks=6)))]
    assert len(found) <= 4 * 4 * 1.5


def test_a_season_alone_is_no_surge() -> None:
    counts = np.zeros((6 * HOURS, 1))
    counts[9 + 24 * np.arange(42), 0] = 60.0
    assert surges(surprise(counts)) == []


@pytest.mark.parametrize("given", [{"windows": ()}, {"false_alarms": 0}, {"quiet": 0}, {"ratio": 0.5}])
def test_settings_that_cannot_be_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        SurgeSettings(**given)
