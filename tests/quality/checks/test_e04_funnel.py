"""E04 finds steps that are missing, and asks no shop for steps that it does not log."""

import pytest

NOW = 1_750_000_000_000
DAY = 86_400_000


def visits(count=80, *, steps=("impression", "click", "purchase")):
    """Everyone is shown a product, opens it and buys it."""
    events = []
    for number in range(count):
        about = {"shopper": f"s{number}", "session": f"v{number}", "product": f"p{number % 9}"}
        for place, type in enumerate(steps):
            time = NOW - 100 * DAY + number * DAY + place * 9000
            events.append({**about, "type": type, "time": time, "price": 20.0 if type == "purchase" else None})
    return events


@pytest.mark.parametrize(
    ("row", "change", "field", "problem"),
    [
        (2, {"price": None}, "price", "no_price"),
        (2, {"product": "p8"}, "time", "unopened"),
        (2, {"time": NOW - 101 * DAY}, "time", "unopened"),
        (1, {"time": NOW - 101 * DAY}, "time", "unshown"),
    ],
)
def test_a_missing_step(found_in, row, change, field, problem):
    events = visits()
    events[row] |= change
    assert found_in({"events": events}, "E04") == [("events", row, field, problem)]


def refund(**changes):
    return {
        "type": "refund",
        "shopper": "s1",
        "product": "p1",
        "time": NOW - DAY,
        "quantity": 1.0,
        "price": 20.0,
    } | changes


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"product": "p5"}, "product", "refund_unknown"),
        ({"time": NOW - 100 * DAY}, "product", "refund_unknown"),
        ({"quantity": 3.0}, "quantity", "refund_above"),
        ({}, None, None),
    ],
)
def test_refunds(found_in, changes, field, problem):
    events = [*visits(), refund(**changes)]
    assert found_in({"events": events}, "E04") == ([("events", 240, field, problem)] if problem else [])


def test_a_second_refund_of_one_purchase(found_in):
    events = [*visits(), refund(), refund(time=NOW - DAY + 1)]
    assert found_in({"events": events}, "E04") == [("events", 241, "quantity", "refund_above")]


def test_in_the_first_weeks_more_may_come_back(found_in):
    events = [*visits(), refund(time=NOW - 95 * DAY, quantity=3.0)]
    assert found_in({"events": events}, "E04") == []


def test_nobody_buys_so_much_that_it_comes_back_in_the_first_weeks(found_in):
    events = [*visits(), refund(time=NOW - 95 * DAY, quantity=30.0)]
    assert found_in({"events": events}, "E04") == [("events", 240, "quantity", "refund_above")]


@pytest.mark.parametrize("steps", [("purchase",), ("impression", "purchase"), ("click", "purchase"), ("click",)])
def test_what_a_shop_does_not_log_is_no_fault(found_in, steps):
    assert found_in({"events": visits(steps=steps)}, "E04") == []
