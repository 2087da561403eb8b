"""E11 finds impressions that are missing from a log, on a day or throughout, and asks none of a log without them."""

import json

import pytest

from mercer.quality.run import check

NOW = 1_750_000_000_000
DAY = 86_400_000


def pages(lost=lambda day, device: False, *, days=20, by_day=60):
    events = []
    for day in range(days):
        for number in range(by_day):
            device = ("phone", "desktop")[number % 2]
            about = {"session": f"v{day}-{number}", "shopper": "s", "product": f"p{number % 7}", "device": device}
            time = NOW // DAY * DAY - (days - day) * DAY + number * 60_000
            if not lost(day, device):
                events.append({**about, "type": "impression", "position": 1, "time": time})
            events.append({**about, "type": "click", "position": 1, "time": time + 5000})
    return events


@pytest.mark.parametrize(
    ("lost", "problem"),
    [
        (lambda day, device: day % 3 == 0 and device == "phone" and day < 1, "exposure_lost"),
        (lambda day, device: day == 19 and device == "phone", "exposure_lost_now"),
    ],
)
def test_a_loss_of_one_device(found_in, lost, problem):
    assert found_in({"events": pages(lost)}, "E11") == [("events", -1, "type", problem)]


def test_a_log_with_holes_is_told_to_training(raw_of):
    checked = check({"events": raw_of("events", pages(lambda day, device: device == "phone"))}, now=NOW)
    (found,) = [row for row in checked.findings.to_pylist() if row["check_id"] == "E11"]
    assert found["problem"] == "exposure_missing"
    assert checked.manifest["exposure"] == json.loads(found["evidence"])
    assert checked.manifest["exposure"]["share"] == 0.5


@pytest.mark.parametrize("lost", [lambda day, device: False, lambda day, device: True])
def test_a_whole_log_and_one_without_impressions_are_no_fault(found_in, lost):
    assert found_in({"events": pages(lost)}, "E11") == []
