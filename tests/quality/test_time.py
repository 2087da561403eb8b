from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import SettingsError
from mercer.quality.time import Clock

MOMENT = int(datetime(2010, 12, 1, 8, 26, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    "text",
    [
        "2010-12-01 08:26:00",
        "2010-12-01T08:26:00Z",
        "2010-12-01T16:26:00+08:00",
        "2010-12-01 08:26:00 UTC",
        "2010-12-01T08:26:00.000",
        "2010/12/01 08:26",
        "12/1/2010 8:26",
        "2010年12月01日 08:26:00",
        "2010年12月01日 08时26分",
        "1291191960",
        "1291191960000",
        "1291191960000000",
        "1.29119196e9",
        " 2010-12-01 08:26:00 ",
    ],
)
def test_one_moment_in_many_writings(text: str) -> None:
    assert Clock()(pa.array([text, None])).to_pylist() == [MOMENT, None]


def test_day_only_and_compact_day() -> None:
    day = MOMENT // 86_400_000 * 86_400_000
    assert Clock()(pa.array(["2010-12-01", "20101201"])).to_pylist() == [day, day]


def test_naive_times_are_in_the_timezone_and_others_are_not() -> None:
    column = pa.array(["2010-12-01 16:26:00", "2010-12-01T08:26:00Z", "1291191960"])
    assert Clock("Asia/Shanghai")(column).to_pylist() == [MOMENT] * 3


def test_a_clock_put_forward_and_back_does_not_stop_the_file() -> None:
    column = pa.array(["2011-03-27 01:30:00", "2011-10-30 01:30:00"])
    assert Clock("Europe/London")(column).null_count == 0


def test_the_unit_is_that_of_the_column_so_a_row_in_another_unit_stands_out() -> None:
    clock = Clock()
    found = clock(pa.array(["1291191960000", "1291191961000", "1291191962"])).to_pylist()
    assert found == [MOMENT, MOMENT + 1000, 1291191962]
    assert clock(pa.array([1291191962])).to_pylist() == [1291191962]


def test_the_day_comes_first_where_a_number_above_12_says_so() -> None:
    clock = Clock()
    assert clock(pa.array(["03/04/2020", "25/12/2020"])).to_pylist()[0] == 1_585_872_000_000
    assert Clock()(pa.array(["03/04/2020", "12/25/2020"])).to_pylist()[0] == 1_583_280_000_000
    assert clock(pa.array(["03/04/2020"])).to_pylist() == [1_585_872_000_000]


def test_what_is_no_time_is_null() -> None:
    assert Clock()(pa.array(["soon", "2010-13-45", "", None, "1e400", "nan"])).to_pylist() == [None] * 6


def test_typed_columns() -> None:
    naive = pa.array([datetime(2010, 12, 1, 16, 26)], pa.timestamp("us"))
    zoned = pa.array([datetime(2010, 12, 1, 8, 26)], pa.timestamp("ns", "UTC"))
    day = pa.array([datetime(2010, 12, 1).date()], pa.date32())
    assert Clock("Asia/Shanghai")(naive).to_pylist() == [MOMENT]
    assert Clock("Asia/Shanghai")(zoned).to_pylist() == [MOMENT]
    assert Clock()(day).to_pylist() == [MOMENT // 86_400_000 * 86_400_000]
    assert Clock()(pa.array([1291191960.0, float("nan"), float("inf")])).to_pylist() == [MOMENT, None, None]


def test_an_unknown_timezone() -> None:
    for name in ("Mars/Olympus", "", "../etc"):
        with pytest.raises(SettingsError, match="timezone") as caught:
            Clock(name)
        assert "IANA" in caught.value.cure


@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)))
def test_any_moment_written_in_iso_is_read_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    expected = int((whole - datetime(1970, 1, 1)).total_seconds() * 1000 + 0.5)
    assert Clock()(pa.array([whole.isoformat(), f"{whole.isoformat()}+00:00"])).to_pylist() == [expected] * 2
