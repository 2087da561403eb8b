"""Silence: the limit counts what could be a test, and clean visits of many seeds stay below it."""

import math

import numpy as np
import pytest

from mercer.quality.silence import SilenceRules, limit_of, looks

HOURS = (1, 3, 6, 12, 24)


def found(counts, whole=None, chance=0.05):
    seen = list(looks(counts, whole, HOURS, SilenceRules()))
    limit = limit_of(np.concatenate([look.reach for look in seen]), chance)
    return [doubt for look in seen for doubt in look.doubts(limit)]


def test_tests_that_cannot_reach_the_limit_do_not_count():
    few, many = np.full(10, 40.0), np.concatenate([np.full(10, 40.0), np.full(10_000, 2.0)])
    assert limit_of(few, 0.01) == pytest.approx(math.log(10 / 0.01)) == limit_of(many, 0.01)
    assert limit_of(np.zeros(0), 0.01) == math.inf


@pytest.mark.parametrize("by_hour", [0.5, 5, 50])
def test_chance_alone_is_silent(by_hour):
    rng = np.random.default_rng(5)
    shape = np.maximum(0, np.sin(np.arange(24) / 24 * 2 * np.pi)) + 0.1
    for _ in range(10):
        level = rng.gamma(20, 1 / 20, 60).repeat(24)
        whole = rng.poisson(np.tile(shape, 60) * level * by_hour).astype(float)
        assert found(rng.binomial(whole.astype(int), 0.6).astype(float), whole) == []


def test_a_part_that_stops_is_found_where_it_was():
    whole = np.tile(np.array([0.0] * 8 + [12.0] * 12 + [0.0] * 4), 30)
    counts = whole / 2
    counts[370:373] = 0
    best = max(found(counts, whole), key=lambda doubt: doubt.nats)
    assert best.start <= 370 < best.start + best.hours
    assert best.visits == 0
