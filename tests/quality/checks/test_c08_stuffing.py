"""C08 sees titles that are stuffed, and leaves titles that are only long."""

import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.c08_stuffing import Stuffing

KINDS = {
    "Home > Kitchen": (["mug", "saucer", "kettle", "teapot", "ladle"], "厨房杯子"),
    "Sport > Camping": (["tent", "backpack", "lantern", "hammock", "stove"], "户外帐篷"),
    "Beauty > Skin": (["lotion", "serum", "cleanser", "toner", "sunscreen"], "护肤乳液"),
}


@pytest.fixture
def products():
    rows = []
    for number in range(240):
        category = list(KINDS)[number % 3]
        words, chinese = KINDS[category]
        title = f"{words[number % 5]} {words[(number // 3) % 5]} {chinese} {number}"
        brand = ("Acme", "Vellmont", "Rookwood", "Thistle", "海尔")[number % 5]
        rows.append({"id": f"p{number}", "title": f"{brand} {title}", "brand": brand, "category": category})
    return rows


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("kettle kettle kettle kettle kettle kettle", "repeated_words"),
        ("水壶 水壶 水壶 水壶 水壶", "repeated_words"),
        ("tent lantern hammock stove lotion serum", "foreign_words"),
        ("Vellmont Rookwood Thistle", "other_brands"),
    ],
)
def test_stuffed_titles_are_seen(found_in, products, added, problem):
    products[0] |= {"title": f"Acme mug {added}", "brand": "Acme"}
    assert found_in({"products": products}, "C08") == [("products", 0, "title", problem)]


@pytest.mark.parametrize(
    "title",
    [
        "Acme mug and saucer with kettle, teapot and ladle, a gift for every kitchen, dishwasher safe",
        "Acme mug, also fit for camping beside the tent",
        "Acme lid, compatible with Vellmont, Rookwood and Thistle",
        "加厚加大加高 杯子 杯子套装",
    ],
)
def test_long_titles_are_left_alone(found_in, products, title):
    products[0] |= {"title": title, "brand": "Acme"}
    assert found_in({"products": products}, "C08") == []


def test_words_that_the_description_says_are_the_products_own(found_in, products):
    words = "tent lantern hammock stove lotion serum"
    products[0] |= {"title": f"Acme mug {words}", "description": f"Goes with {words}."}
    assert found_in({"products": products}, "C08") == []


@pytest.mark.parametrize("wrong", [{"repeats": 1}, {"foreign_share": 0.0}, {"brands": 0}, {"expected": -1.0}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(SettingsError):
        Stuffing(**wrong)


def themed(count=300):
    """Short titles without a category, of ten themes whose words go together."""
    themes = [[f"{word}{chr(97 + theme)}" for word in ("red", "heart", "box", "lamp", "card")] for theme in range(10)]
    return [
        {"id": f"p{n}", "title": " ".join(themes[n % 10][at] for at in range(5) if at != n // 10 % 5), "category": None}
        for n in range(count)
    ]


def test_words_that_never_go_together(found_in):
    rows = themed()
    rows[0]["title"] += " heartb lampc cardd boxe redf hearth lampi cardj"
    rows[1]["title"] = "redb heartb boxb lampb cardb redb"
    assert found_in({"products": rows}, "C08") == [("products", 0, "title", "unrelated_words")]


def test_where_titles_are_lists_unrelated_words_say_nothing(found_in):
    rows = themed()
    for number, row in enumerate(rows):
        row["title"] = " ".join(rows[(number * step) % 300]["title"] for step in (1, 7, 11))
    rows[0]["title"] += " heartb lampc cardd boxe redf hearth lampi cardj"
    assert "unrelated_words" not in {problem for *_, problem in found_in({"products": rows}, "C08")}
