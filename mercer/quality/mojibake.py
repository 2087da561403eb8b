"""Text read in the wrong encoding in; what it said before, where a round trip proves it, out."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["unscramble"]

_CHINESE = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")
_HIGH_RUN = re.compile(r"[\u0080-\u00ff]{4,}")
"""No European language writes four letters beyond ASCII in a row; GB18030 read as Latin-1 does."""


_GB_MARKS = re.compile(r"\u00a1[\u00ad\u00ae\u00af\u00b0\u00b1\u00aa]|\u00a3[\u00ac\u00a1\u00bf\u00ba\u00bb]")
"""Ellipsis, quotes, dash and Chinese punctuation in GB18030, read as Latin-1; no language sets these pairs."""


def unscramble(text: str) -> str:
    """The text as it was, or the same text where nothing is wrong or nothing can be proved.

    Western mix-ups are ftfy's to find; here its answer is taken only if encoding it again gives what came in.

    >>> unscramble("CafÃ© au lait"), unscramble("Café 简单"), unscramble("ÖÐÎÄËÑË÷")
    ('Café au lait', 'Café 简单', '中文搜索')
    """
    fixed = _western(text) or _gb_as_latin(text) or _utf8_as_gb(text) or text
    return _GB_MARKS.sub(lambda pair: pair[0].encode("latin-1").decode("gb18030"), fixed)


def _western(text: str) -> str:
    import ftfy

    fixed, steps = ftfy.fix_encoding_and_explain(text)
    if fixed == text or not steps or any(step.action not in ("encode", "decode") for step in steps):
        return ""
    back: Any = fixed
    for step in reversed(steps):
        back = back.encode(step.parameter) if step.action == "decode" else back.decode(step.parameter)
    return fixed if back == text else ""


def _gb_as_latin(text: str) -> str:
    """GB18030 bytes that were read as Latin-1 or Windows-1252."""
    if not _HIGH_RUN.search(text):
        return ""
    for wrong in ("latin-1", "cp1252"):
        fixed = _again(text, wrong, "gb18030")
        if len(_CHINESE.findall(fixed)) * 2.5 > len(text) - _ascii(text):
            return fixed
    return ""


def _utf8_as_gb(text: str) -> str:
    """UTF-8 bytes that were read as GB18030: rare characters whose bytes happen to be UTF-8 throughout."""
    if _ascii(text) == len(text):
        return ""
    fixed = _again(text, "gb18030", "utf-8")
    chinese = len(_CHINESE.findall(fixed))
    return fixed if chinese >= 2 and chinese == len(fixed) - _ascii(fixed) else ""


def _ascii(text: str) -> int:
    return sum(letter < "\x80" for letter in text)


def _again(text: str, wrong: str, right: str) -> str:
    """The bytes of `text` in the wrong encoding, read in the right one; "" unless that goes back and forth."""
    try:
        fixed = text.encode(wrong).decode(right)
        return fixed if fixed.encode(right).decode(wrong) == text else ""
    except UnicodeError:
        return ""
