"""Features of an answer: what serving tells a ranker, nothing made up where nothing is known, quick enough to serve."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.rank.feature import FEATURES, NAMES
from mercer.records import Product, Request, Shopper

NOW = 1_750_000_000_000


@pytest.fixture(scope="module")
def opened(tiny_shop: Path) -> Iterator[tuple[Any, Any]]:
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors
    from mercer.doors.ranked import studied
    from mercer.retrieve.behaviour import Behaviour

    with contextlib.closing(open_doors(tiny_shop, read_settings(tiny_shop), writable=False)) as doors:
        card = doors.shop.card("index", doors.version)
        behaviour = Behaviour.load(doors.shop.path("index", doors.version) / "behaviour")
        yield doors, studied(doors.shop, card, doors.index, behaviour)


def told(opened: tuple[Any, Any], request: Request) -> tuple[list[str], dict[str, np.ndarray]]:
    doors, features = opened
    known, answer = doors.searching.candidates(request)
    matrix = features(known, request, answer, moment=NOW)
    assert matrix.shape == (len(answer.ids), len(FEATURES))
    return answer.ids, {name: matrix[:, at] for at, name in enumerate(NAMES)}


def first(opened: tuple[Any, Any]) -> Product:
    doors = opened[0]
    return next(p for p in doors.index.products(doors.index.ids()) if p.brand and p.price and len(p.category) > 1)


def test_a_title_finds_itself_with_all_its_words(opened: tuple[Any, Any]) -> None:
    product = first(opened)
    ids, columns = told(opened, Request(query=product.title))
    at = ids.index(product.id)
    assert columns["title_words"][at] == columns["title_words"].max() > 0.6, "understanding takes prices out of a text"
    assert columns["title_pieces"][at] == columns["title_pieces"].max()
    assert columns["in_stock"][at] == float(product.in_stock)
    assert columns["price"][at] == pytest.approx(np.log(product.price or 0))
    assert (columns["hybrid_gap"] <= 1e-12).all()
    assert columns["hybrid_place"][0] == 1.0
    assert ((columns["category_share"] >= 0) & (columns["category_share"] <= 1))[
        ~np.isnan(columns["category_share"])
    ].all()
    assert (columns["title_words"] < 1).any(), "not every product has the words"


def test_nobody_asks_and_nothing_of_a_shopper_is_known(opened: tuple[Any, Any]) -> None:
    _, columns = told(opened, Request(query=first(opened).title))
    for feature in FEATURES:
        if feature.signal == "shopper" or feature.name in ("price_shopper", "device"):
            assert np.isnan(columns[feature.name]).all(), feature.name


def test_a_shopper_is_known_by_what_they_did_before_and_not_after(opened: tuple[Any, Any]) -> None:
    product = first(opened)
    request = Request(query=product.title, context={"device": "phone"})
    past = Shopper("", (product.id,), (NOW - 60_000,))
    ids, columns = told(opened, dataclasses.replace(request, shopper=past))
    at = ids.index(product.id)
    assert columns["seen"][at] == columns["shopper_brand"][at] == columns["shopper_category"][at] == 1.0
    assert columns["shopper_taste"][at] == pytest.approx(1.0, abs=1e-4)
    assert columns["session_category"][at] == 1.0
    assert columns["price_shopper"][at] == pytest.approx(0.0)
    assert columns["device"][0] == 0.0
    old = dataclasses.replace(request, shopper=Shopper("", (product.id,), (NOW - 7_200_000,)))
    assert np.isnan(told(opened, old)[1]["session_category"]).all(), "two hours ago is no session"
    later = dataclasses.replace(request, shopper=Shopper("", (product.id,), (NOW + 1,)))
    assert np.isnan(told(opened, later)[1]["seen"]).all()
    unknown = dataclasses.replace(request, shopper=Shopper("x", ("no such product",), (NOW - 1,)))
    assert np.isnan(told(opened, unknown)[1]["shopper_brand"]).all()


def test_a_product_that_nobody_told_of_is_unknown_not_wrong(opened: tuple[Any, Any]) -> None:
    doors, features = opened
    product = first(opened)
    known, answer = doors.searching.candidates(Request(query=product.title))
    features.facts.forget([product.id])
    matrix = features(known, Request(query=product.title), answer, moment=NOW)
    at = answer.ids.index(product.id)
    assert np.isnan(matrix[at, NAMES.index("title_words")])
    assert np.isfinite(matrix[at, NAMES.index("hybrid")])
    features.facts.add([product])
    again = features(known, Request(query=product.title), answer, moment=NOW)
    assert again[at, NAMES.index("title_words")] > 0.6
