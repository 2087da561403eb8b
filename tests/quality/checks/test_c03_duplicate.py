"""C03 names copies of a listing and takes nothing out."""

import sys

import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.c03_duplicate import Duplicate
from mercer.quality.run import check


def test_copies_after_normalisation(raw_of, found_in, clean_rows):
    products = clean_rows["products"]
    products[0]["price"] = None
    products.append({**products[0], "id": "copy", "title": "  ｍｕｇ ＆  SAUCER 0", "price": 5.0})
    assert found_in({"products": products}, "C03") == [("products", 0, "title", "same_listing")]
    checked = check({"products": raw_of("products", products)}, now=0)
    assert checked.trusted["products"].num_rows == 91
    suggestions = [row["suggestion"] for row in checked.findings.to_pylist() if row["check_id"] == "C03"]
    assert suggestions == ["canonical: copy"]


def test_variants_that_differ_are_two_products(found_in, clean_rows):
    products = clean_rows["products"]
    products.append({**products[0], "id": "blue", "attributes": '{"color": "blue"}'})
    assert found_in({"products": products}, "C03") == []


@pytest.mark.parametrize(
    ("title", "changes"),
    [
        ("【正品】Mug & saucer 0", {}),
        ("GENUINE! Mug & suacer 0", {}),
        ("saucer & Mug 0", {}),
        ("Mug & saucre 0", {"description": None}),
    ],
)
def test_near_copies(found_in, clean_rows, title, changes):
    pytest.importorskip("rensa")
    products = clean_rows["products"]
    products.append({**products[0], "id": "copy", "title": title, **changes})
    assert found_in({"products": products}, "C03") == [("products", 90, "title", "near_listing")]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Mug & saucer 1"},
        {"title": "Mug & saucer red 0"},
        {"title": "GENUINE Mug & saucer 0", "brand": "Other"},
        {"title": "GENUINE Mug & saucer 0", "price": 90.0},
        {"title": "GENUINE Mug & saucer 0", "attributes": '{"color": "blue"}'},
        {"title": "GENUINE Mug & saucer 0", "description": "something else altogether, of steel"},
    ],
)
def test_variants_and_others_are_no_copies(found_in, clean_rows, changes):
    products = clean_rows["products"][:1]
    products.append({**products[0], "id": "other", **changes})
    assert found_in({"products": products}, "C03") == []


@pytest.mark.parametrize("wrong", [{"titles": 2.0}, {"bodies": -1.0}, {"price_ratio": 0.5}, {"shortest": 0}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(SettingsError):
        Duplicate(**wrong)


def test_nothing_is_missing_without_the_package(found_in, clean_rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "rensa", None)
    products = clean_rows["products"]
    products.append({**products[0], "id": "copy"})
    assert found_in({"products": products}, "C03") == [("products", 90, "title", "same_listing")]
