"""BM25 against its formula, and statistics that come back to nothing."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import ShopError
from mercer.retrieve.bm25 import K1, B, Postings, Statistics

TOKENS = st.lists(st.sampled_from("abcdef"), max_size=12)
SHELF = st.dictionaries(st.sampled_from([f"p{n}" for n in range(8)]), TOKENS, max_size=8)


def filled(shelf: dict[str, list[str]]) -> Postings:
    postings = Postings(Statistics())
    for id, tokens in shelf.items():
        postings.statistics.add(tokens)
        postings.add(id, tokens)
    return postings


def written_out(query: list[str], tokens: list[str], shelf: dict[str, list[str]]) -> float:
    mean = sum(map(len, shelf.values())) / len(shelf)
    total = 0.0
    for token in query:
        times, holding = tokens.count(token), sum(token in other for other in shelf.values())
        idf = math.log(1 + (len(shelf) - holding + 0.5) / (holding + 0.5))
        if times:
            total += idf * times * (K1 + 1) / (times + K1 * (1 - B + B * len(tokens) / mean))
    return total


@given(SHELF, st.lists(st.sampled_from("abcdefz"), max_size=5))
def test_scores_are_the_formula(shelf: dict[str, list[str]], query: list[str]) -> None:
    found = filled(shelf)(query)
    assert found.keys() == {id for id, tokens in shelf.items() if set(tokens) & set(query)}
    for id, score in found.items():
        assert score == pytest.approx(written_out(query, shelf[id], shelf))


@given(SHELF, TOKENS)
def test_nothing_exceeds_what_is_attainable(shelf: dict[str, list[str]], query: list[str]) -> None:
    postings = filled(shelf)
    limit = postings.statistics.attainable(query)
    assert all(0 < score <= limit for score in postings(query).values())


@given(SHELF)
def test_taking_all_out_leaves_nothing(shelf: dict[str, list[str]]) -> None:
    postings = filled(shelf)
    for id, tokens in shelf.items():
        postings.statistics.add(tokens, -1)
        postings.remove(id)
    assert (postings.statistics.products, postings.statistics.length, len(postings)) == (0, 0, 0)
    assert +postings.statistics.frequency == Counter()
    assert postings(list("abcdef")) == {}


def test_statistics_come_back_from_disk(tmp_path: Path) -> None:
    postings = filled({"p": ["红", "a", "a"], "q": ["a"]})
    postings.statistics.save(tmp_path / "words.json")
    again = Statistics.load(tmp_path / "words.json")
    assert (again.frequency, again.products, again.length) == (Counter({"红": 1, "a": 2}), 2, 4)
    assert Statistics.load(tmp_path / "none.json").products == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "{}", '{"products": 1}', '{"frequency": 3, "products": 1, "length": 1}']
)
def test_damaged_statistics_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "words.json").write_text(text, "utf-8")
    with pytest.raises(ShopError, match=r"words.json is damaged"):
        Statistics.load(tmp_path / "words.json")
