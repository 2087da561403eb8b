"""A run repairs first, then judges; settings change what is done, and never what is found."""

import json

import pytest

from mercer.errors import DataError, SettingsError
from mercer.quality.check import CheckSettings
from mercer.quality.checks.c06_price import Price
from mercer.quality.run import QualitySettings, check
from mercer.quality.schema import SCHEMAS

NOW = 1_750_000_000_000


@pytest.fixture
def raws(raw_of, clean_rows):
    def make(families=("products",)):
        return {family: raw_of(family, clean_rows[family]) for family in families}

    return make


def test_nothing_to_check():
    with pytest.raises(DataError, match="mercer init"):
        check({})


def test_later_checks_see_repaired_text(raw_of):
    rows = [{"id": "1", "title": "Tom & Jerry"}, {"id": "2", "title": "Tom &amp; Jerry"}]
    problems = check({"products": raw_of("products", rows)}, now=NOW).findings["problem"].to_pylist()
    assert "same_listing" in problems


def test_trusted_data_keeps_the_schema_and_quarantine_the_original(raws, clean_rows):
    clean_rows["products"][0] |= {"title": "Tom &amp; Jerry", "price": -1.0}
    checked = check(raws(), now=NOW)
    assert checked.trusted["products"].schema == SCHEMAS["products"]
    (row,) = checked.quarantine["products"].to_pylist()
    assert row["title"] == "Tom &amp; Jerry"
    assert json.loads(row["reasons"]) == [
        {"check_id": "C06", "problem": "not_positive", "field": "price", "action": "quarantine"}
    ]


def test_the_owner_may_choose_another_action(raws, clean_rows):
    clean_rows["products"][0]["price"] = -1.0
    settings = QualitySettings(checks={"C06": Price(actions={"not_positive": "warn"})})
    checked = check(raws(), settings, now=NOW)
    assert checked.quarantine["products"].num_rows == 0
    assert checked.findings["action"].to_pylist() == ["warn"]


def test_a_restored_row_is_trusted_wherever_it_stands_next_time(raws, clean_rows):
    clean_rows["products"][0]["price"] = -1.0
    first = check(raws(), now=NOW)
    hashes = first.quarantine["products"]["row_hash"].to_pylist()
    clean_rows["products"].insert(0, {"id": "new", "title": "new mug"})
    second = check(raws(), now=NOW, restored=hashes)
    assert second.quarantine["products"].num_rows == 0
    (row,) = [row for row in second.findings.to_pylist() if row["problem"] == "not_positive"]
    assert row["action"] == "warn"
    assert json.loads(row["evidence"])["restored"] is True


def test_what_cannot_be_used_cannot_be_restored(raws, clean_rows):
    clean_rows["products"][0]["id"] = None
    first = check(raws(), now=NOW)
    hashes = first.quarantine["products"]["row_hash"].to_pylist()
    assert check(raws(), now=NOW, restored=hashes).quarantine["products"].num_rows == 1


def test_the_version_names_content_and_decision(raws, clean_rows):
    first = check(raws(), now=NOW)
    assert first.version == check(raws(), now=NOW + 1000).version
    other = check(raws(), QualitySettings(max_quarantine=0.2), now=NOW)
    assert other.version != first.version
    assert other.manifest["trusted_hash"] == first.manifest["trusted_hash"]
    clean_rows["products"][0]["title"] = "another mug"
    assert check(raws(), now=NOW).manifest["trusted_hash"] != first.manifest["trusted_hash"]


@pytest.mark.parametrize(
    "settings",
    [
        {"max_quarantine": 1.5},
        {"max_quarantine_of": {"products": -1.0}},
        {"always_allowed": -1},
        {"disable": ("C99",)},
        {"checks": {"C06": CheckSettings(actions={"no_such_problem": "warn"})}},
    ],
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(SettingsError):
        QualitySettings(**settings)


def test_every_check_ticks(raws, clean_rows):
    ticked = []
    check(raws(clean_rows), now=NOW, tick=ticked.append)
    assert {"C01", "C07", "E02", "X03"} <= set(ticked)
    assert len(ticked) == len(set(ticked))
