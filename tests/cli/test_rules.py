"""`mercer rules`: added, listed, checked, previewed, removed on the command line; what a person wrote is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_the_life_of_a_rule(mercer: Callable[..., Any], own_shop: Path) -> None:
    assert "no rules" in mercer("rules", own_shop).out
    (own_shop / "rules.toml").write_text('# ours\ntimezone = "Asia/Shanghai"\n', "utf-8")
    page = mercer("search", own_shop, "chair", "-k", 8, "--json").json
    ids = [hit["id"] for hit in page["hits"]]
    pin = ("rules", own_shop, "add", "spring", "pin", "--product", ids[6], "--words", "chair", "--start", "2199-01-01")
    added = mercer(*pin, "--json").json
    assert [(rule["id"], rule["state"], rule["start"]) for rule in added["rules"]] == [
        ("spring", "planned", "2199-01-01")
    ]
    assert added["timezone"] == "Asia/Shanghai"
    assert (own_shop / "rules.toml").read_text("utf-8").startswith("# ours\n")
    seen = mercer("rules", own_shop, "preview", "--rule", "spring", "--json").json
    assert seen["pages"][0]["query"] == "chair"
    assert seen["pages"][0]["after"]["hits"][0]["id"] == ids[6]
    shown = mercer("rules", own_shop, "preview", "--query", "chair")
    assert "+6" in shown.out
    assert "queries of the log are touched" in shown.out
    mercer("rules", own_shop, "add", "spring", "pin", "--product", ids[6], "--words", "chair")
    assert mercer("search", own_shop, "chair", "-k", 8, "--json").json["hits"][0]["id"] == ids[6]
    assert "spring" in mercer("rules", own_shop).out
    assert mercer("rules", own_shop, "remove", "spring", "--json").json["rules"] == []


def test_check_ends_with_1_where_a_person_has_to_decide(mercer: Callable[..., Any], own_shop: Path) -> None:
    mercer("rules", own_shop, "add", "one", "hide", "--product", "nobody", "--filter", "price=0.5..0.6")
    ran = mercer("rules", own_shop, "check")
    assert ran.code == 1
    assert "unknown product" in ran.out
    assert "no product" in ran.out
    mercer("rules", own_shop, "remove", "one")
    assert "nothing contradicts" in mercer("rules", own_shop, "check").out


def test_what_cannot_be_is_refused(refused: Callable[..., str], own_shop: Path) -> None:
    assert "id and a kind" in refused("rules", own_shop, "add", "x")
    assert "'pim'" in refused("rules", own_shop, "add", "x", "pim")
    assert "there is no rule 'x'" in refused("rules", own_shop, "remove", "x")
    assert "no rules" in refused("rules", own_shop, "preview")
    (own_shop / "rules.toml").write_text("[[rule]]\nid = 'a'\ndo = 'pin'\n", "utf-8")
    for words in (["rules", own_shop], ["rules", own_shop, "check"], ["search", own_shop, "chair"]):
        assert "rule 'a': a pin without products" in refused(*words)
