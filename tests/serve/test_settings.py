"""Settings refuse what cannot be, and a missing package is named with the line that installs it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mercer.config import section
from mercer.errors import MissingExtra, SettingsError
from mercer.serve import ServeSettings, create_app


@pytest.mark.parametrize(
    "given",
    [{"threads": 0}, {"question_bytes": -1}, {"page_size": 101}, {"name": " "}, {"name": "n" * 61}, {"thread": 4}],
)
def test_settings_that_cannot_be(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"\[serve\]"):
        section(given, ServeSettings, name="serve")


def test_hosts_come_from_a_list() -> None:
    assert section({"hosts": ["shop.example"]}, ServeSettings, name="serve").hosts == ("shop.example",)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, double: Any) -> None:
    for name in [name for name in sys.modules if name.startswith(("mercer.serve.app", "mercer.serve.metrics"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingExtra, match=r"mercer\[serve\]"):
        create_app(double)
