"""Bad events are refused with the value seen and the cure."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import RequestError
from mercer.events.accept import AHEAD, EARLIEST, accept, accept_shown
from mercer.records import Event, Impression

NOW = 1_760_000_000_000
GOOD = Event("e1", "click", "cup", NOW, shopper="ann")


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"id": ""}, "''"),
        ({"id": "  "}, "'  '"),
        ({"id": 7}, "7"),
        ({"id": "x" * 513}, "513 characters"),
        ({"product": ""}, "product of"),
        ({"product": "\ud800"}, "no Unicode"),
        ({"shopper": None}, "None"),
        ({"type": "look"}, "'look'"),
        ({"type": ""}, "''"),
        ({"time": -1}, "-1"),
        ({"time": 0}, "is 0"),
        ({"time": 1_760_000_000}, "1760000000"),
        ({"time": NOW + AHEAD + 1}, "ahead"),
        ({"time": 10**40}, "ahead"),
        ({"time": float(NOW)}, "1760000000000.0"),
        ({"time": True}, "True"),
        ({"position": 0}, "is 0"),
        ({"position": 10**9}, "1000000000"),
        ({"position": 1.5}, "1.5"),
        ({"position": 10**5000}, "thousands of digits"),
        ({"time": -(10**5000)}, "thousands of digits"),
        ({"price": 10**5000}, "thousands of digits"),
        ({"id": 10**5000}, "thousands of digits"),
        ({"quantity": float("nan")}, "nan"),
        ({"quantity": 10**400}, "quantity"),
        ({"price": float("inf")}, "inf"),
        ({"price": -0.01}, "-0.01"),
        ({"price": "9"}, "'9'"),
    ],
)
def test_refused(fault: dict, seen: str) -> None:
    with pytest.raises(RequestError) as caught:
        accept([GOOD, dataclasses.replace(GOOD, **fault)], now=NOW)
    assert seen in caught.value.problem
    assert caught.value.cure
    assert len(str(caught.value)) < 400, "a huge value is not repeated whole"


@pytest.mark.parametrize(
    "fine",
    [
        {"time": EARLIEST},
        {"time": NOW + AHEAD},
        {"shopper": ""},
        {"quantity": -1.0},
        {"price": 0},
        {"id": "订单 1"},
        {"position": 1},
    ],
)
def test_accepted(fine: dict) -> None:
    accept([dataclasses.replace(GOOD, **fine)], now=NOW)


def test_clock_is_used_when_no_time_is_given() -> None:
    accept([GOOD])
    with pytest.raises(RequestError):
        accept([dataclasses.replace(GOOD, time=32_503_680_000_000)])


anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.binary(max_size=3))


@given(st.fixed_dictionaries({}, optional={field.name: anything for field in dataclasses.fields(Event)}))
def test_nothing_but_request_errors(fault: dict) -> None:
    with contextlib.suppress(RequestError):
        accept([dataclasses.replace(GOOD, **fault)], now=NOW)


@pytest.mark.parametrize(
    "fault", [{"query_id": ""}, {"product": ""}, {"position": 0}, {"time": 5}, {"score": float("nan")}]
)
def test_impressions(fault: dict) -> None:
    shown = Impression("q", "p", 1, NOW, 0.1, "v")
    accept_shown([shown], now=NOW)
    with pytest.raises(RequestError):
        accept_shown([dataclasses.replace(shown, **fault)], now=NOW)
