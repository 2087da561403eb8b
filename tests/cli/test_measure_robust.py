"""mercer measure confidence and fair: what they say, what they keep, and the limit that promote holds to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mercer.shop import Shop


def test_confidence_is_measured_kept_and_said(mercer: Any, own_shop: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.tsv"
    foreign.write_text("query_id\ttext\nF1\tzzz qqq xxx\nF2\tvvv www\n", "utf-8")
    assert "confidence" not in mercer("search", own_shop, "dress", "--json").json
    said = mercer("measure", "confidence", own_shop, "--foreign", foreign, "--keep", "--json").json
    assert said["queries"] >= 10
    assert 0 <= said["reliability"]["ece"] <= 1
    assert said["foreign"] == 2
    assert "<svg" in Path(said["page"]).read_text("utf-8")
    answer = mercer("search", own_shop, "dress", "--json").json
    assert 0 <= answer["confidence"] <= 1
    cosine = next(line["value"] for line in answer["hits"][0]["ledger"] if line["signal"] == "meaning")
    assert answer["nothing_fits"] == (cosine < said["near"])
    kept = Shop(own_shop).reports / "confidence.json"
    told = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps({**told, "version": "another"}), "utf-8")
    assert "confidence" not in mercer("search", own_shop, "dress", "--json").json, "of another version nothing is known"
    kept.write_text("{}", "utf-8")
    assert mercer("search", own_shop, "dress", "--json").code == 2


def test_exposure_and_what_evening_it_out_costs(mercer: Any, own_shop: Path) -> None:
    said = mercer("measure", "fair", own_shop, "--by", "brand", "--penalty", "0.3", "--json").json
    assert sum(one["share"] for one in said["exposures"]) <= 1 + 1e-9
    assert sum(one["merit"] for one in said["exposures"]) == pytest.approx(1)
    assert said["evened"]
    assert said["cost"]["low"] <= said["cost"]["difference"] <= said["cost"]["high"]
    assert len(mercer("measure", "fair", own_shop, "--by", "price", "--json").json["exposures"]) <= 4
    assert mercer("measure", "fair", own_shop, "--by", "price", "--penalty", "0.3").code == 2
    assert mercer("measure", "fair", own_shop, "--by", "shape").code == 2


def test_a_limit_stands_in_the_way_of_promote(mercer: Any, own_shop: Path) -> None:
    version = Shop(own_shop).live("index").version
    with (own_shop / "mercer.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[fair]\nby = "brand"\nleast = 0.9\nmerit = 0.0\n')
    unmeasured = mercer("promote", own_shop, version)
    assert (unmeasured.code, "was not measured" in unmeasured.err) == (1, True)
    measured = mercer("measure", "fair", own_shop, "--json")
    path = Shop(own_shop).reports / f"fair-{version}.json"
    told = json.loads(path.read_text("utf-8"))
    assert measured.code == bool(told["below"])
    path.write_text(json.dumps({**told, "below": ["Nord"]}), "utf-8")
    refused = mercer("promote", own_shop, version)
    assert (refused.code, "shows Nord less than 0.9" in refused.err) == (1, True)
    path.write_text(json.dumps({**told, "below": []}), "utf-8")
    assert mercer("promote", own_shop, version).code == 0
    path.write_text(json.dumps({**told, "below": ["Nord"]}), "utf-8")
    assert mercer("promote", own_shop, version, "--override", "a small shop").code == 0
