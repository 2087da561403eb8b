"""The page is whole in itself, in both languages, and safe with hostile data."""

import json
import re

import pytest

from mercer.quality.report import problems, render
from mercer.quality.run import check
from mercer.quality.write import write

NOW = 1_750_000_000_000


@pytest.fixture(scope="module")
def checked(raw_of, clean_shop):
    """One check for all tests: it takes seconds, and no page changes it."""
    shop = clean_shop()
    shop["products"][0] |= {"title": "<script>alert(1)</script>\u202e\u0007", "price": -1.0}
    shop["products"][1]["price"] = float("inf")
    return check({family: raw_of(family, rows) for family, rows in shop.items()}, now=NOW)


def test_the_page_asks_nobody_and_runs_nothing_of_the_data(checked):
    page = render(checked, shop="<b>shop")
    assert "alert(1)</script>" not in page
    assert "<b>shop" not in page
    assert not re.search(r"(src|href)\s*=|url\(|@import|fetch\(", page)
    assert page.count("<svg") >= len(checked.trusted)
    assert "\u202e" not in page


def test_every_sentence_is_there_twice(checked):
    page = render(checked)
    assert page.count('lang="zh"') == page.count('<span lang="en">')
    assert "price is zero or negative" in page
    assert "价格为零或负数" in page


def test_clean_data_has_a_page(raw_of, clean_rows):
    page = render(check({"products": raw_of("products", clean_rows["products"])}, now=NOW))
    assert "Nothing was found" in page


def test_an_empty_family_has_a_page(raw_of):
    assert "Passed" in render(check({"events": raw_of("events", [])}, now=NOW))


def test_what_takes_rows_out_comes_first(checked):
    lines = problems(checked.findings, checked.manifest["rows"])
    assert lines[0].action == "quarantine"
    assert lines[0].rows == 1
    assert lines[0].share == pytest.approx(1 / 90)


def test_a_version_on_disk_is_whole(checked, tmp_path):
    import pyarrow.parquet as pq

    write(checked, tmp_path, shop="shop")
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{family}.parquet" for family in checked.trusted),
        *("findings.parquet", "gate.json", "manifest.json", "report.html", "quarantine", "served.parquet"),
    }
    assert pq.read_table(tmp_path / "products.parquet").equals(checked.trusted["products"])
    assert pq.read_table(tmp_path / "quarantine" / "products.parquet").num_rows == 2
    assert json.loads((tmp_path / "gate.json").read_text())["decision"] == checked.gate.status
    assert json.loads((tmp_path / "manifest.json").read_text())["rows"]["products"]["raw"] == 90


def test_the_page_lists_the_runs_before(checked):
    run = {"time": 1_760_000_000_000, "gate": "pass", "rows": {"products": {"raw": 4, "trusted": 3, "quarantine": 1}}}
    assert "Runs before this one" not in render(checked)
    page = render(checked, history=[run, {**run, "gate": "warn"}])
    assert "Runs before this one" in page
    assert "2025-10-09" in page
    assert "1 (25" in page


def test_runs_have_a_trend(checked):
    from mercer.quality.history import added, line

    now = line(checked)
    earlier = {
        **now,
        "run_id": "before",
        "gate": "pass",
        "rows": {"products": {"raw": 90, "trusted": 90, "quarantine": 0}},
    }
    assert "Trend over runs" not in render(checked, history=[now])
    history = added(added([earlier], now), now)
    assert len(history) == 2
    page = render(checked, history=history)
    assert "历次检查的趋势" in page
    assert page.count("<circle") == 2
    assert 'class="pass"' in page


def test_checks_show_their_scores(checked, monkeypatch, tmp_path):
    from mercer.quality import trend

    assert "How good are the checks?" not in _page_with(checked, None, monkeypatch, tmp_path)
    told = {"precision": None, "recall": 0.912, "injected": 1234, "version": 99, "date": "2026-01-31"}
    page = _page_with(checked, {"C06": told}, monkeypatch, tmp_path)
    assert "91.2" in page
    assert "1,234" in page
    assert page.count("an earlier version of the check") == 1
    assert "not measured" in page
    assert trend.scores()[0]["check"] == "C01"


def _page_with(checked, told, monkeypatch, folder):
    from mercer.quality import trend

    monkeypatch.setattr(trend, "files", lambda _: folder)
    if told is not None:
        (folder / "scores.json").write_text(json.dumps(told))
    return render(checked)
