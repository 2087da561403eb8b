"""mercer synonyms: listed, suggested, accepted and refused; what is accepted is searched at the next opening."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def shop(tiny_shop: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_shop, tmp_path / "shop")
    return tmp_path / "shop"


def test_accepted_listed_and_searched(mercer: Any, shop: Path) -> None:
    assert mercer("synonyms", shop, "--json").json == []
    assert mercer("synonyms", shop, "accept", "frockery", "dress", "--json").json["added"] == "frockery, dress"
    assert mercer("synonyms", shop, "accept", "tee", "=>", "shirt").code == 0
    assert mercer("synonyms", shop, "reject", "dress", "coat").code == 0
    assert mercer("synonyms", shop, "list", "--json").json == ["frockery, dress", "tee => shirt", "! dress, coat"]
    told = mercer("explain", shop, "frockery", "--json").json
    assert told["corrected"] == "", "a word that the owner wrote down is right"
    assert told["alternatives"][0]["instead"] == ["dress"]
    found = mercer("search", shop, "frockery", "--system", "lexical", "--json").json
    assert found["total"] == mercer("search", shop, "dress", "--system", "lexical", "--json").json["total"] > 0


def test_suggestions_leave_out_what_was_decided(mercer: Any, shop: Path) -> None:
    found = mercer("synonyms", shop, "suggest", "-k", "1000", "--json").json
    assert all(0 < one["score"] <= 1 and one["evidence"] for one in found)
    if found:
        mercer("synonyms", shop, "reject", found[0]["one"], found[0]["other"])
        left = mercer("synonyms", shop, "suggest", "-k", "1000", "--json").json
        assert len(left) < len(found)
    assert mercer("synonyms", shop, "suggest").code == 0


@pytest.mark.parametrize("words", [("one",), ("a", "=>"), ("=>", "b"), ("a, b", "c"), ("#a", "b"), ("!", "?"), ()])
def test_nonsense_is_refused(mercer: Any, shop: Path, words: tuple[str, ...]) -> None:
    assert mercer("synonyms", shop, "accept", *words).code == 2
    assert not (shop / "synonyms.txt").exists()
