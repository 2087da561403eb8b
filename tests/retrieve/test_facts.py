"""Facts: words by field, kinds and numbers of each product, the same after a save, and with products told later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mercer.errors import ShopError
from mercer.records import Product
from mercer.retrieve.facts import FIELDS, PIECE, Facts, han

PRODUCTS = [
    Product("1", "Red running shoes", brand="Nord", category=("Sport", "Shoes"), price=50.0, bullets="light"),
    Product("2", "红色连衣裙", brand="青山", category=("服饰", "裙"), price=99.0),
    Product("3", "Shoe box", description="for red shoes", category=("Home",), price=5.0),
]


@pytest.fixture(params=["built", "loaded", "told later"])
def facts(request: pytest.FixtureRequest, tmp_path: Path) -> Facts:
    if request.param == "told later":
        found = Facts.of(PRODUCTS[:1], {"1": 2})
        found.add(PRODUCTS[1:])
        return found
    found = Facts.of(PRODUCTS, {"1": 2})
    if request.param == "loaded":
        found.save(tmp_path / "facts.npz")
        return Facts.load(tmp_path / "facts.npz")
    return found


def test_masks_say_which_field_has_a_word(facts: Facts) -> None:
    places = facts.places(["1", "2", "3", "nobody"])
    masks = facts.masks(["red", "shoe", "light", "nord", "sport", PIECE + "连衣", "absent"], places)
    title, bullets, description = FIELDS["title"], FIELDS["bullets"], FIELDS["description"]
    assert masks[0].tolist() == [title, 0, description, 0]
    assert masks[1].tolist() == [title | FIELDS["category"], 0, title | description, 0]
    assert masks[2].tolist() == [bullets, 0, 0, 0]
    assert masks[3].tolist() == [FIELDS["brand"], 0, 0, 0]
    assert masks[4].tolist() == [FIELDS["category"], 0, 0, 0]
    assert masks[5].tolist() == [0, 1, 0, 0]
    assert not masks[6].any()
    assert (facts.holding("red"), facts.holding("absent")) == (2, 0)


def test_numbers_are_nan_where_nobody_knows(facts: Facts) -> None:
    places = facts.places(["2", "nobody", "1"])
    assert facts.column("price", places)[[0, 2]].tolist() == [99.0, 50.0]
    assert np.isnan(facts.column("price", places)[1])
    assert np.isnan(facts.column("rating", places)).all()
    assert facts.column("han", places)[[0, 2]].tolist() == [1.0, 0.0]
    assert facts.column("findings", places)[2] == 2
    assert np.isnan(facts.column("brand", facts.places(["3"]))).all(), "no brand is no code"


def test_a_product_told_again_has_its_new_words_only(facts: Facts) -> None:
    facts.add([Product("1", "Blue socks")])
    masks = facts.masks(["red", "sock"], facts.places(["1"]))
    assert masks[:, 0].tolist() == [0, FIELDS["title"]]
    facts.forget(["1"])
    assert facts.places(["1"]).tolist() == [-1]


def test_medians_need_three_prices() -> None:
    cups = [Product(str(n), "Cup", category=("Home", "Cups"), price=price) for n, price in enumerate((1.0, 2.0, 9.0))]
    facts = Facts.of([*cups, Product("x", "Pot", category=("Home", "Pots"), price=7.0)])
    narrow, broad = facts.medians()
    places = facts.places(["0", "x"])
    at = facts.column("category", places).astype(int)
    assert narrow[at[0]] == 2.0
    assert np.isnan(narrow[at[1]])
    assert broad[int(facts.column("department", places)[1])] == 4.5


def test_an_empty_catalogue_and_a_damaged_file(tmp_path: Path) -> None:
    empty = Facts.of([])
    assert empty.masks(["red"], empty.places(["1"])).tolist() == [[0]]
    (tmp_path / "facts.npz").write_bytes(b"half")
    with pytest.raises(ShopError):
        Facts.load(tmp_path / "facts.npz")
    assert han("红 cup")
    assert not han("cup")
