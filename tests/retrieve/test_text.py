"""What the encoder and the words see of a product."""

from __future__ import annotations

import pytest

from mercer.errors import SettingsError
from mercer.records import Product
from mercer.retrieve.text import TextSettings, lexical_grams, lexical_words, passage

PRODUCT = Product("1", "Cup", "deep", "hot", brand="Nord", category=("Home", "Cups"), attributes={"color": "red"})


def test_each_field_counts_as_often_as_it_is_told() -> None:
    words = lexical_words(PRODUCT, TextSettings(title=2, brand=0, category=1, attributes=0, bullets=3, description=1))
    assert words == ["cup", "cup", "home", "cup", "hot", "hot", "hot", "deep"]
    assert lexical_words(Product("1", ""), TextSettings()) == []


def test_pieces_are_of_title_and_brand_only() -> None:
    assert lexical_grams(Product("1", "化妆包", "棉麻", brand="青山")) == ["化妆", "妆包", "青山"]


def test_the_passage_is_short_and_leaves_out_what_is_not_there() -> None:
    assert passage(PRODUCT) == "Cup. Nord. red. Home > Cups. hot. deep"
    assert passage(Product("1", "")) == ""
    long = passage(Product("1", "t", "d" * 10_000, "b" * 10_000, attributes={"a": "v" * 10_000}))
    assert len(long) < 1300


@pytest.mark.parametrize("weight", [-1, 21])
def test_weights_have_limits(weight: int) -> None:
    with pytest.raises(SettingsError, match=f"title is {weight}"):
        TextSettings(title=weight)
