"""A query understood: each step said, no plain word lost, nothing raised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import SettingsError
from mercer.records import Filter, Product
from mercer.understand.recognise import Vocabulary
from mercer.understand.understand import Understand, UnderstandSettings

CNY = [Product(str(n), "耳机", brand="Nord", price=100.0, currency="CNY") for n in range(3)]


def test_a_price_with_its_currency_is_a_filter() -> None:
    known = Understand()("500元以下 无线耳机 降噪")
    assert (known.text, known.filters, known.negated) == ("无线耳机 降噪", (Filter("price", high=500.0),), ())
    assert [(step.name, step.before, step.after) for step in known.steps] == [("price", "500元以下", "..500")]


def test_a_bare_price_is_a_wish_and_leaves_the_text() -> None:
    known = Understand()("red dress under 50")
    assert (known.text, known.filters) == ("red dress", ())
    assert known.boosts[0].filter == Filter("price", high=50.0)


def test_an_unsure_price_stays_in_the_text() -> None:
    known = Understand()("gifts for women over 50")
    assert known.text == "gifts for women over 50"
    assert len(known.boosts) == 1


def test_a_foreign_currency_or_a_shop_without_prices_reads_none() -> None:
    dollars = Understand(Vocabulary.build(CNY))("headphones under $50")
    assert (dollars.text, dollars.filters) == ("headphones under $50", ())
    unpriced = Understand(Vocabulary.build([Product("1", "耳机")]))("50元以下 耳机")
    assert (unpriced.text, unpriced.filters, unpriced.steps) == ("50元以下 耳机", (), ())


def test_meaning_is_asked_without_the_negated_word_and_words_with_it() -> None:
    known = Understand()("paper bags without handles under $20")
    assert (known.text, known.words) == ("paper bags", "paper bags without handles")
    assert known.negated == ("handles",)
    assert Understand()("洗手液 不含酒精").text == "洗手液"


@pytest.mark.parametrize("query", ["no sugar", "no show socks", "without handles", "不含酒精", "under $50"])
def test_something_is_always_left_to_search(query: str) -> None:
    assert Understand()(query).text == query


def test_what_is_recognised_is_said_and_off_unless_set() -> None:
    shop = Vocabulary.build(CNY)
    known = Understand(shop)("nord 耳机")
    assert (known.boosts, known.filters) == ((), ())
    assert known.steps[0].evidence == "brand Nord: 3 products"
    soft = Understand(shop, settings=UnderstandSettings(recognised=0.1))("nord 耳机")
    assert soft.boosts[0].weight == pytest.approx(0.1 * 3 / 4)
    hard = Understand(shop, settings=UnderstandSettings(recognised_filter=True, filter_from=0.7))("nord 耳机")
    assert hard.filters == (Filter("brand", values=("Nord",)),)


def test_everything_can_be_off() -> None:
    off = Understand(settings=UnderstandSettings(prices=False, negated=0, free=0))
    known = off("bags without handles under $20")
    assert known.text == known.words == "bags without handles under $20"
    assert known.steps == ()


PLAIN = st.lists(
    st.sampled_from(["red", "dress", "iPhone", "13", "耳机", "无线", "连衣裙", "nike", "usb-c", "nova", "freeze"]),
    min_size=1,
    max_size=6,
).map(" ".join)


@given(PLAIN)
def test_a_plain_query_loses_no_word(query: str) -> None:
    known = Understand(Vocabulary.build(CNY))(query)
    assert known.text == known.words == query
    assert known.filters == known.boosts == known.negated == ()


@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                ["without", "no", "under", "$", "50", "不含", "元以下", "以内", "a", ",", "or", "的", "between"]
            ),
        ),
        max_size=9,
    ).flatmap(lambda words: st.sampled_from([" ".join(words), "".join(words)]))
)
def test_it_never_raises_and_keeps_something(query: str) -> None:
    known = Understand(Vocabulary.build(CNY))(query)
    assert known.raw == query
    if any(letter.isalnum() for letter in known.words):
        assert any(letter.isalnum() for letter in known.text)
    for step in known.steps:
        assert 0 <= step.confidence <= 1


def test_settings_refuse_what_cannot_be() -> None:
    with pytest.raises(SettingsError, match="negated is 2"):
        UnderstandSettings(negated=2)
