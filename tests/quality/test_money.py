import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.quality.money import currency, money


@pytest.mark.parametrize(
    ("text", "amount", "code"),
    [
        ("15.00 USD", 15.0, "USD"),
        ("USD 15", 15.0, "USD"),
        ("$1,299.00", 1299.0, "USD"),
        ("¥1,299.00", 1299.0, "CNY"),
        ("￥99元", 99.0, "CNY"),
        ("人民币 12.5", 12.5, "CNY"),
        ("RMB 12.5", 12.5, "CNY"),
        ("1200円", 1200.0, "JPY"),
        ("1.299,00 €", 1299.0, "EUR"),
        ("1 299,00 €", 1299.0, "EUR"),
        ("1.299 €", 1299.0, "EUR"),
        ("1'299.00 CHF", 1299.0, "CHF"),
        ("12,50", 12.5, None),
        ("1,299", 1299.0, None),
        ("-£3.20", -3.2, "GBP"),
        ("HK$ 8", 8.0, "HKD"),
        ("1.299.000", 1299000.0, None),
    ],
)
def test_prices_as_people_write_them(text: str, amount: float, code: str | None) -> None:
    assert money(text) == amount
    assert currency(text) == code


@pytest.mark.parametrize("text", ["", "free", "12-15", "12 pcs", "call us", "1/2", "价格面议", "1,2,3"])
def test_what_is_no_price(text: str) -> None:
    assert money(text) is None


@given(st.integers(0, 10**9), st.sampled_from(["$", "¥", "€", "£", ""]))
def test_cents_survive_english_and_german_writing(cents: int, sign: str) -> None:
    english = f"{sign}{cents // 100:,}.{cents % 100:02d}"
    assert money(english) == cents / 100
    german = english.translate({ord(","): ".", ord("."): ","}).removeprefix(sign) + sign
    assert money(german) == cents / 100
