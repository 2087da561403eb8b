"""Facets, totals and pages against a count by hand over the whole answer, for whatever is asked."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mercer.records import Filter, Hit, Product, Request
from mercer.retrieve.histogram import histogram
from mercer.retrieve.index import IndexSettings, open_index
from mercer.search import Search

KINDS = ("red dress", "coffee mug", "desk lamp", "茶杯", "tea cup", "evening gown")
PRODUCTS = [
    Product(
        f"p{n:03}",
        KINDS[n % 6],  # equal titles: equal scores
        brand=("", "Nord", "青山", "Le V")[n // 6 % 4],
        category=("Shop", KINDS[n % 6], "Small")[: 1 + n % 3],
        price=None if n % 11 == 7 else float(5 + n % 40),
        rating=None if n % 7 == 3 else 3.0 + n % 5 / 2,
        stock=n // 6 % 3,
        attributes={"color": ("red", "蓝")[n // 12 % 2]} if n % 5 else {},
    )
    for n in range(90)
]
FIELDS = ("brand", "category", "price", "rating", "in_stock", "attributes.color")
FILTERS = (
    Filter("brand", ("Nord",)),
    Filter("brand", ("Nord", "青山")),
    Filter("category", ("Shop > red dress",)),
    Filter("category", ("茶杯", "tea cup")),
    Filter("price", low=10.0, high=25.0),
    Filter("rating", low=4.0),
    Filter("in_stock", ("true",)),
    Filter("attributes.color", ("蓝",)),
    Filter("brand", ("nobody",)),
)


def meaning(texts: Sequence[str], *, side: str = "query") -> np.ndarray:
    """Few directions, so that many products are equally near."""
    vectors = np.full((len(texts), 7), 0.1, dtype=np.float32)
    for row, text in enumerate(texts):
        vectors[row, [place for place, kind in enumerate(KINDS) if set(kind.split()) & set(text.split())] or [6]] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    index = open_index(tmp_path_factory.mktemp("facets"), dimension=7, settings=IndexSettings(engine="exact"))
    index.upsert(PRODUCTS, meaning([product.title for product in PRODUCTS]))
    yield Search(index, meaning, popularity={"p003": 0.5, "p011": 0.2})
    index.close()


QUERIES = ("red dress", "cup", "tea lamp", "茶杯", "mug without coffee", "", "zzz")
REQUEST = st.builds(
    Request,
    query=st.sampled_from(QUERIES),
    filters=st.lists(st.sampled_from(FILTERS), max_size=3, unique_by=lambda one: one.field).map(tuple),
    exclude=st.sampled_from([(), ("p001", "p002", "p060")]),
    facets=st.just(FIELDS),
    sort=st.sampled_from(["relevance", "price_up", "price_down", "rating"]),
    k=st.just(1000),
)
SYSTEM = st.sampled_from(["hybrid", "lexical", "dense"])
ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def by_hand(field: str, hits: Sequence[Hit]) -> dict[str, int]:
    if field in ("price", "rating"):
        return histogram(np.array([getattr(hit.product, field) for hit in hits], dtype=float))
    found: Counter[str] = Counter()
    for product in (hit.product for hit in hits):
        if field == "category":
            found.update({" > ".join(product.category[:depth]) for depth in range(1, len(product.category) + 1)})
        elif field == "in_stock":
            found[str(product.in_stock).lower()] += 1
        elif value := product.attributes.get("color", "") if field == "attributes.color" else product.brand:
            found[value] += 1
    return dict(found)


@ANY
@given(REQUEST, SYSTEM)
def test_facets_and_total_are_what_a_count_by_hand_gives(search: Search, asked: Request, system: Any) -> None:
    page = search(asked, system=system)
    assert page.total == len(page.hits)
    for field in FIELDS:
        kept = tuple(wanted for wanted in asked.filters if wanted.field != field)
        whole = search(dataclasses.replace(asked, filters=kept, facets=()), system=system)
        assert page.facets[field] == by_hand(field, whole.hits), field


@ANY
@given(REQUEST, SYSTEM, st.integers(1, 40), st.integers(0, 100))
def test_any_page_is_a_piece_of_the_whole(search: Search, asked: Request, system: Any, k: int, offset: int) -> None:
    whole = search(asked, system=system)
    page = search(dataclasses.replace(asked, k=k, offset=offset), system=system)
    assert [hit.id for hit in page.hits] == [hit.id for hit in whole.hits][offset : offset + k]
    assert (page.total, page.facets) == (whole.total, whole.facets)
    assert len({hit.id for hit in whole.hits}) == whole.total


@ANY
@given(REQUEST, SYSTEM, st.sampled_from(["brand", "attributes.color", "in_stock"]))
def test_what_is_counted_can_be_chosen(search: Search, asked: Request, system: Any, field: str) -> None:
    """Chosen alone, a value brings as many products as its count said, or more: weaker ones that it now leads."""
    page = search(asked, system=system)
    assume(asked.query in ("", *(query for query in QUERIES if page.hits and page.hits[0].score > 0.1)))
    for value, count in page.facets[field].items():
        kept = tuple(wanted for wanted in asked.filters if wanted.field != field)
        chosen = search(dataclasses.replace(asked, filters=(*kept, Filter(field, (value,)))), system=system)
        assert chosen.total >= count
        assert all(by_hand(field, [hit]) == {value: 1} for hit in chosen.hits)


@ANY
@given(REQUEST, SYSTEM)
def test_the_ledger_of_every_hit_sums_to_its_score(search: Search, asked: Request, system: Any) -> None:
    for hit in search(asked, system=system).hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-6)


def test_values_of_a_field_are_either_and_fields_are_both(search: Search) -> None:
    brands, price = Filter("brand", ("Nord", "青山")), Filter("price", low=6.0, high=40.0)
    page = search(Request(query="red dress", filters=(brands, price), facets=("brand", "price"), k=100))
    assert {hit.product.brand for hit in page.hits} == {"Nord", "青山"}
    assert all(6 <= (hit.product.price or 0) <= 40 for hit in page.hits)
    assert set(page.facets["brand"]) > {"Nord", "青山"}, "others can still be chosen"
    alone = search(Request(query="red dress", filters=(price,), facets=("brand",), k=100))
    assert page.facets["brand"] == alone.facets["brand"]


def test_a_price_read_from_the_query_leaves_the_other_prices_to_choose(search: Search) -> None:
    page = search(Request(query="red dress under $20", facets=("price", "brand"), k=100))
    assert page.hits
    assert all(hit.product.price is not None and hit.product.price <= 20 for hit in page.hits)
    assert sum(page.facets["price"].values()) > sum(page.facets["brand"].values())


def test_a_changed_catalogue_is_counted_as_it_is_now(search: Search) -> None:
    asked = Request(query="tea cup", facets=("brand",), filters=(Filter("brand", ("Nord",)),), k=100)
    before = search(asked)
    new = Product("new", "tea cup", brand="Nord", price=9.0)
    search.index.upsert([new], meaning([new.title]))
    during = search(asked)
    search.index.delete(["new"])
    assert during.facets["brand"]["Nord"] == before.facets["brand"]["Nord"] + 1 == during.total
    assert (search(asked).total, search(asked).facets) == (before.total, before.facets)
