from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_a_section_is_put_in_its_place_and_the_rest_stays(tmp_path: Path) -> None:
    from benchmarks.results import put

    path = tmp_path / "RESULTS.md"
    path.write_text("# Results\n\nby hand\n", "utf-8")
    put("one", "One", ["1"], path=path)
    put("two", "Two", ["2"], path=path)
    put("one", "One", ["3"], path=path)
    text = path.read_text("utf-8")
    assert "by hand" in text
    assert text.count("## One") == text.count("## Two") == 1
    assert text.index("3") < text.index("## Two")
    assert "\n1\n" not in text


def test_answers_of_two_commits_are_not_compared(tmp_path: Path) -> None:
    from benchmarks import learn_folds

    path = tmp_path / "esci150-labels-0.json"
    path.write_text(json.dumps({"commit": learn_folds.commit(), "nDCG@10": {}}), "utf-8")
    assert learn_folds.answer(tmp_path, "esci150", "labels", 0, {})["nDCG@10"] == {}
    path.write_text(json.dumps({"commit": "0000000", "nDCG@10": {}}), "utf-8")
    with pytest.raises(SystemExit, match="0000000"):
        learn_folds.answer(tmp_path, "esci150", "labels", 0, {})


def test_what_learns_from_no_judgment_is_answered_once_for_all_folds(tmp_path: Path) -> None:
    from benchmarks import learn_folds

    told = {
        "commit": learn_folds.commit(),
        "folds": {"cup": 0, "mug": 1},
        "nDCG@10": {"hybrid": {"cup": 0.5, "mug": 1.0}},
    }
    (tmp_path / "esci150-zero-all.json").write_text(json.dumps(told), "utf-8")
    found = [learn_folds.answer(tmp_path, "esci150", "zero", fold, {}) for fold in (0, 1)]
    assert learn_folds.pooled(found, "hybrid", [1]) == {"mug": 1.0}
    assert learn_folds.pooled(found, "hybrid", [0, 1]) == {"cup": 0.5, "mug": 1.0}
