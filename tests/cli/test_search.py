"""mercer search: what it answers and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_json_has_the_shape_of_the_interface(mercer: Any, tiny_shop: Path) -> None:
    ran = mercer("search", tiny_shop, "red 连衣裙", "--json", "--facet", "brand", "--facet", "price", "-k", 3)
    assert ran.code == 0
    page = ran.json
    assert set(page) >= {"query_id", "total", "hits", "facets", "corrected", "degraded", "stages", "suggestion"}
    assert len(page["hits"]) == 3
    for hit in page["hits"]:
        assert sum(line["part"] for line in hit["ledger"]) == pytest.approx(hit["score"])
        assert hit["id"] == hit["product"]["id"]
    assert sum(page["facets"]["brand"].values()) <= page["total"]
    later = mercer("search", tiny_shop, "red 连衣裙", "--json", "-k", 1, "--offset", 2).json
    assert later["total"] == page["total"]
    assert later["hits"][0]["id"] == page["hits"][2]["id"]


def test_filters_and_sort_hold(mercer: Any, tiny_shop: Path) -> None:
    given = ("--filter", "price=20..80", "--filter", "in_stock=true", "--sort", "price_up", "--json", "-k", 50)
    prices = [hit["product"]["price"] for hit in mercer("search", tiny_shop, "", *given).json["hits"]]
    assert prices == sorted(prices)
    assert prices
    assert all(20 <= price <= 80 for price in prices)


@pytest.mark.parametrize("system", ["lexical", "dense", "hybrid"])
def test_every_system_answers(mercer: Any, tiny_shop: Path, system: str) -> None:
    assert mercer("search", tiny_shop, "chair", "--system", system, "--json").json["total"] >= 0


@pytest.mark.parametrize(
    "query",
    [
        "😀👍🏽",
        "\x01\x02\x7f",
        "!?",
        "' OR 1=1 --",
        "[bold]x[/]",
        "ｆｕｌｌ",
        "\u202eevil",
        "ก่อน",
        "فستان",
        "\udcff\udcfe",
    ],
)
def test_odd_queries_are_answered(mercer: Any, tiny_shop: Path, query: str) -> None:
    ran = mercer("search", tiny_shop, "--json", "--", query)
    assert ran.code == 0
    assert ran.json["total"] >= 0
    assert mercer("search", tiny_shop, "--", query).code == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["x", "-k", "0"], "k is 0 | cure  give a whole number from 1 to 1000"),
        (["x", "-k", "-1"], "k is -1"),
        (["x", "-k", "1000000000"], "k is 1000000000"),
        (["x", "--offset", "-1"], "offset is -1"),
        (["x" * 1_048_576], "1,048,576 characters | cure  give at most 512"),
        (["x", "--filter", "colour=red"], "filter field 'colour' is unknown | cure  use one of id, brand"),
        (["x", "--filter", "brand"], "has no = "),
        (["x", "--filter", "price=cheap"], "'price=cheap' has no number"),
        (["x", "--filter", "price=nan.."], "bound NaN"),
        (["x", "--filter", "price="], "no range"),
        (["x", "--facet", "flavour"], "'flavour' is unknown"),
    ],
)
def test_what_cannot_be_served_is_refused(refused: Any, tiny_shop: Path, given: list[str], said: str) -> None:
    assert said in refused("search", tiny_shop, *given)


@pytest.mark.parametrize(
    "wanted",
    ["price=inf..", "price=..-inf", "price=1e400..", "brand=\udcff", "brand=" + "|".join(map(str, range(999)))],
)
def test_a_filter_that_nothing_meets_finds_nothing(mercer: Any, tiny_shop: Path, wanted: str) -> None:
    ran = mercer("search", tiny_shop, "chair", "--filter", wanted, "--json")
    assert ran.code == 0
    assert ran.json["hits"] == []


def test_a_wrong_shop_is_refused(refused: Any, tmp_path: Path) -> None:
    assert "is no shop" in refused("search", tmp_path / "none", "x")
    (tmp_path / "file").write_text("x", "utf-8")
    refused("search", tmp_path / "file", "x")
    assert "File name too long" in refused("search", "x" * 300, "x")


def test_a_word_that_is_no_option_is_wrong_use(mercer: Any, tiny_shop: Path) -> None:
    for given in (["x", "-k", "many"], ["x", "--sort", "best"], ["x", "--system", "magic"], ["x", "--wrong"], []):
        assert mercer("search", tiny_shop, *given).code == 2
