"""The search door asks the corrected query, says so, and can be told not to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from mercer.records import Product, Request
from mercer.retrieve.index import IndexSettings, open_index
from mercer.search import Search
from mercer.understand.spelling import Spelling, SpellingSettings
from mercer.understand.understand import Understand

PRODUCTS = [
    Product(f"{place}-{copy}", f"{title} {copy}")
    for place, title in enumerate(("ceramic coffee mug", "running shoe", "雪纺连衣裙女", "苹果手机壳"))
    for copy in range(5)
]


def flat(texts: Sequence[str], *, side: str = "query") -> np.ndarray:
    """Every text means the same: words alone decide."""
    return np.ones((len(texts), 4), dtype=np.float32) / 2


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    index = open_index(tmp_path_factory.mktemp("spelled"), dimension=4, settings=IndexSettings(engine="exact"))
    index.upsert(PRODUCTS, flat([product.title for product in PRODUCTS]))
    yield Search(index, flat, understand=Understand(spelling=Spelling.build(PRODUCTS, {})))
    index.close()


@pytest.mark.parametrize(
    ("typed", "meant"), [("ceramci cofee mug", "ceramic coffee mug"), ("连衣群", "连衣裙"), ("shoujike", "手机壳")]
)
def test_the_corrected_query_is_asked_and_the_page_says_so(search: Search, typed: str, meant: str) -> None:
    page = search(Request(query=typed), system="lexical")
    assert page.corrected == meant
    assert [hit.id for hit in page.hits] == [hit.id for hit in search(Request(query=meant), system="lexical").hits]


def test_a_request_can_switch_it_off(search: Search) -> None:
    page = search(Request(query="连衣群", correct=False))
    assert (page.corrected, page.suggestion) == ("", "")


def test_exact_words_are_not_corrected_away(search: Search) -> None:
    page = search(Request(query="running shoe"))
    assert (page.corrected, page.suggestion) == ("", "")
    assert page.hits[0].product.title.startswith("running shoe")


def test_an_unsure_correction_is_only_offered(search: Search) -> None:
    unsure = Spelling(search.understand.spelling.counts, settings=SpellingSettings(silent=1.0))
    page = Search(search.index, flat, understand=Understand(spelling=unsure))(Request(query="ceramci mug"))
    assert (page.corrected, page.suggestion) == ("", "ceramic mug")


def test_the_steps_tell_the_change_and_how_sure_it_is(search: Search) -> None:
    known = search.understand("ceramci mug")
    step = next(step for step in known.steps if step.name == "spelling")
    assert (step.before, step.after, known.corrected, known.text) == (
        "ceramci",
        "ceramic",
        "ceramic mug",
        "ceramic mug",
    )
    assert 0.9 < step.confidence <= 1
