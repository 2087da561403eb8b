"""mercer explain: the steps and what became of a product, for people and for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_steps_are_told(mercer: Any, tiny_shop: Path) -> None:
    told = mercer("explain", tiny_shop, "red dress without belt under 50", "--json")
    assert told.code == 0
    assert told.json["text"] == "red dress"
    assert told.json["words"] == "red dress without belt"
    assert told.json["negated"] == ["belt"]
    assert {"price", "negation"} <= {step["name"] for step in told.json["steps"]}
    assert mercer("explain", tiny_shop, "连衣裙 不含 腰带").code == 0


def test_a_product_is_followed(mercer: Any, tiny_shop: Path) -> None:
    first = mercer("search", tiny_shop, "dress", "--json").json["hits"][0]
    why = mercer("explain", tiny_shop, "dress", "--product", first["id"], "--json").json["product"]
    assert (why["place"], why["position"]) == ("shown", 1)
    assert sum(line["part"] for line in why["ledger"]) == pytest.approx(first["score"], abs=1e-6)
    given = ("--product", first["id"], "--filter", "price=..0.001", "--json")
    lost = mercer("explain", tiny_shop, "dress", *given).json["product"]
    assert lost["place"] == "filtered"
    assert lost["filters"][0]["field"] == "price"
    assert "not in the index" in mercer("explain", tiny_shop, "dress", "--product", "nobody").out


def test_search_says_what_was_read(mercer: Any, tiny_shop: Path) -> None:
    known = mercer("search", tiny_shop, "red dress without belt", "--json").json["understood"]
    assert (known["text"], known["negated"], known["left_out"]) == ("red dress", ["belt"], [])
    assert mercer("search", tiny_shop, "", "--json").json["understood"] is None


def test_what_spelling_lacks_is_said(mercer: Any, tiny_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercer.understand.spelling_words.find_spec", lambda name: None)
    assert "without rapidfuzz, symspellpy fewer" in mercer("explain", tiny_shop, "dress").out
    notes = {note["subject"]: note for note in mercer("doctor", tiny_shop, "--json").json}
    assert "rapidfuzz" in notes["spelling"]["said"]


def test_words_are_attributed_and_drawn(mercer: Any, tiny_shop: Path) -> None:
    pytest.importorskip("torch")
    first = mercer("search", tiny_shop, "red dress", "--json").json["hits"][0]
    told = mercer("explain", tiny_shop, "red dress", "--product", first["id"], "--tokens", "--json").json
    assert [(one["by"], one["side"]) for one in (*told["encoder"],)] == [("cosine", "query"), ("cosine", "passage")]
    for one in told["encoder"]:
        total = sum(token["value"] for token in one["tokens"])
        assert total == pytest.approx(one["score"] - one["base"] + one["gap"], abs=1e-5)
    page = Path(told["page"]).read_text("utf-8")
    assert page.count("<span") > len(told["encoder"][0]["tokens"])
    assert "http" not in page
    refused = mercer("explain", tiny_shop, "red dress", "--tokens")
    assert (refused.code, "names no product" in refused.err) == (2, True)
    assert mercer("explain", tiny_shop, "dress", "--product", "nobody", "--tokens").code == 2
