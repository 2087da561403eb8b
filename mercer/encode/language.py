"""Texts in; which language they are written in, by script, out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

__all__ = ["chinese_share", "language_of"]

Language = Literal["zh", "en", "other"]

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LETTER = re.compile(r"[^\W\d_]")
_KANA_OR_HANGUL = re.compile("[\u3040-\u30fa\u30fc-\u30ff\u1100-\u11ff\uac00-\ud7af]")
"""Scripts that share Han characters with Chinese; the middle dot of Chinese titles (\u30fb) is left out."""

HAN_AS_LETTERS = 4
"""A Han character says about as much as four Latin letters, so "Apple iPhone 15 手机壳" is Chinese. A guess."""

SAMPLE = 400
"""Characters looked at in one text."""


def language_of(text: str) -> Language:
    """``zh`` if Han characters, each counted as four letters, are at least half of the letters.

    Kana or hangul make it ``other``; so do letters that are mostly of no Latin script. Text in Latin script counts
    as English, and so does text without letters: French or German are told apart by nothing here.

    >>> [language_of(text) for text in ("红色连衣裙", "iPhone 手机壳", "red dress", "赤いドレス", "42")]
    ['zh', 'zh', 'en', 'other', 'en']
    """
    piece = text[:SAMPLE]
    if _KANA_OR_HANGUL.search(piece):
        return "other"
    han, latin, letters = len(_HAN.findall(piece)), len(_LATIN.findall(piece)), len(_LETTER.findall(piece))
    if han and 2 * han * HAN_AS_LETTERS >= letters - han + han * HAN_AS_LETTERS:
        return "zh"
    return "other" if 2 * latin < letters - han else "en"


def chinese_share(texts: Iterable[str]) -> float:
    """Share of the texts that have letters and are Chinese, from 0 to 1; 0 for none.

    >>> chinese_share(["红色连衣裙", "red dress", "12-34", ""])
    0.5
    """
    return shares(texts)[0]


def shares(texts: Iterable[str]) -> tuple[float, float]:
    """Shares of Chinese and of other languages that are no English, among texts that have letters."""
    found = [language_of(text) for text in texts if _LETTER.search(text[:SAMPLE])]
    return (found.count("zh") / len(found), found.count("other") / len(found)) if found else (0.0, 0.0)
