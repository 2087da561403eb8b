"""The words of a query that a product really has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.records import Product
from mercer.retrieve.matched import Matched


@pytest.mark.parametrize(
    ("query", "product", "terms"),
    [
        ("简单", Product("1", "安装简单"), ["简单"]),
        ("招商 公司", Product("1", "招商局公司"), ["招商", "公司"]),
        ("包", Product("1", "小化妆包"), ["包"]),
        ("紅色連衣裙", Product("1", "红色长裙"), ["红色"]),
        ("red red RED cup", Product("1", "Red"), ["red"]),
        ("a b c d e f", Product("1", "a b c d e f"), ["a", "b", "c", "d"]),
        ("nord", Product("1", "Cup", brand="Nord"), ["nord"]),
        ("waterproof", Product("1", "Cup", "waterproof"), []),
        ("", Product("1", "Cup"), []),
        ("dying lily", Product("1", "The dying lilies"), ["dying", "lily"]),
        ("hwy14186", Product("1", "HWY14-186BKU1"), []),
        ("iphone13", Product("1", "iPhone13 手机壳"), ["iphone13"]),
    ],
)
def test_only_what_is_there(query: str, product: Product, terms: list[str]) -> None:
    assert Matched(query)(product) == terms


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_answered(query: str, title: str) -> None:
    assert len(Matched(query)(Product("1", title))) <= 4
