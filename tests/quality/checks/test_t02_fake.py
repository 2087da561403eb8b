"""T02 takes campaigns out, tells of texts that many repeat, and leaves short praise alone."""

import random

import pytest

from mercer.errors import SettingsError
from mercer.quality.checks.t02_fake import Fake

DAY = 86_400_000
NOW = 1_750_000_000_000
WORDS_TEXT = """
sturdy soft warm bright quiet heavy light sharp round smooth blue green kettle lamp chair blanket garden
kitchen morning evening winter summer market parcel courier colour handle button pocket zipper leather cotton
"""
WORDS = WORDS_TEXT.split()


@pytest.fixture
def reviews():
    rng = random.Random(5)
    return [
        {
            "id": f"r{number}",
            "product": f"p{number % 20}",
            "shopper": f"s{number}",
            "text": " ".join(rng.sample(WORDS, 9)),
            "rating": float(rng.randint(1, 5)),
            "time": NOW - number * DAY // 2,
        }
        for number in range(200)
    ]


def campaign(count, text="I bought this {} for my mother and we all love it, delivery was {}.", spread=2.0, products=1):
    rng = random.Random(7)
    return [
        {
            "id": f"f{number}",
            "product": f"p{number % products}",
            "shopper": f"new{number}",
            "text": text.format(rng.choice(("lamp", "chair", "kettle")), rng.choice(("quick", "fast"))),
            "rating": 5.0,
            "time": int(NOW - 50 * DAY + rng.random() * spread * DAY),
        }
        for number in range(count)
    ]


def problems(found):
    return {row[3] for row in found}, [row[1] for row in found]


def test_a_campaign_is_found_whole(found_in, reviews):
    pytest.importorskip("rensa")
    assert problems(found_in({"reviews": reviews + campaign(12)}, "T02")) == ({"campaign"}, list(range(200, 212)))


def test_a_looser_copy_for_the_same_product_belongs_to_the_campaign(found_in, reviews):
    pytest.importorskip("rensa")
    loose = "I bought this lamp for my mother and we all love it, she told everybody about colours and handles"
    elsewhere = {**campaign(1)[0], "text": loose[5:47] + loose[62:], "product": "p7"}
    rows = [*campaign(12), {**campaign(1)[0], "text": loose}, elsewhere]
    assert problems(found_in({"reviews": reviews + rows}, "T02")) == ({"campaign"}, list(range(200, 213)))


def test_equal_texts_are_found_without_the_package(found_in, reviews, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "rensa", None)
    same = campaign(12, text="给妈妈买的，全家都特别喜欢，质量很好，强烈推荐！")
    assert problems(found_in({"reviews": reviews + same}, "T02")) == ({"campaign"}, list(range(200, 212)))


def test_texts_that_many_repeat_without_a_campaign_are_told_of(found_in, reviews):
    text = "我为什么喜欢在这里买东西，因为今天买明天就可以送到，所以我统一用这段话作为评价内容，大家不要见怪"
    rows = campaign(24, text=text, spread=90.0, products=20)
    for number, row in enumerate(rows):
        row["rating"] = float(1 + number % 5)
    assert problems(found_in({"reviews": reviews + rows}, "T02"))[0] == {"repeated_text"}


def test_a_burst_of_one_template_is_told_of_where_no_product_is_known(found_in, reviews):
    pytest.importorskip("rensa")
    rows = campaign(10)
    for row in [*reviews, *rows]:
        row["product"] = None
    assert problems(found_in({"reviews": reviews + rows}, "T02")) == ({"repeated_text"}, list(range(200, 210)))
    for number, row in enumerate(rows):
        row["time"] = NOW - number * 9 * DAY
    assert found_in({"reviews": reviews + rows}, "T02") == []


def test_what_the_platform_writes_is_told_of(found_in, reviews):
    reviews[3]["text"] = "此用户没有填写评价。"
    assert found_in({"reviews": reviews}, "T02") == [("reviews", 3, "text", "default_review")]


@pytest.mark.parametrize(
    "rows",
    [
        campaign(30, text="很好，推荐"),
        campaign(4),
        campaign(9, spread=80.0, products=9),
        [],
    ],
)
def test_praise_is_no_campaign(found_in, reviews, rows):
    for number, row in enumerate(rows[:9] if len(rows) == 9 else ()):
        row["rating"] = float(1 + number % 5)
    assert found_in({"reviews": reviews + rows}, "T02") == []


@pytest.mark.parametrize(
    "wrong", [{"alike": 0.0}, {"loose": 2.0}, {"least": 1}, {"days": 0.0}, {"signs": 0}, {"many": 1}, {"sudden": 1}]
)
def test_settings_that_cannot_be(wrong):
    with pytest.raises(SettingsError):
        Fake(**wrong)
