"""Q01: what was let pass until a day, and the day is over."""

import pytest

from mercer.errors import SettingsError
from mercer.quality.run import QualitySettings, check
from mercer.quality.settings import Suppression

NOW = 1_750_000_000_000  # 2025-06-15


@pytest.fixture
def checked(raw_of, clean_rows, all_but):
    clean_rows["products"][4]["price"] = -1.0
    clean_rows["products"][5]["price"] = -1.0

    def run(*suppress):
        raws = {family: raw_of(family, rows) for family, rows in clean_rows.items()}
        return check(raws, QualitySettings(suppress=suppress, disable=all_but("C06", "C07", "Q01")), now=NOW)

    return run


def found(checked, id):
    names = ("check_id", "family", "row_id", "problem", "action")
    return [tuple(row[name] for name in names) for row in checked.findings.to_pylist() if row["check_id"] == id]


def test_while_it_holds_the_finding_is_kept_and_does_nothing(checked):
    passed = checked(Suppression("C06", "ann", "2025-06-15", problem="not_positive", row="p4", reason="a test product"))
    assert found(passed, "C06") == [
        ("C06", "products", 4, "not_positive", "suppressed"),
        ("C06", "products", 5, "not_positive", "quarantine"),
    ]
    assert passed.quarantine["products"]["id"].to_pylist() == ["p5"]
    assert found(passed, "Q01") == []
    (row,) = [row for row in passed.findings.to_pylist() if row["action"] == "suppressed"]
    assert '"suppressed_by": "ann"' in row["evidence"]
    assert next(item for item in passed.gate.requirements if item.check == "C06").unqualified == 1


def test_its_last_day_over_it_acts_again_and_is_a_finding(checked):
    late = checked(Suppression("C06", "ann", "2025-06-14", problem="not_positive"))
    assert [row[-1] for row in found(late, "C06")] == ["quarantine", "quarantine"]
    assert found(late, "Q01") == [("Q01", "products", -1, "expired", "warn")]
    assert late.gate.status == "warn"


def test_a_row_may_be_named_by_its_hash(checked):
    name = checked().quarantine["products"]["row_hash"].to_pylist()[1]
    passed = checked(Suppression("C06", "ann", "2030-01-01", row=name))
    assert [row[-1] for row in found(passed, "C06")] == ["quarantine", "suppressed"]


def test_a_repair_that_is_let_pass_is_not_made(raw_of, all_but):
    rows = [{"id": "1", "title": "Tom &amp; Jerry"}]
    passed = Suppression("C07", "ann", "2030-01-01", family="products", field="title")
    settings = QualitySettings(suppress=(passed,), disable=all_but("C07", "Q01"))
    trusted = check({"products": raw_of("products", rows)}, settings, now=NOW).trusted
    assert trusted["products"]["title"].to_pylist() == ["Tom &amp; Jerry"]


@pytest.mark.parametrize(
    "given",
    [
        {"check": "C99"},
        {"owner": " "},
        {"until": "soon"},
        {"problem": "odd"},
        {"family": "shoes"},
    ],
)
def test_what_cannot_be_let_pass(given):
    with pytest.raises(SettingsError):
        Suppression(**{"check": "C06", "owner": "ann", "until": "2030-01-01", **given})
