"""Settings out of range say so, with the value and the cure."""

from __future__ import annotations

import pytest

from mercer.errors import SettingsError
from mercer.sample import SampleSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("products", 0),
        ("shoppers", -1),
        ("events", 10),
        ("dirt", 0.9),
        ("dirt", float("nan")),
        ("days", 1),
        ("start", "yesterday"),
    ],
)
def test_bad_values_are_refused(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match="give"):
        SampleSettings(**{name: value})  # type: ignore[arg-type]
