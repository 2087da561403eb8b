"""Quality over time: shares known beforehand come out, with intervals that hold them and know of visitors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mercer.events.answer import Answer
from mercer.events.log import EventLog
from mercer.records import Event, Impression
from mercer.watch.health import Health, Point, health
from mercer.watch.settings import WatchSettings
from mercer.watch.share import against, median, ratio, share
from mercer.watch.slices import head, slices
from mercer.watch.traffic import Traffic, from_log

START = 1_790_000_000_000 // 86_400_000 * 86_400_000
DAY = 86_400_000

Made = Callable[..., Traffic]


def last(found: Health, measure: str, slice: str = "all") -> Point:
    return [point for point in found.points if (point.measure, point.slice) == (measure, slice)][-1]


@pytest.fixture(scope="module")
def found(made: Made) -> Health:
    busy = made(4, 700, appeal=[0.3, 0.3, 0.3, 0.15], empty=0.2)
    return health(busy, WatchSettings(), now=START + 4 * DAY + DAY // 2)


def test_clicks_are_by_looks(found: Health) -> None:
    assert found.corrected
    assert np.abs(np.array(found.propensity) - np.arange(1, 9) ** -0.7).max() < 0.12
    first = next(point for point in found.points if (point.measure, point.slice) == ("ctr", "all")).estimate
    assert first.low < 0.3 < first.high


def test_a_fall_is_seen(found: Health) -> None:
    fell = last(found, "ctr_ratio").estimate
    assert fell.low < 0.5 < fell.high < 0.7
    assert last(found, "ctr_ratio", "device phone").estimate.high < 0.8
    names = {one.name for one in found.measured()}
    assert {"quality.ctr", "quality.zero_results[language zh]", "quality.abandonment[head]"} <= names


def test_shares_are_what_they_were_made(found: Health) -> None:
    empty = last(found, "zero_results").estimate
    assert empty.low < 0.2 < empty.high
    assert last(found, "first_click").estimate.value == 5.0
    left = last(found, "abandonment").estimate
    expected = float(np.prod(1 - np.arange(1, 9) ** -0.7 * 0.15))
    assert left.low < expected < left.high


def test_a_window_under_way_and_a_quiet_one_are_left_out(made: Made) -> None:
    quiet = made(2, 20, appeal=[0.3, 0.3])
    found = health(quiet, WatchSettings(), now=START + 2 * DAY + DAY // 2)
    assert (found.points, found.left, found.corrected) == ((), 2, False)
    half = health(made(2, 300, appeal=[0.3, 0.3]), WatchSettings(), now=START + 2 * DAY - 1)
    assert {point.window for point in half.points} == {START + DAY}


def test_nothing_is_no_error(made: Made) -> None:
    assert health(made(0, 0, appeal=[]), WatchSettings(), now=START).points == ()


def test_an_interval_knows_that_one_visitor_is_no_crowd() -> None:
    values = np.tile([True, False], 500)
    alone = share(values, np.arange(1000))
    together = share(np.repeat([True, False], 500), np.repeat(np.arange(10), 100))
    assert together.high - together.low > 4 * (alone.high - alone.low)
    assert share(np.zeros(50, bool), np.arange(50)).high == pytest.approx(0.071, abs=0.005)


def test_intervals_hold_what_they_should() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        who = rng.integers(0, 60, 300)
        taste = rng.beta(2, 6, 60)
        found = ratio(rng.random(300) < taste[who], np.ones(300), who)
        held += found.low <= 0.25 <= found.high
    assert 0.9 <= held / 300 <= 0.99


def test_a_median_and_a_ratio_of_ratios() -> None:
    rng = np.random.default_rng(1)
    one = median(rng.exponential(1.0, 400))
    assert one.low < np.log(2) < one.high
    now, before = (ratio(rng.random(4000) < chance, np.ones(4000), np.arange(4000)) for chance in (0.1, 0.2))
    found = against(now, before)
    assert found.low < 0.5 < found.high < 0.62


def test_slices_and_the_head(made: Made) -> None:
    busy = made(1, 100, appeal=[0.1], queries=("杯子", "cup", "CUP", " cup "))
    assert head(busy.query) == {"cup"}
    assert set(slices(busy)) == {"all", "language zh", "language en", "device phone", "device desktop", "head", "tail"}


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.db") as log:
        at = START + 1000
        for number in range(3):
            answer = Answer(f"q{number}", at + number, "search", f"cup {number}", 9 - 9 * (number == 2), 0, "ann")
            seen = [Impression(f"q{number}", f"p{place}", place, at) for place in (1, 2)] if number < 2 else []
            log.shown(seen, answer)
        log.append([
            Event("e1", "click", "p2", at + 9000, shopper="ann", query_id="q0"),
            Event("e2", "click", "p2", at + 7000, shopper="ann", query_id="q0"),
            Event("e3", "click", "p9", at + 7000, shopper="ann", query_id="gone"),
        ])  # fmt: skip
        found = from_log(log, since=START, until=START + DAY)
        assert from_log(log, since=at + 1, until=at + 2).id.tolist() == ["q1"]
    assert found.first_click.tolist() == [7000, -1, -1]
    assert found.total.tolist() == [9, 9, 0]
    kept = found.kept(np.array([False, True, True]))
    assert (kept.answer.tolist(), kept.id.tolist()) == ([0, 0], ["q1", "q2"])
