"""One form of a query: width, characters, units; and what it is written in."""

from __future__ import annotations

import pytest

from mercer.understand.normalise import language, normalise


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("５００ ＭＬ 保溫杯", "500ML 保温杯"),
        ("水壶 500 ml", "水壶 500ml"),
        ("水壶 500毫升", "水壶 500ml"),
        ('frame 12" x 10 inches', "frame 12 inch x 10 inch"),
        ("12 寸 蛋糕", "12寸 蛋糕"),
        ("12英寸 蛋糕", "12寸 蛋糕"),
        ("無線耳機", "无线耳机"),
        ("iPhone 13 mini", "iPhone 13 mini"),
        ("Nike Air Max", "Nike Air Max"),
        ("", ""),
    ],
)
def test_form(query: str, form: str) -> None:
    assert normalise(query) == form
    assert normalise(form) == form, "once is enough"


@pytest.mark.parametrize(
    ("text", "said"), [("red dress", "en"), ("红色 dress", "mixed"), ("连衣裙 M", "zh"), ("42", ""), ("", "")]
)
def test_language(text: str, said: str) -> None:
    assert language(text) == said


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("🔥wool blanket 👍🏽", "wool blanket"),
        ("👨\u200d👩\u200d👧 帐篷", "帐篷"),
        ("🎁", "🎁"),
        ("c\u043effee \u043cug", "coffee \u043cug"),
        ("\u043a\u043e\u0444\u0435", "\u043a\u043e\u0444\u0435"),
        ("地毯 2㎡ 5°", "地毯 2m2 5°"),
    ],
)
def test_emoji_and_letters_of_another_script(query: str, asked: str) -> None:
    assert normalise(query) == asked
