"""E02 finds events that were delivered twice and leaves repeated habits alone."""

import pytest


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
