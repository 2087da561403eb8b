"""Language by script."""

from __future__ import annotations

import pytest

from mercer.encode.language import chinese_share, language_of, shares


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("红色连衣裙", "zh"),
        ("Apple iPhone 15 手机壳", "zh"),
        ("硅藻泥・吸水垫", "zh"),
        ("a long English title of a shop with one 福 in it", "en"),
        ("café crème", "en"),
        ("красное платье", "other"),
        ("赤いドレス", "other"),
        ("빨간 드레스", "other"),
        ("", "en"),
        ("123 !!", "en"),
        ("😀", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_share_counts_only_texts_with_letters() -> None:
    assert chinese_share(["红色连衣裙", "red", "42", ""]) == 0.5
    assert chinese_share([]) == 0
    assert shares(["платье", "red"]) == (0, 0.5)
