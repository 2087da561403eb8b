"""The matrix of versions and periods: what is forgotten and what comes back, by hand."""

from __future__ import annotations

import json
import math

import pytest

from mercer.errors import RequestError
from mercer.measure.matrix import Matrix

TOLD = Matrix(
    ("start", "one", "two", "three"),
    ("a", "b", "c"),
    ((0.2, 0.2, 0.2), (0.8, 0.3, 0.2), (0.6, 0.9, 0.4), (0.4, 0.9, 0.7)),
)


def test_forgetting_and_transfer_by_hand() -> None:
    assert TOLD.forgetting == pytest.approx(((0.8 - 0.4) / 0.8 + 0) / 2)
    assert TOLD.backward == pytest.approx(((0.4 - 0.8) + 0) / 2)
    assert TOLD.forward == pytest.approx(((0.3 - 0.2) + (0.4 - 0.2)) / 2)


def test_a_later_version_may_be_the_best() -> None:
    better = Matrix(("start", "one", "two"), ("a", "b"), ((0.1, 0.1), (0.5, 0.1), (0.6, 0.7)))
    assert better.forgetting == 0
    assert better.backward == pytest.approx(0.1)


def test_a_version_and_a_period_more() -> None:
    more = TOLD.with_version("four", "d", (0.5, 0.8, 0.7, 0.6), (math.nan, math.nan, math.nan, 0.3), seconds=9.0)
    assert (more.versions[-1], more.periods[-1], more.values[3][3], more.values[4]) == (
        "four",
        "d",
        0.3,
        (0.5, 0.8, 0.7, 0.6),
    )
    assert more.forgetting == pytest.approx(((0.8 - 0.5) / 0.8 + (0.9 - 0.8) / 0.9 + 0) / 3)
    again = Matrix.of_json(json.loads(json.dumps(more.json(), allow_nan=False)))
    assert again.json() == more.json()


def test_what_nobody_measured_is_nan() -> None:
    first = Matrix(("start", "one"), ("a",), ((math.nan,), (0.5,)))
    assert math.isnan(first.forgetting)
    assert math.isnan(first.backward)
    assert first.json()["forgetting"] is None
    with pytest.raises(RequestError, match="2 rows for 1 versions"):
        Matrix(("start",), ("a",), ((0.1,), (0.2,)))
    with pytest.raises(RequestError, match="3 versions, 1 periods"):
        Matrix(("start", "one", "two"), ("a",), ((0.1,), (0.2,), (0.3,)))
