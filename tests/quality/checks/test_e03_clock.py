"""E03 converts a file that is in another unit throughout and finds times that cannot be."""

import pytest

from mercer.quality.run import check

NOW = 1_750_000_000_000


@pytest.mark.parametrize(
    ("time", "problem"),
    [
        (0, "epoch_zero"),
        (NOW // 1000, "mixed_unit"),
        (NOW * 1000, "mixed_unit"),
        (NOW * 1_000_000, "mixed_unit"),
        (NOW + 2 * 86_400_000, "future"),
        (1_000_000_000, "mixed_unit"),
        (99_000_000_000, "out_of_range"),
        (-5, "out_of_range"),
    ],
)
def test_injected_times(found_in, clean_rows, time, problem):
    clean_rows["events"][3]["time"] = time
    clean_rows["reviews"][4]["time"] = time
    assert found_in(clean_rows, "E03") == [("events", 3, "time", problem), ("reviews", 4, "time", problem)]


@pytest.mark.parametrize(("multiply", "divide"), [(1, 1000), (1000, 1), (1_000_000, 1)])
def test_a_whole_file_in_another_unit_is_converted(raw_of, found_in, clean_rows, multiply, divide):
    want = [row["time"] // 1000 * 1000 for row in clean_rows["events"]]
    for row, time in zip(clean_rows["events"], want, strict=True):
        row["time"] = time * multiply // divide
    assert found_in(clean_rows, "E03") == [("events", -1, "time", "unit")]
    checked = check({"events": raw_of("events", clean_rows["events"])}, now=NOW)
    assert checked.trusted["events"]["time"].to_pylist() == want
    assert checked.gate.status == "pass"
