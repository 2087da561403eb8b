"""What a page shows of products and facets."""

from __future__ import annotations

import pytest

pytest.importorskip("pydantic", reason="mercer[serve] is not installed")

from mercer.records import Product
from mercer.serve.storefront.card import choices, price_bins, reduction, shelves, stock_line
from mercer.serve.storefront.question import Question
from mercer.serve.storefront.words import Words

TREE = {"Home": 5, "Home > Cups": 3, "Home > Bowls": 2, "Garden": 1}


@pytest.mark.parametrize(
    ("price", "list_price", "percent"),
    [(80.0, 100.0, 20), (99.9, 100.0, 0), (100.0, 80.0, 0), (100.0, None, 0), (None, 100.0, 0), (0.0, 10.0, 0)],
)
def test_reduction(price: float | None, list_price: float | None, percent: int) -> None:
    assert reduction(Product("1", "Cup", price=price, list_price=list_price)) == percent


def test_categories_are_a_tree() -> None:
    top = shelves(Question(), TREE)
    assert [(choice.label, choice.count, choice.chosen) for choice in top] == [("Home", 5, False), ("Garden", 1, False)]
    inside = shelves(Question(category="Home"), {name: TREE[name] for name in list(TREE)[:3]})
    assert [(choice.label, choice.chosen) for choice in inside] == [("Home", True), ("Cups", False), ("Bowls", False)]
    assert inside[0].url == "/search"
    assert inside[1].url == "/search?category=Home+%3E+Cups"


def test_chosen_brands_come_first_and_more_can_be_chosen() -> None:
    found = choices(Question(q="cup", brand=("B", "gone")), {"A": 5, "B": 1, "C": 2, "": 3}, most=3)
    assert [(choice.label, choice.count, choice.chosen) for choice in found] == [
        ("B", 1, True), ("gone", 0, True), ("A", 5, False)
    ]  # fmt: skip
    assert [choice.url for choice in found] == [
        "/search?q=cup&brand=gone", "/search?q=cup&brand=B", "/search?q=cup&brand=B&brand=gone&brand=A"
    ]  # fmt: skip


def test_price_bins_in_order_without_overlap() -> None:
    found = price_bins(Question(), {"1e+06-": 1, "20-50": 2, "0-20": 3, "odd": 9}, Words("en"), "EUR")
    assert [choice.label for choice in found] == ["up to €20", "€20 – €50", "from €1,000,000"]
    assert found[0].url == "/search?low=0&high=19.99"
    chosen = price_bins(Question(low=20.0, high=49.99), {"20-50": 2}, Words("en"), "EUR")
    assert (chosen[0].chosen, chosen[0].url) == (True, "/search")


def test_stock() -> None:
    words = Words("en")
    assert stock_line(Product("1", "a", stock=0), words) == "Sold out"
    assert stock_line(Product("1", "a", stock=2), words) == "Only 2 left"
    assert stock_line(Product("1", "a"), words) == "In stock"
    assert stock_line(Product("1", "a", availability="preorder"), words) == "Pre-order"
