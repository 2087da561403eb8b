"""Every feature has its row in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.rank.feature import FEATURES

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_feature_is_explained(language: str) -> None:
    rows = [line.split(" | ") for line in (DOCS / language / "features.md").read_text("utf-8").splitlines()]
    told = [row[0].strip("|` ") for row in rows if row[0].startswith("| `")]
    assert told == [feature.name for feature in FEATURES]
    if language == "en":
        assert [row[2] for row in rows if row[0].startswith("| `")] == [feature.unit for feature in FEATURES]
