"""E05 finds machines that read the shop or replay people's visits, and leaves people and invoices alone."""

import numpy as np
import pytest

NOW = 1_750_000_000_000
DAY = 86_400_000


def visit(who, session, start, gaps, *, products=None, type="click", rng=None):
    rng = rng or np.random.default_rng(len(session))
    products = products if products is not None else rng.integers(0, 500, len(gaps)).tolist()
    times = start + np.cumsum(gaps)
    return [
        {"type": type, "shopper": who, "session": session, "product": f"p{product}", "time": int(time)}
        for product, time in zip(products, times, strict=True)
    ]


def people(count=60):
    rng = np.random.default_rng(4)
    events = []
    for number in range(count):
        gaps = rng.exponential(40_000, int(rng.integers(3, 25)))
        start = NOW - 20 * DAY + number * 3_600_000
        events += visit(f"s{number % 20}", f"v{number}", start, gaps, rng=rng)
    return events


@pytest.mark.parametrize(
    "gaps",
    [
        np.full(400, 500.0),
        np.random.default_rng(1).normal(6000, 1500, 80),
        np.random.default_rng(2).exponential(60_000, 250),
    ],
    ids=["fast", "even", "endless"],
)
def test_machines(found_in, gaps):
    events = people()
    made = visit("b", "m", NOW - DAY, gaps.clip(100))
    shown = [{**made[0], "type": "impression"}]
    found = found_in({"events": events + made + shown}, "E05")
    assert found == [("events", len(events) + at, "session", "crawler") for at in range(len(made) + 1)]


def test_a_machine_without_sessions(found_in):
    events = [{**event, "session": None} for event in people()]
    made = [{**event, "session": None} for event in visit("b", "m", NOW - DAY, np.full(100, 800.0))]
    found = found_in({"events": events + made}, "E05")
    assert found == [("events", len(events) + at, "session", "crawler") for at in range(len(made))]


def test_a_replay_is_found_and_its_original_stays(found_in):
    events = people()
    rng = np.random.default_rng(3)
    products = rng.integers(0, 500, 9).tolist()
    original = visit("s1", "first", NOW - 9 * DAY, rng.exponential(30_000, 9), products=products)
    again = visit("b", "second", NOW - 3 * DAY, rng.exponential(30_000, 9), products=products)
    found = found_in({"events": again + events + original}, "E05")
    assert found == [("events", at, "session", "replay") for at in range(9)]


def test_an_invoice_is_no_visit(found_in):
    lines = visit("s1", "536365", NOW - DAY, np.zeros(500), type="purchase")
    again = visit("s1", "536999", NOW - DAY // 2, np.zeros(500), type="purchase")
    assert found_in({"events": lines + again}, "E05") == []


def test_a_keen_shopper_is_no_machine(found_in):
    rng = np.random.default_rng(5)
    looks = visit("s1", "v", NOW - DAY, rng.exponential(45_000, 220), rng=rng)
    carts = [{**event, "type": "add_to_cart", "time": event["time"] + 1} for event in looks[::10]]
    assert found_in({"events": looks + carts}, "E05") == []
