"""E14 finds hours in which a source fell silent, and takes nights and weekly closing days for what they are."""

import numpy as np
import pytest

NOW = 1_750_000_000_000
HOUR, DAY = 3_600_000, 86_400_000
START = NOW // DAY * DAY - 28 * DAY


def visits(*, closed=None, silent=None, devices=("phone", "desktop"), by_day=150, last=28):
    """Visits by day and evening, as people come; `silent` is (device, first hour, last hour) of the log."""
    rng = np.random.default_rng(2)
    events = []
    for day in range(last):
        if closed is not None and day % 7 == closed:
            continue
        for number in range(rng.poisson(by_day)):
            hour = int(min(23, max(0, rng.normal(15, 3.5))))
            device = devices[int(rng.random() < 0.4)]
            if silent and device == silent[0] and silent[1] <= day * 24 + hour <= silent[2]:
                continue
            time = START + day * DAY + hour * HOUR + int(rng.integers(HOUR))
            who = {"session": f"v{day}-{number}", "shopper": f"s{number}", "device": device, "time": time}
            events += [{**who, "type": type, "product": "p1"} for type in ("view", "click")]
    return events


@pytest.mark.parametrize(("first", "last"), [(15 * 24 + 13, 15 * 24 + 16), (10 * 24, 10 * 24 + 23)])
def test_an_outage_of_a_device(found_in, first, last):
    events = visits(silent=("phone", first, last))
    assert found_in({"events": events}, "E14") == [("events", -1, "time", "outage")]


def test_an_outage_that_goes_on_blocks(found_in):
    events = visits(silent=("phone", 27 * 24 + 11, 10**6))
    assert found_in({"events": events}, "E14") == [("events", -1, "time", "outage_now")]


@pytest.mark.parametrize("closed", [None, 6])
def test_nights_and_closing_days_are_no_outage(found_in, closed):
    assert found_in({"events": visits(closed=closed)}, "E14") == []


def test_a_short_log_has_no_habits(found_in):
    assert found_in({"events": visits(last=5, silent=("phone", 60, 80))}, "E14") == []


def less(events, lost):
    """Without the events that `lost` says of hour of the log, device, type and number."""
    kept = []
    for number, event in enumerate(events):
        if not lost((event["time"] - START) // HOUR, event["device"], event["type"], number):
            kept.append(event)
    return kept


def test_one_type_of_one_device(found_in):
    events = visits(by_day=400)
    silent = less(events, lambda hour, device, type, _: device == "phone" and type == "click" and 348 <= hour < 351)
    assert found_in({"events": silent}, "E14") == [("events", -1, "time", "outage")]


def test_most_visits_lost(found_in):
    events = visits(by_day=800)
    silent = less(events, lambda hour, device, _, number: device == "phone" and 348 <= hour < 351 and number // 2 % 5)
    assert found_in({"events": silent}, "E14") == [("events", -1, "time", "outage")]


def test_what_is_no_outage(found_in):
    events = visits(by_day=400)
    fewer = less(events, lambda hour, *rest: 348 <= hour < 351 and rest[2] // 2 % 5 < 2)
    launched = less(events, lambda hour, _, type, __: type == "click" and hour < 14 * 24)
    for log in (fewer, launched):
        assert found_in({"events": log}, "E14") == []


def test_three_hours_of_a_quiet_shop_say_nothing(found_in):
    assert found_in({"events": visits(by_day=20, silent=("phone", 15 * 24 + 13, 15 * 24 + 15))}, "E14") == []
