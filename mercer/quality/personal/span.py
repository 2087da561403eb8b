"""Nothing in; what a recogniser says of a piece of text, and the views of a text it looks at, out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

__all__ = ["Span", "View", "view"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text that names a person."""

    start: int
    """Code points before it."""
    end: int
    kind: str
    """A key of `kind.KINDS`."""
    value: str
    """What it says without width, blanks and hyphens: two spellings of one number have the same."""
    score: float
    """0 to 1: 1 with a right check digit, .95 by form alone, .9 by form and a word before it, .8 for names."""


@dataclass(frozen=True, slots=True)
class View:
    """A text as recognisers read it; both forms have the same length."""

    plain: str
    """Full width as half width, digits of every script as 0 to 9, nothing invisible."""
    digits: str
    """`plain` with runs of Chinese numerals (一三八…) as 0 to 9."""
    places: tuple[int, ...] | None
    """Where each code point of the views, and their end, stands in the text; None: at the same place."""

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Ends in the views as ends in the text."""
        return (start, end) if self.places is None else (self.places[start], self.places[end])


HAN_DIGITS = dict(zip("零〇○一二三四五六七八九壹贰叁肆伍陆柒捌玖貳參陸幺", "0001234567891234567892361", strict=True))
UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\u20e3\ufeff]")
"""Zero-width and direction marks, and what turns a digit into an emoji."""
_WORD = "直个些次点样般定起下天家半边共旦切会年月日件条张位种部台款级星层块元分小时度周"
_HAN_DIGIT = "[" + "".join(HAN_DIGITS) + f"](?![{_WORD}])"
NUMERALS = re.compile(rf"(?=[0-9 .·、,，_-]*{_HAN_DIGIT})(?:(?:[0-9]|{_HAN_DIGIT})[ .·、,，_-]?){{5,}}")
"""At least five digits of which one is Chinese: 一个 and 三八节 stay words, and so does 一 in 13800138000一直."""
_AND_A_WORD = re.compile(r"[0-9 .-]{5,}[^0-9 .-]{1,2}")


@cache
def _plain() -> dict[int, str]:
    """Code points with another spelling of one ASCII character: full width, 𝟏, ①, ٣."""
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xA0: " ", 0x2212: "-"}
    for code in range(0x80, 0x1FC00):
        value = unicodedata.digit(chr(code), None)
        if value is not None:
            table[code] = str(value)
    return table | {ord(mark): "-" for mark in "‐‑‒–—―"}


_TO_DIGITS = {ord(letter): digit for letter, digit in HAN_DIGITS.items()}


def view(text: str) -> View:
    """The views of a text.

    >>> view("１３8\\u200b0 一三八〇〇").digits
    '1380 13800'
    """
    places = None
    if UNSEEN.search(text):
        seen = (index for index, letter in enumerate(text) if not UNSEEN.match(letter))
        places = (*seen, len(text))
        text = UNSEEN.sub("", text)
    plain = text if text.isascii() else text.translate(_plain())
    digits = plain if plain.isascii() else NUMERALS.sub(_as_digits, plain)
    return View(plain, digits, places)


def _as_digits(match: re.Match[str]) -> str:
    return match[0] if _AND_A_WORD.fullmatch(match[0]) else match[0].translate(_TO_DIGITS)
