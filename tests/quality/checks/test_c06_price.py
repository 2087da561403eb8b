"""C06 finds impossible prices, prices at odds with list prices, and robust outliers."""

import math

import pytest


@pytest.mark.parametrize(
    ("price", "problem"),
    [
        (0.0, "not_positive"),
        (-3.0, "not_positive"),
        (math.nan, "not_finite"),
        (math.inf, "not_finite"),
        (-math.inf, "not_finite"),
        (31.0, "above_list"),
        (2100.0, "wrong_scale"),
        (0.2, "wrong_scale"),
    ],
)
def test_injected_prices(found_in, clean_rows, price, problem):
    clean_rows["products"][7]["price"] = price
    found = found_in({"products": clean_rows["products"]}, "C06")
    assert ("products", 7, "price", problem) in found
    assert {row for _, row, _, _ in found} == {7}


@pytest.mark.parametrize("factor", [0.01, 0.1, 10, 100])
def test_a_wrong_unit_is_an_outlier_of_its_category(found_in, clean_rows, factor):
    for row in clean_rows["products"]:
        row["list_price"] = None
    clean_rows["products"][7]["price"] *= factor
    found = found_in({"products": clean_rows["products"]}, "C06")
    assert found == [("products", 7, "price", "outlier")]


def test_few_products_say_nothing_of_each_other(found_in):
    rows = [
        {"id": str(n), "title": "cup", "category": "a", "price": price} for n, price in enumerate([1.0, 2.0, 900.0])
    ]
    assert found_in({"products": rows}, "C06") == []


def test_what_is_free_by_its_title_is_only_said(found_in, clean_rows):
    clean_rows["products"][7] |= {"price": 0.0, "title": "Free trial of a mug"}
    clean_rows["products"][8] |= {"price": -1.0, "title": "免费试用装"}
    assert found_in({"products": clean_rows["products"]}, "C06") == [
        ("products", 7, "price", "free"),
        ("products", 8, "price", "not_positive"),
    ]


def goods(count=60, *, category="Home > Kitchen > Cups > Mugs", price=9.99):
    prices = [round(price * (1 + number % 7 / 10), 2) for number in range(count)]
    return [{"id": f"p{n}", "title": f"cup {n}", "category": category, "price": at} for n, at in enumerate(prices)]


def sales(price, *, product="p7", count=4):
    about = {"type": "purchase", "product": product, "shopper": "s", "time": 1_750_000_000_000}
    return [{**about, "price": price, "session": f"v{number}"} for number in range(count)]


@pytest.mark.parametrize(
    ("paid", "count", "problems"),
    [(1.0, 4, ["off_history"]), (1000.0, 4, ["off_history"]), (1.0, 2, []), (4.0, 4, []), (100.0, 4, [])],
)
def test_what_was_paid_for_it(found_in, paid, count, problems):
    found = found_in({"products": goods(price=10.0), "events": sales(paid, count=count)}, "C06")
    assert found == [("products", 7, "price", problem) for problem in problems]


def test_a_price_finer_than_a_cent(found_in):
    rows = goods()
    rows[3] |= {"price": 0.0999, "category": None}
    assert found_in({"products": rows}, "C06") == [("products", 3, "price", "below_cent")]
    by_weight = [{**row, "price": row["price"] + 0.003} for row in rows]
    assert [problem for *_, problem in found_in({"products": by_weight}, "C06")] == []


def test_a_small_category_is_judged_in_the_one_above(found_in):
    rows = [*goods(), {"id": "q", "title": "tea bowl", "category": "Home > Kitchen > Cups > Bowls", "price": 1290.0}]
    assert found_in({"products": rows}, "C06") == [("products", 60, "price", "outlier")]
    rows[60]["category"] = "Garden > Pots"
    assert found_in({"products": rows}, "C06") == []
