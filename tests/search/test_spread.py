"""Spread answers have the same products on the same pages in any page size, with rules on top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from mercer.rank.diverse import DiverseSettings
from mercer.rank.hybrid import HybridSettings
from mercer.rank.rule import RuleSettings
from mercer.rank.rule_read import read_rules
from mercer.rank.rules import Rules
from mercer.records import Page, Product, Request
from mercer.retrieve.index import IndexSettings, open_index
from mercer.retrieve.text import passage
from mercer.search import Search
from mercer.search.ruled import READING

PRODUCTS = [
    Product(
        f"p{n:02}", f"{'tea cup' if n % 2 else 'cup'} {n}", brand=f"brand{n // 8}", category=("Shop", f"kind{n // 4}")
    )
    for n in range(32)
]
POPULAR = {f"p{n:02}": 1.0 - n / 40 for n in range(20)}
"""The last twelve have no event."""


def meaning(texts: Sequence[str], *, side: str = "query") -> np.ndarray:
    vectors = np.array([np.random.default_rng(sum(text.encode())).standard_normal(8) for text in texts], np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    index = open_index(tmp_path_factory.mktemp("spread"), dimension=8, settings=IndexSettings(engine="exact"))
    index.upsert(PRODUCTS, meaning([passage(product) for product in PRODUCTS]))
    yield Search(index, meaning, popularity=POPULAR)
    index.close()


def spread(plain: Search, **given: Any) -> Search:
    return plain.otherwise(ranking=HybridSettings(diversity=DiverseSettings(**given)))


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


RULES = (
    {"id": "p", "do": "pin", "products": ["p30"], "position": 3},
    {"id": "b", "do": "boost", "filters": [{"field": "brand", "values": ["brand2"]}], "points": 5},
)


@pytest.mark.parametrize(
    "given",
    [
        {"how": "mmr", "weight": 0.5},
        {"how": "mmr", "weight": 0.5, "by": ("meaning",)},
        {"how": "xquad", "weight": 0.9},
        {"tail": 0.5},
    ],
)
@pytest.mark.parametrize("query", ["tea cup", ""])
@pytest.mark.parametrize("rows", [(), RULES])
def test_pages_are_exact_and_the_set_is_the_same(plain: Search, given: Any, query: str, rows: Any) -> None:
    door = spread(plain, depth=10, **given)
    rules = Rules.ready(read_rules(rows, zone=None, settings=RuleSettings()), READING, at=0)
    whole = door(Request(query=query, k=40, facets=("brand",)), rules=rules)
    before = plain(Request(query=query, k=40, facets=("brand",)), rules=rules)
    assert sorted(ids(whole)) == sorted(ids(before))
    assert (whole.total, whole.facets) == (before.total, before.facets)
    paged = [id for at in range(0, 40, 7) for id in ids(door(Request(query=query, k=7, offset=at), rules=rules))]
    assert paged == ids(whole)
    for hit in whole.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-6)
    if not rows:
        assert ids(whole)[10:] == ids(before)[10:], "what lies below depth stays"
        assert ids(whole) != ids(before) or "tail" in given


def test_the_first_page_has_more_kinds(plain: Search) -> None:
    def kinds(door: Search) -> int:
        return len({hit.product.category for hit in door(Request(query="tea cup", k=5)).hits})

    assert kinds(spread(plain, how="mmr", weight=0.8, depth=32)) > kinds(plain)


def test_floors_give_places_to_products_without_events(plain: Search) -> None:
    new = [int(id[1:]) >= 20 for id in ids(spread(plain, fresh=0.5, depth=32)(Request(query="cup", k=40)))]
    assert all(sum(new[:place]) >= min(place // 2, sum(new)) for place in range(1, len(new) + 1))
    assert ids(spread(plain, tail=0.5)(Request(query="", k=4)))[1] == "p04", "a fifth of twenty is the head"
