"""E02 finds events that were delivered twice and leaves repeated habits alone."""

import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.e02_delivery import Delivery

NOW = 1_700_000_000_000


def test_the_same_row_again(found_in, clean_rows):
    events = clean_rows["events"]
    events += [dict(events[0]), {**events[1], "event_id": "other"}]
    assert found_in(clean_rows, "E02") == [("events", row, "time", "same_event") for row in (300, 301)]


@pytest.mark.parametrize(("later", "found"), [(1, True), (1000, True), (1001, False)])
def test_the_same_action_within_a_moment(found_in, clean_rows, later, found):
    events = clean_rows["events"]
    events.append({**events[1], "event_id": "other", "time": events[1]["time"] + later})
    assert found_in(clean_rows, "E02") == ([("events", 300, "time", "resent")] if found else [])


def test_an_id_used_again(found_in, clean_rows):
    clean_rows["events"][7]["event_id"] = "e3"
    assert found_in(clean_rows, "E02") == [("events", 7, "event_id", "id_reused")]


def test_an_order_number_is_no_id(found_in, clean_rows):
    for index, row in enumerate(clean_rows["events"]):
        row["event_id"] = f"order{index // 10}"
    assert found_in(clean_rows, "E02") == [("events", -1, "event_id", "order_number")]


def test_strangers_may_do_the_same(found_in, clean_rows):
    one = {**clean_rows["events"][1], "shopper": None, "session": None, "event_id": None}
    clean_rows["events"] += [one, dict(one)]
    assert found_in(clean_rows, "E02") == []


def test_two_places_on_a_page_are_two_impressions(found_in, clean_rows):
    one = clean_rows["events"][0]
    clean_rows["events"].append({**one, "event_id": "other", "position": 2})
    assert found_in(clean_rows, "E02") == []


@pytest.mark.parametrize(("spread", "problem"), [(0, "same_line"), (60_000, "same_event")])
def test_equal_lines_of_a_bill_may_be_two_pieces(found_in, clean_rows, spread, problem):
    """Where the lines of a bill share one time, equal ones are only told of; a repeated id stays a repeat."""
    one = {**clean_rows["events"][1], "type": "purchase", "quantity": 1.0, "price": 5.0}
    bills = [
        {
            **one,
            "session": f"bill {bill}",
            "product": f"p{line}",
            "event_id": f"b{bill}-{line}",
            "time": NOW + spread * line,
        }
        for bill in range(30)
        for line in range(4)
    ]
    rows = {"events": [*bills, {**bills[0], "event_id": "other"}, dict(bills[5])]}
    found = found_in(rows, "E02")
    assert found == [("events", 120, "time", problem), ("events", 121, "time", "same_event")]


def test_a_share_that_cannot_be():
    with pytest.raises(SettingsError, match="billed is 0"):
        Delivery(billed=0)
