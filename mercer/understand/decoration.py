"""A query in; the same without emoji, and with words of mixed scripts in one, out."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["plain"]

_ALIKE = dict(
    zip("аеорсхуікАВЕНКМОРСТХУІαοερυνΑΒΕΗΙΚΜΝΟΡΤΥΧΖ", "aeopcxyikABEHKMOPCTXYIaoepuvABEHIKMNOPTYXZ", strict=True)
)
"""Cyrillic and Greek letters and the Latin ones that they are taken for (of Unicode's confusables)."""
_TABLE = str.maketrans(_ALIKE)
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u04ff]")
_WORD = re.compile(r"[^\W\d_]+")
_OFTEN_LATIN = frozenset(_ALIKE)


def plain(text: str) -> str:
    """Emoji go where a letter or digit is left; foreign letters among Latin ones become those that they look like.

    A query of Cyrillic or Greek words alone stays what it is.

    >>> plain("🔥wool blanket 👍🏽"), plain("🎁")
    ('wool blanket', '🎁')
    >>> plain("соffее mug"), plain("кофе")
    ('coffee mug', 'кофе')
    """
    if text.isascii():
        return text
    left = "".join(" " if _is_emoji(letter) else letter for letter in text)
    if any(letter.isalnum() for letter in left):
        text = " ".join(left.split())
    if not _FOREIGN.search(text):
        return text
    latin = bool(re.search("[A-Za-z]", text))
    return _WORD.sub(lambda found: _one_script(found.group(), latin=latin), text)


def _one_script(word: str, *, latin: bool) -> str:
    """The word in Latin letters where that is what it looks like."""
    foreign = [letter for letter in word if _FOREIGN.match(letter)]
    mixed = len(foreign) < len(word)
    if not foreign or not (mixed or latin) or not _OFTEN_LATIN.issuperset(foreign):
        return word
    return word.translate(_TABLE)


def _is_emoji(letter: str) -> bool:
    """Pictures, and what joins and colours them; not ™, °, currency, or a sign such as ㎡ that stands for letters."""
    code = ord(letter)
    if code < 0x2190 and code != 0x200D:
        return False
    joins = 0x1F3FB <= code <= 0x1F3FF or code in (0xFE0F, 0x200D, 0x20E3)
    return joins or (unicodedata.category(letter) == "So" and unicodedata.normalize("NFKC", letter) == letter)
