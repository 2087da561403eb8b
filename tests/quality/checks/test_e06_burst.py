"""E06 finds bursts on a product and rushes of a shopper, and leaves busy evenings and long orders alone."""

import numpy as np
import pytest

NOW = 1_750_000_000_000
MINUTE, DAY = 60_000, 86_400_000


def quiet(products=50, count=3000):
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(NOW - 40 * DAY, NOW - DAY, count))
    people = [{"shopper": f"s{at % 300}", "session": f"v{at}", "product": f"p{at % products}"} for at in range(count)]
    return [{**who, "type": "click", "time": int(time)} for who, time in zip(people, times, strict=True)]


def crowd(count, window, *, product="p7", type="click"):
    start = NOW - 10 * DAY
    people = [{"shopper": f"c{at}", "session": f"c{at}", "product": product} for at in range(count)]
    return [{**who, "type": type, "time": start + at * window // count} for at, who in enumerate(people)]


@pytest.mark.parametrize(("count", "window"), [(20, MINUTE), (25, 10 * MINUTE), (25, 50 * MINUTE)])
def test_a_burst_on_a_product(found_in, count, window):
    events = quiet()
    found = {row for _, row, _, problem in found_in({"events": events + crowd(count, window)}, "E06")}
    made = set(range(len(events), len(events) + count))
    assert found <= made
    assert len(found) > 0.5 * count
    assert {problem for *_, problem in found_in({"events": events + crowd(count, window)}, "E06")} == {"product_burst"}


def test_a_busy_hour_is_no_burst(found_in):
    events = quiet()
    rush = [event for product in range(50) for event in crowd(12, 50 * MINUTE, product=f"p{product}")]
    rush = [{**event, "shopper": f"{event['shopper']} {event['product']}"} for event in rush]
    assert found_in({"events": events + rush}, "E06") == []


def test_a_shopper_faster_than_a_hand(found_in):
    events = quiet()
    start = (NOW - 5 * DAY) // MINUTE * MINUTE
    made = [
        {"type": "click", "shopper": "x", "session": "x", "product": f"p{at % 50}", "time": start + at * 900}
        for at in range(60)
    ]
    found = found_in({"events": events + made}, "E06")
    assert found == [("events", len(events) + at, "shopper", "shopper_burst") for at in range(60)]


def test_an_order_of_many_lines_is_no_rush(found_in):
    order = [
        {"type": "purchase", "shopper": "x", "session": "x", "product": f"p{at}", "time": NOW - DAY}
        for at in range(200)
    ]
    assert found_in({"events": quiet() + order}, "E06") == []
