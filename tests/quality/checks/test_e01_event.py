"""E01 finds events that cannot be, and writes refunds as refunds."""

import pytest

from mercer.quality.run import check


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"type": "teleport"}, "type", "unknown_type"),
        ({"type": None}, "type", "missing_required"),
        ({"time": None}, "time", "missing_required"),
        ({"product": "nothing"}, "product", "unknown_product"),
        ({"quantity": -2.0}, "quantity", "quantity"),
        ({"quantity": 0.0}, "quantity", "quantity"),
        ({"quantity": float("inf")}, "quantity", "not_finite"),
        ({"price": float("nan")}, "price", "not_finite"),
        ({"price": 0.0}, "price", "free"),
        ({"price": -11062.06}, "price", "free"),
    ],
)
def test_injected_events(found_in, clean_rows, change, field, problem):
    clean_rows["events"][2].update(change)
    assert found_in(clean_rows, "E01") == [("events", 2, field, problem)]


def test_unreadable_rows(raw_of, found_in, clean_rows):
    malformed = [{"row_id": 300, "line": 302, "text": "half", "problem": "too few columns"}]
    uncast = [{"row_id": 1, "field": "time", "text": "noon"}]
    clean_rows["events"][1]["time"] = None
    clean_rows["events"] = raw_of("events", clean_rows["events"], malformed, uncast)
    assert found_in(clean_rows, "E01") == [("events", 1, "time", "wrong_type"), ("events", 300, "", "malformed")]


def test_the_text_of_what_could_not_be_read_is_in_quarantine(raw_of, clean_rows):
    malformed = [{"row_id": 300, "line": 302, "text": "half", "problem": "too few columns"}]
    uncast = [{"row_id": 1, "field": "time", "text": "noon"}]
    checked = check({"events": raw_of("events", clean_rows["events"], malformed, uncast)}, now=1_750_000_000_000)
    raw = {row["row_id"]: row["raw"] for row in checked.quarantine["events"].to_pylist()}
    assert raw == {1: '{"time": "noon"}', 300: "half"}


def test_events_of_a_fee(found_in, clean_rows):
    clean_rows["products"][5]["title"] = "POSTAGE"
    found = found_in(clean_rows, "E01")
    assert {problem for _, _, _, problem in found} == {"not_a_product"}
    assert [row for _, row, _, _ in found] == [index for index in range(300) if index % 90 == 5]


def test_a_cancellation_becomes_a_refund(raw_of, found_in, clean_rows):
    clean_rows["events"][2] |= {"type": "purchase", "session": "C536379", "quantity": -3.0}
    clean_rows["events"][5] |= {"type": "refund", "quantity": -4.0}
    assert found_in(clean_rows, "E01") == [
        ("events", 2, "quantity", "cancellation"),
        ("events", 2, "type", "cancellation"),
        ("events", 5, "quantity", "cancellation"),
    ]
    raws = {family: raw_of(family, rows) for family, rows in clean_rows.items()}
    rows = check(raws, now=1_750_000_000_000).trusted["events"].to_pylist()
    assert [(rows[index]["type"], rows[index]["quantity"]) for index in (2, 5)] == [("refund", 3.0), ("refund", 4.0)]


def test_missing_shoppers_are_said_once(found_in, clean_rows):
    for row in clean_rows["events"][:50]:
        row["shopper"] = None
    assert found_in(clean_rows, "E01") == [("events", -1, "shopper", "no_shopper")]
