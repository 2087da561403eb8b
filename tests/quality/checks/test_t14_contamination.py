"""T14 finds judged queries and their answers in texts, and leaves what shoppers say of products."""

import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.t14_contamination import Contamination

QUERIES = [
    "red wool blanket for a small dog that sheds",
    "enamel camping mug blue",
    "folding desk lamp warm light",
    "trail running shoes wide",
    "可折叠的户外露营保温水杯大容量带吸管",
]


@pytest.fixture
def shop(clean_rows):
    queries = [{"query_id": f"j{number}", "text": text} for number, text in enumerate(QUERIES)]
    judgments = [{"query_id": f"j{number}", "product": f"p{number + 40}", "grade": 2.0} for number in range(5)]
    return {
        "products": clean_rows["products"],
        "reviews": clean_rows["reviews"],
        "faq": clean_rows["faq"],
        "queries": queries,
        "judgments": judgments,
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I looked for a Red wool blanket, for a small dog that sheds.", "judged_query"),
        ("搜“可折叠的户外露营保温水杯大容量带吸管”买的", "judged_query"),
        ("enamel camping mug blue | folding desk lamp, warm light | trail running shoes wide", "judged_queries"),
        ("query: enamel camping mug blue answer: P41", "judged_answer"),
    ],
)
@pytest.mark.parametrize(("family", "field"), [("products", "description"), ("reviews", "text"), ("faq", "answer")])
def test_what_has_seen_the_test_is_found(found_in, shop, text, problem, family, field):
    shop[family][2][field] = text
    assert found_in(shop, "T14") == [(family, 2, field, problem)]


@pytest.mark.parametrize(
    "text",
    [
        "An enamel camping mug, blue",
        "This enamel camping mug blue is what I wanted, and the folding desk lamp warm light, too.",
        "red wool blanket",
        "p41 is the model's number",
    ],
)
def test_what_people_say_is_left_alone(found_in, shop, text):
    shop["reviews"][2]["text"] = text
    assert found_in(shop, "T14") == []


def test_a_product_may_be_described_with_its_own_query_and_id(found_in, shop):
    shop["products"][41]["description"] = "enamel camping mug blue, model p41"
    assert found_in(shop, "T14") == []


def test_queries_that_nobody_judged_are_no_test(found_in, shop):
    shop["judgments"] = shop["judgments"][1:2]
    shop["reviews"][2]["text"] = QUERIES[0]
    assert found_in(shop, "T14") == []


@pytest.mark.parametrize("wrong", [{"long": 1}, {"short": 1}, {"several": 1}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(SettingsError):
        Contamination(**wrong)
