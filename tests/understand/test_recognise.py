"""What a shop's own catalogue names is found in queries, with how often and how surely."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.errors import FormatError
from mercer.records import Product
from mercer.understand.recognise import Vocabulary

PRODUCTS = [
    *(Product(f"a{n}", "Running shoe", brand="Salt River", category=("Sport", "Running Shoes")) for n in range(4)),
    *(
        Product(f"b{n}", "salt mill", brand="Salt", category=("Home", "Mills"), price=9, currency="USD")
        for n in range(2)
    ),
    *(Product(f"c{n}", "sea salt 500 g") for n in range(6)),
    *(Product(f"d{n}", "青山 保温杯", brand="青山", category=("家居", "保温杯")) for n in range(3)),
    *(Product(f"e{n}", "Tee", attributes={"color": "Red", "size": "4"}) for n in range(3)),
    Product("f", "Lamp", brand="Lonely"),
]


@pytest.fixture(scope="module")
def shop() -> Vocabulary:
    return Vocabulary.build(PRODUCTS)


def test_the_longest_name_is_meant(shop: Vocabulary) -> None:
    found = shop("salt river running shoe")
    assert [(one.words, one.filter.field, one.filter.values) for one in found] == [
        ("salt river", "brand", ("Salt River",)),
        ("running shoe", "category", ("Running Shoes",)),
    ]
    assert found[0].products == 4
    assert found[0].confidence == 4 / 5


def test_a_brand_that_is_a_common_word_is_doubted(shop: Vocabulary) -> None:
    (salt,) = shop("salt")
    assert salt.confidence == 2 / 9, "2 of the brand, 8 with the word"


def test_chinese_is_found_without_spaces(shop: Vocabulary) -> None:
    assert [one.words for one in shop("青山保温杯大容量")] == ["青山", "保温杯"]
    assert [one.words for one in shop("青山 保溫杯")] == ["青山"], "the text is normalised before"


def test_what_one_product_has_and_bare_numbers_name_nothing(shop: Vocabulary) -> None:
    assert shop("lonely 4") == []
    assert [one.filter.field for one in shop("red tee")] == ["attributes.color"]


def test_what_the_shop_says_of_prices(shop: Vocabulary) -> None:
    assert (shop.currency, round(shop.priced, 2)) == ("USD", 0.11)


def test_it_is_kept_and_read_back(shop: Vocabulary, tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    shop.save(path)
    again = Vocabulary.load(path)
    assert (again.entries, again.currency, again.priced) == (shop.entries, shop.currency, shop.priced)
    assert Vocabulary.load(tmp_path / "none.json")("salt") == []
    path.write_text('{"format": 1, "entries": [[1]]}')
    with pytest.raises(FormatError, match="damaged"):
        Vocabulary.load(path)
