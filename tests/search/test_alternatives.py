"""Synonyms in the arm of words: found by either word, one concept counted once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from mercer.records import Product, Request
from mercer.retrieve.index import IndexSettings, open_index
from mercer.search import Search
from mercer.search.alternatives import rewritten, worded
from mercer.understand.query import Alternative, Understood
from mercer.understand.synonym import Rule, Synonyms
from mercer.understand.understand import Understand

TITLES = {
    "1": "red sofa",
    "2": "red couch",
    "3": "red sofa couch",
    "4": "red lamp",
    "5": "blue sofa",
    "6": "blue chair",
}


@pytest.fixture(scope="module", params=["exact", "zvec"])
def search(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    settings = IndexSettings(engine=request.param)
    index = open_index(tmp_path_factory.mktemp(request.param), dimension=2, settings=settings)
    rows = np.eye(2, dtype=np.float32)[[0] * len(TITLES)]
    index.upsert([Product(id, title) for id, title in TITLES.items()], rows)
    yield Search(index, None, understand=Understand(synonyms=Synonyms([Rule(("sofa", "couch"))])))
    index.close()


def test_either_word_finds_and_both_gain_nothing(search: Search) -> None:
    known = search.understand("red sofa")
    scores, attainable = worded(search.index, known, 100, ())
    own = {one.id: one.score for one in search.index.lexical("red sofa", 100)}
    other = {one.id: one.score for one in search.index.lexical("red couch", 100)}
    assert attainable == search.index.attainable("red sofa")
    rate = 0.9 * attainable / search.index.attainable("red couch")
    assert scores == pytest.approx({id: max(own.get(id, 0.0), rate * other.get(id, 0.0)) for id in {*own, *other}})
    hits = search(Request(query="red sofa")).hits
    assert {hit.id for hit in hits[:3]} == {"1", "2", "3"}
    assert hits[0].id == "1"
    assert sum(line.part for line in hits[1].ledger) == pytest.approx(hits[1].score, abs=1e-6)


def test_the_answer_says_so(search: Search) -> None:
    said = search(Request(query="couch")).understood
    assert said["alternatives"] == [{"words": "couch", "instead": ["sofa"], "weight": 0.9}]
    assert said["steps"][0]["name"] == "synonym"


def test_a_word_that_the_shop_has_not_is_found_by_its_synonym(search: Search) -> None:
    page = search(Request(query="settee"))
    assert page.total == 0
    same = [("settee", "sofa")]
    known = search.understand("settee", same=same)
    assert set(worded(search.index, known, 100, ())[0]) == {"1", "3", "5"}


def test_rewritings_are_few_and_keep_the_rest_of_the_text() -> None:
    words = "a sofa with lamp"
    places = (Alternative("sofa", 2, 6, tuple("bcdefg"), 0.9), Alternative("lamp", 12, 16, ("light", "torch"), 0.8))
    found = rewritten(Understood(words, words, words, alternatives=places))
    assert len(found) == 6
    assert found[0] == ("a sofa with light", 0.8)
    assert all(text.startswith("a ") and " with " in text for text, _ in found)
    assert len({text for text, _ in found} | {words}) == len(list(itertools.islice(found, 6))) + 1
